"""Stability: how far the map moves under changes that should not matter."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from srlens.attribution.method import Method
from srlens.attribution.result import Attribution
from srlens.attribution.scene import Progress
from srlens.errors import ZeroMapError
from srlens.imaging.window import Window
from srlens.networks.network import Network
from srlens.trust.maps import maps_of, passes_of
from srlens.trust.randomisation import likeness

#: Standard deviation of the noise added to the image: one grey level of 8 bits.
NOISE = 1 / 255

Kind = Literal["noise", "shift", "precision"]


@dataclass(frozen=True)
class Perturbed:
    """The map under one small change, beside the map without it.

    Attributes:
        kind: ``"noise"`` of one grey level in the image; ``"shift"`` of the window by one SR pixel; ``"precision"`` of
            the computation.
        change: which, in words.
        diffusion_index: of the perturbed map; None for one that is zero everywhere.
        rank_correlation: with the map without the change; None likewise.
        relative_difference: L2 norm of the difference of the signed maps over that of the map without the change.
    """

    kind: Kind
    change: str
    diffusion_index: float | None
    rank_correlation: float | None
    relative_difference: float


@dataclass(frozen=True, eq=False)
class Stability:
    """What small changes make of the map.

    Attributes:
        base: the map without a change, with the nodes of the others.
        rows: one a change.
        seed: of the noise.
        passes: forward passes taken, a gradient counted as three.
    """

    base: Attribution
    rows: tuple[Perturbed, ...]
    seed: int
    passes: int

    @property
    def diffusion_index(self) -> float:
        """Of the map without a change."""
        return self.base.diffusion_index

    def of_kind(self, kind: Kind) -> tuple[Perturbed, ...]:
        """The rows of one kind of change."""
        return tuple(row for row in self.rows if row.kind == kind)

    @property
    def index_error(self) -> float | None:
        """The diffusion index's error bar: root mean square of its changes under noise and shift; None without any."""
        found = [row.diffusion_index for row in self.rows if row.kind != "precision"]
        changes = [index - self.diffusion_index for index in found if index is not None]
        return float(np.sqrt(np.mean(np.square(changes)))) if changes else None

    def worst(self, kind: Kind) -> float | None:
        """The smallest rank correlation under one kind of change; None where there is none."""
        known = [row.rank_correlation for row in self.of_kind(kind) if row.rank_correlation is not None]
        return min(known, default=None)

    def record(self) -> dict[str, Any]:
        """Plain values that JSON can hold."""
        return {
            "diffusion_index": self.diffusion_index,
            "index_error": self.index_error,
            "rows": [vars(row).copy() for row in self.rows],
            "noise": NOISE,
            "method": self.base.method.to_record(),
            "seed": self.seed,
            "passes": self.passes,
        }


def stability(
    network: Network,
    image: Tensor,
    window: Window,
    method: Method,
    *,
    clean: Tensor | ArrayLike | None = None,
    draws: int = 3,
    shifts: int = 4,
    precision: bool = True,
    seed: int = 0,
    memory: int | None = None,
    progress: Progress | None = None,
) -> Stability:
    """Explain the window again with noise of one grey level, one SR pixel aside, and in the other precision.

    Args:
        network: what is explained.
        image: the LR image, C×h×w in [0, 1], float64.
        window: in SR pixels.
        method: of all these maps, the one without a change included, so that the error of few nodes is common to them.
        clean: the clean picture, for detectors that read it.
        draws: of Gaussian noise of standard deviation 1/255, seeded; it is not clamped.
        shifts: 0 to 4 neighbouring windows (down, right, up, left), as far as the picture has them.
        precision: whether to compute in float64 what the network computes in float32, and the other way round; left
            out where the device has no float64.
        seed: of the noise.
        memory: see :class:`srlens.Explainer`.
        progress: called with (maps done, all of them).

    Raises:
        ZeroMapError: the map is zero everywhere.
        NotDifferentiableError, NotFiniteError, OutOfMemoryError: the evaluation failed.
    """
    moved = _neighbours(window, network, image)[:shifts]
    base, *shifted = maps_of(network, image, [window, *(one for _, one in moved)], method, clean=clean, memory=memory)
    if base.is_zero:
        raise ZeroMapError(
            f"The map of {network.name} is zero everywhere: there is nothing whose stability could be told. Choose a "
            "window with structure."
        )
    passes = passes_of(base, *shifted)
    rows = [_row("shift", words, base, result) for (words, _), result in zip(moved, shifted, strict=True)]
    generator = torch.Generator().manual_seed(seed)
    noise = [NOISE * torch.randn(image.shape, generator=generator, dtype=torch.float64) for _ in range(draws)]
    jobs: list[tuple[Kind, str, Network, Tensor]] = [
        ("noise", f"noise of 1/255, draw {k}", network, image + one) for k, one in enumerate(noise, start=1)
    ]
    if precision and network.device.type != "mps":
        other = torch.float32 if network.dtype == torch.float64 else torch.float64
        words = f"{_short(network.dtype)} against {_short(other)}"
        jobs.append(("precision", words, network.to(dtype=other), image))
    for done, (kind, words, one, picture) in enumerate(jobs, start=1):
        if progress is not None:
            progress(done, len(jobs) + 1)
        (result,) = maps_of(one, picture, [window], method, clean=clean, memory=memory)
        passes += passes_of(result)
        rows.append(_row(kind, words, base, result))
    if progress is not None:
        progress(len(jobs) + 1, len(jobs) + 1)
    return Stability(base, tuple(rows), seed, passes)


def _row(kind: Kind, words: str, base: Attribution, result: Attribution) -> Perturbed:
    return Perturbed(
        kind,
        words,
        None if result.is_zero else result.diffusion_index,
        likeness(base, result).rank_correlation,
        float(np.linalg.norm(result.map - base.map) / np.linalg.norm(base.map)),
    )


def _neighbours(window: Window, network: Network, image: Tensor) -> list[tuple[str, Window]]:
    height, width = (side * network.scale for side in image.shape[-2:])
    steps = {"down": (1, 0), "right": (0, 1), "up": (-1, 0), "left": (0, -1)}
    return [
        (f"window one SR pixel {words}", replace(window, top=window.top + y, left=window.left + x))
        for words, (y, x) in steps.items()
        if 0 <= window.top + y <= height - window.height and 0 <= window.left + x <= width - window.width
    ]


def _short(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
