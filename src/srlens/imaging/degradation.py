"""What a degradation is, and how its level and settings are written: ``"haze:1.2,airlight=0.9"``."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from srlens.errors import SettingError

#: A value behind ``name=``; text where it names a file or a choice.
Value = float | str


def as_observed(observed: Tensor, scale: int) -> Tensor:  # noqa: ARG001 - the signature of `Degradation.reference`
    """The reference of restoration: the observed picture itself."""
    return observed


@dataclass(frozen=True)
class Degradation:
    """How the observed picture is made of a clean one; :func:`add_degradation` makes it known.

    Attributes:
        name: as a user writes it, before the level: ``"noise"`` in ``"noise:25"``.
        description: one line.
        observe: makes the observed picture C×h×w of a clean one, C×H×W in [0, 1], as ``observe(clean, scale, level,
            seed, **settings)``; both sides of the clean one are multiples of the scale.
        level: what the number behind the colon is, with its unit; empty where there is none.
        scale: the only scale for which it is made: 1 where the picture keeps its size; None for any above 1.
        reference: the picture of the clean one's size that "doing nothing" gives, as ``reference(observed, scale)``.
        reference_name: what captions and warnings call that picture.
        judge: the picture by whose PSNR hard windows are mined where no network judges, as ``judge(observed, scale)``;
            None: the reference.
        judge_name: what it is called.
        seeded: whether ``observe`` draws random numbers, so that the seed is one of the conditions.
        usual: a usual level, for examples and for lists to choose from.
        least: the smallest level that it takes.
        most: the largest.
        settings: further settings by name, each with its default, a number or text.
        instead: the setting that may stand in the place of the level (a kernel in that of σ); empty where none may.
        task: what undoing it is called, for lists to choose from: ``"denoising"``; the name if empty.
    """

    name: str
    description: str
    observe: Callable[..., Tensor]
    level: str = ""
    scale: int | None = 1
    reference: Callable[[Tensor, int], Tensor] = as_observed
    reference_name: str = "observed picture"
    judge: Callable[[Tensor, int], Tensor] | None = None
    judge_name: str = ""
    seeded: bool = False
    usual: float = 25.0
    least: float = 0.0
    most: float = math.inf
    settings: Mapping[str, Value] = field(default_factory=dict)
    instead: str = ""
    task: str = ""

    def fits(self, scale: int) -> bool:
        """Whether networks of that scale can undo it."""
        return scale > 1 if self.scale is None else self.scale == scale

    @property
    def written(self) -> str:
        """How it is written with a usual level: ``"noise:25"``, ``"pil"``."""
        return f"{self.name}:{self.usual:g}" if self.level else self.name

    def asked(self, text: str) -> "Asked":
        """Understand what stands behind the colon of ``"name:LEVEL,setting=value"``.

        Raises:
            SettingError: a level that is missing, too many or out of range, or no such setting or value.
        """
        first, *rest = text.split(",") if text else [""]
        level_text, pairs = ("", [first, *rest]) if "=" in first else (first, rest)
        settings = dict(self._pair(pair) for pair in pairs if pair)
        if level_text and not self.level:
            raise SettingError(
                f"The degradation {self.name!r} has no level; write {self.name!r} alone, not '{self.name}:{text}'."
            )
        needed = self.level and not (self.instead and settings.get(self.instead))
        level = _number(level_text) if level_text or needed else 0.0
        if level_text or needed:
            self._check_level(level, text)
        return Asked(self, level, {**self.settings, **settings})

    def _check_level(self, level: float, text: str) -> None:
        if not self.least <= level <= min(self.most, 1e9):
            most = f", at most {self.most:g}" if self.most < math.inf else ""
            raise SettingError(
                f"The degradation (='{self.name}:{text}') needs a level: {self.level}, at least {self.least:g}{most}, "
                f"e.g. {self.written}."
            )

    def _pair(self, pair: str) -> tuple[str, Value]:
        name, _, text = (part.strip() for part in pair.partition("="))
        default = self.settings.get(name)
        if default is None:
            known = ", ".join(f"{key}={value}" for key, value in self.settings.items()) or "none"
            raise SettingError(
                f"{pair!r} is no setting of the degradation {self.name!r}; it has (with defaults) {known}."
            )
        if isinstance(default, str):
            return name, text
        if math.isnan(value := _number(text)) or math.isinf(value):
            raise SettingError(
                f"{name} of the degradation {self.name!r} must be a number, e.g. {default:g}, got {text!r}."
            )
        return name, value


@dataclass(frozen=True)
class Asked:
    """A degradation with its level and every setting.

    Attributes:
        entry: which one.
        level: 0 where it has none.
        settings: all of them, by name.
    """

    entry: Degradation
    level: float
    settings: Mapping[str, Value]

    @property
    def noise(self) -> float | None:
        """σ of its noise in 8-bit grey levels; None for a degradation without."""
        if self.entry.name == "noise":
            return self.level
        found = self.settings.get("noise")
        return found if isinstance(found, float) and found > 0 else None

    def observe(self, clean: Tensor, scale: int, seed: int) -> Tensor:
        """The observed picture of a clean one; see ``Degradation.observe``."""
        return self.entry.observe(clean, scale, self.level, seed, **self.settings)

    def __str__(self) -> str:
        """In one way of writing, without what is at its default: ``"haze:1.2,airlight=0.9"``."""
        stands_in = self.entry.instead and self.settings[self.entry.instead]
        parts = [f"{self.level:g}"] if self.entry.level and not (stands_in and not self.level) else []
        for name, value in self.settings.items():
            if value != self.entry.settings[name]:
                parts.append(f"{name}={value if isinstance(value, str) else f'{value:g}'}")
        return f"{self.entry.name}:{','.join(parts)}" if parts else self.entry.name


def _number(text: str) -> float:
    """NaN for what is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def white_noise(picture: Tensor, sigma: float, seed: int) -> Tensor:
    """White Gaussian noise of a picture's shape; σ in 8-bit grey levels, drawn in float32 on the CPU from the seed."""
    drawn = torch.randn(picture.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float32)
    return (sigma / 255 * drawn).to(picture)
