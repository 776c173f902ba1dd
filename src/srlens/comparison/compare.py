"""One window, one or several networks: the comparison that papers print, with its conditions."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor

from srlens.attribution.attribute import attribute
from srlens.attribution.method import Method, as_method
from srlens.attribution.scene import Progress
from srlens.comparison.comparable import common_scale
from srlens.comparison.explained import Explained, Measurable
from srlens.comparison.hard_window import hardest_window
from srlens.comparison.measures import MEASURES, measured
from srlens.comparison.sanity import check_against_reference
from srlens.comparison.subject import Subject
from srlens.imaging.check import clamped, outside
from srlens.imaging.terms import worded
from srlens.imaging.window import Window
from srlens.networks.network import Network
from srlens.shown import Shown
from srlens.trust.faithfulness import faithfulness
from srlens.trust.reach import costs_less
from srlens.trust.reach import reach as measure_reach

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
            "networks": [_record(row) for row in self.rows],
        }


def _record(row: Explained) -> dict[str, Any]:
    reach = row.reach.record() if row.reach is not None else None
    return {**measured(row), **row.result.record(), "rings": [vars(ring) for ring in row.rings], "reach": reach}


def compare(
    networks: Sequence[Network],
    image: Subject | Tensor,
    window: Window | None = None,
    *,
    clean: Tensor | None = None,
    size: int = 16,
    reach: bool | None = None,
    progress: Callable[[str], Progress] | None = None,
    **settings: Any,
) -> Comparison:
    """Attribute one window for each network.

    Args:
        networks: all of one scale.
        image: the LR image, C×h×w in [0, 1] (a clip T×C×h×w); or a :class:`Subject`, which says where it came from.
        clean: the HR image, C×sh×sw in [0, 1], where it is known; PSNR is then reported against doing nothing
            (bicubic). It is called as in :func:`srlens.attribute`, since not every network enlarges; a Subject brings
            its own.
        window: in SR pixels; the hardest one if None: where the networks' mean PSNR is lowest, or, without HR, where
            they depart most from doing nothing.
        size: side of a window chosen so, in SR pixels.
        reach: whether the causal reach (:func:`srlens.reach`) is measured beside each map; None: where that costs less
            than the map.
        progress: gives a progress callback for a network's name; for its reach, for that with ``": reach"``.
        **settings: of :func:`srlens.attribute`.

    Raises:
        SettingError: no network, networks of different scales, two of one name, or ``clean`` beside a Subject.
        ImageError: HR is not ``scale`` times as large as LR.
        WindowError: the window lies outside the SR image, or none of ``size`` fits.
    """
    seed = settings.get("seed")
    drawn = networks if seed is None else [network.seeded(seed) for network in networks]
    subject, window, choice, rendered = shown(drawn, image, window, clean, size)
    rows = []
    for network, sr in zip(networks, rendered, strict=True):
        named = {"map": network.name, "reach": f"{network.name}: reach"}
        steps = partial(step_of, progress, named)
        rows.append(explain(network, subject, window, sr, reach=reach, progress=steps, **settings))
    return Comparison(subject, window, choice, tuple(rows))


def shown(
    networks: Sequence[Network], image: Subject | Tensor, window: Window | None, clean: Tensor | None, size: int
) -> tuple[Subject, Window, str, list[Tensor]]:
    """What networks are shown, the window and how it was chosen, and :meth:`Network.render` of each.

    Arguments and errors are those of :func:`compare`.
    """
    scale = common_scale(networks, "a comparison")
    subject = Subject.of(image, scale, clean, clip=networks[0].frames is not None)
    if window is not None:
        window.check_inside(subject.lr.shape[-2] * scale, subject.lr.shape[-1] * scale)
    networks = [subject.told(network) for network in networks]
    rendered = [network.render(subject.lr) for network in networks]
    if subject.hr is not None:
        for network, sr in zip(networks, rendered, strict=True):
            check_against_reference(network, subject.lr, subject.hr, sr, subject.degradation)
    if window is not None:
        return subject, window, "given", rendered
    return subject, *_hardest([sr.clamp(0, 1) for sr in rendered], subject, size), rendered


def explain(
    network: Network,
    subject: Subject,
    window: Window,
    sr: Tensor | None = None,
    *,
    method: str | Method = "lam",
    reach: bool | None = None,
    faithful: bool = False,
    memory: int | None = None,
    regional: bool = True,
    seed: int | None = None,
    progress: Callable[[str], Progress | None] = lambda _: None,
    **settings: Any,
) -> Explained:
    """One network at one window, timed.

    Args:
        network: what is explained.
        subject: the picture.
        window: in SR pixels.
        sr: :meth:`Network.render` of the LR image, with the noise of ``seed``, where it is known already.
        method: as for :func:`srlens.attribute`, with the settings.
        reach: see :func:`compare`.
        faithful: whether the map is tested against other orders of pixels, which costs several maps; see
            :class:`srlens.trust.faithfulness.Faithfulness`.
        memory: as for :func:`srlens.attribute`.
        regional: likewise.
        seed: likewise.
        progress: gives a callback, or None, for ``"map"``, and for ``"reach"`` where that is measured.
        **settings: of the method.
    """
    network = subject.told(network)
    one = network if seed is None else network.seeded(seed)
    sr = one.render(subject.lr) if sr is None else sr
    shown = clamped(sr, network.name)
    how: dict[str, Any] = {"memory": memory, "regional": regional}
    chosen = as_method(method, settings)
    step, started = progress("map"), time.perf_counter()
    result = attribute(network, subject.lr, window, chosen, seed=seed, progress=step, **subject.made, **how)
    seconds = time.perf_counter() - started
    found = None
    if reach if reach is not None else costs_less(chosen.algorithm.expected, *result.lr_size):
        how |= {"detector": chosen.detector, "progress": progress("reach"), "nearer": False}
        found = measure_reach(one, subject.lr, window, subject.hr, **how)
    tested = None
    if faithful:
        (tested,) = faithfulness(one, subject.lr, [result], clean=subject.hr, memory=memory, regional=regional)
    facts = network.facts_with(result.network_digest)
    return Explained(facts, result, shown, subject, seconds, outside=outside(sr), reach=found, faithfulness=tested)


def step_of(progress: Callable[[str], Progress] | None, named: Mapping[str, str], what: str) -> Progress | None:
    """The callback of one step of :func:`explain`, which ``named`` gives another name; None where nobody listens."""
    return progress(named.get(what, what)) if progress is not None else None


def _hardest(srs: Sequence[Tensor], subject: Subject, size: int) -> tuple[Window, str]:
    best = hardest_window(srs, subject, size=size)
    judged, depart = ("this network", "departs") if len(srs) == 1 else (f"these {len(srs)} networks", "depart")
    if subject.hr is not None:
        mean = "" if len(srs) == 1 else "mean "
        return best.window, f"hardest {size}×{size} window of {judged} (lowest {mean}PSNR of luma, {best.psnr:.2f} dB)"
    most = f"{size}×{size} window where {judged} {depart} most from {subject.reference_name} ({best.psnr:.2f} dB)"
    return best.window, f"{most}; {'clean picture' if subject.scale == 1 else 'HR'} unknown"
