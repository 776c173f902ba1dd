"""One window, one or several networks: the comparison that papers print, with its conditions."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from srlens.attribution.attribute import attribute
from srlens.attribution.scene import Progress
from srlens.comparison.comparable import common_scale
from srlens.comparison.explained import Explained, Measurable
from srlens.comparison.hard_window import hardest_window
from srlens.comparison.measures import MEASURES, measured
from srlens.comparison.sanity import check_against_reference
from srlens.comparison.subject import Subject
from srlens.errors import SettingError
from srlens.imaging.check import check_image, clamped, outside
from srlens.imaging.degrade import GIVEN
from srlens.imaging.terms import worded
from srlens.imaging.window import Window
from srlens.networks.network import Network
from srlens.shown import Shown

__all__ = ["Comparison", "Explained", "compare"]


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Shown):
    """Several networks at one window of one image.

    Attributes:
        subject: the LR image, and HR where it is known.
        window: in SR pixels.
        window_choice: how the window was chosen, one sentence.
        rows: one a network, in the order given.
    """

    subject: Subject
    window: Window
    window_choice: str
    rows: tuple[Explained, ...]

    @property
    def summary(self) -> str:
        """What it is, in one line."""
        names = ", ".join(f"{row.result.network} {row.result.diffusion_index:.2f}" for row in self.rows)
        height, width = self.rows[0].result.lr_size
        size = worded(f"LR {height}×{width}", self.rows[0].result.scale)
        return f"{self.subject.name}, {self.window}, {size}, DI: {names}"

    @property
    def reference(self) -> Measurable | None:
        """Doing nothing as a row of its own, for the measures of the SR image; None where HR is not known."""
        return self.rows[0].as_reference

    @property
    def conditions(self) -> tuple[str, ...]:
        """Every condition of the numbers, one line a way of computing them."""
        return tuple(dict.fromkeys(row.result.conditions for row in self.rows))

    def record(self) -> dict[str, Any]:
        """Numbers and conditions as plain values, for result.json."""
        reference = self.reference
        return {
            "image": self.subject.name,
            "image_sha256": self.subject.digest,
            "part_of_image": vars(self.subject.part).copy() if self.subject.part is not None else None,
            "degradation": self.subject.degradation,
            "degradation_seed": self.subject.seed,
            "window_choice": self.window_choice,
            "reference": {
                "name": self.rows[0].reference_name,
                **{m.key: m.value(reference) if reference else None for m in MEASURES.values() if m.of_picture},
            },
            "networks": [{**measured(row), **row.result.record()} for row in self.rows],
        }


def compare(
    networks: Sequence[Network],
    image: Subject | Tensor,
    window: Window | None = None,
    *,
    clean: Tensor | None = None,
    size: int = 16,
    progress: Callable[[str], Progress] | None = None,
    **settings: Any,
) -> Comparison:
    """Attribute one window for each network.

    Args:
        networks: all of one scale.
        image: the LR image, C×h×w in [0, 1]; or a :class:`Subject`, which says where it came from.
        clean: the HR image, C×sh×sw in [0, 1], where it is known; PSNR is then reported against doing nothing
            (bicubic). It is called as in :func:`srlens.attribute`, since not every network enlarges; a Subject brings
            its own.
        window: in SR pixels; the hardest one if None: where the networks' mean PSNR is lowest, or, without HR, where
            they depart most from doing nothing.
        size: side of a window chosen so, in SR pixels.
        progress: gives a progress callback for a network's name.
        **settings: of :func:`srlens.attribute`.

    Raises:
        SettingError: no network, networks of different scales, two of one name, or ``clean`` beside a Subject.
        ImageError: HR is not ``scale`` times as large as LR.
        WindowError: the window lies outside the SR image, or none of ``size`` fits.
    """
    scale = common_scale(networks, "a comparison")
    if isinstance(image, Subject) and clean is not None:
        raise SettingError("The Subject holds what it is compared with; leave clean out, or give the LR image alone.")
    given = image if isinstance(image, Subject) else Subject("image", check_image(image), clean, GIVEN)
    subject = replace(given, scale=scale)
    if window is not None:
        window.check_inside(subject.lr.shape[-2] * scale, subject.lr.shape[-1] * scale)
    networks = [subject.told(network) for network in networks]
    rendered = [network.render(subject.lr) for network in networks]
    srs = [sr.clamp(0, 1) for sr in rendered]
    if subject.hr is not None:
        for network, sr in zip(networks, rendered, strict=True):
            check_against_reference(network, subject.lr, subject.hr, sr, subject.degradation)
    choice = "given"
    if window is None:
        window, choice = _hardest(srs, subject, size)
    rows = []
    for network, sr in zip(networks, rendered, strict=True):
        callback = progress(network.name) if progress is not None else None
        rows.append(explain(network, subject, window, sr, progress=callback, **settings))
    return Comparison(subject, window, choice, tuple(rows))


def explain(network: Network, subject: Subject, window: Window, sr: Tensor | None = None, **settings: Any) -> Explained:
    """One network at one window, timed; ``sr`` is :meth:`Network.render` of the LR image, where it is known already."""
    network = subject.told(network)
    sr = network.render(subject.lr) if sr is None else sr
    shown = clamped(sr, network.name)
    started = time.perf_counter()
    result = attribute(network, subject.lr, window, clean=subject.hr, **settings)
    seconds = time.perf_counter() - started
    return Explained(network.facts_with(result.network_digest), result, shown, subject, seconds, outside=outside(sr))


def _hardest(srs: Sequence[Tensor], subject: Subject, size: int) -> tuple[Window, str]:
    best = hardest_window(srs, subject, size=size)
    judged, depart = ("this network", "departs") if len(srs) == 1 else (f"these {len(srs)} networks", "depart")
    if subject.hr is not None:
        return best.window, f"hardest {size}×{size} window of {judged} (lowest mean PSNR, {best.psnr:.2f} dB)"
    most = f"{size}×{size} window where {judged} {depart} most from {subject.reference_name} ({best.psnr:.2f} dB)"
    return best.window, f"{most}; {'clean picture' if subject.scale == 1 else 'HR'} unknown"
