"""The causal reach of one window of one network, with the curves that it is read from."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from srlens.imaging.terms import shown_size, worded
from srlens.imaging.window import Window
from srlens.shown import Shown
from srlens.trust.intervention import decibel


@dataclass(frozen=True)
class ReachPoint:
    """What happens to the window when pixels farther (or nearer) than a radius are replaced.

    Attributes:
        radius: r, Chebyshev distance from the LR pixels that the window covers, in LR pixels.
        rmse: root mean square change of the window's SR pixels, on [0, 1].
        detector_share: what the detector loses, D(F(I)) − D(F(I_S)), as a share of what it loses when everything that
            it can depend on is replaced; it may be negative or above 1; None where that is 0.
        psnr_change: PSNR of the window after minus before, in dB; None where the clean picture is not known.
    """

    radius: int
    rmse: float
    detector_share: float | None
    psnr_change: float | None

    @property
    def change_db(self) -> float:
        """PSNR of the changed window against the unchanged one, in dB; infinite where nothing changes."""
        return decibel(self.rmse)

    def record(self) -> dict[str, Any]:
        """As plain values; an infinite number of decibels becomes the word "inf" in JSON."""
        return {**asdict(self), "change_db": self.change_db}


@dataclass(frozen=True)
class ReachCurve:
    """The curves of one fill.

    Attributes:
        fill: its name.
        radius: the smallest tested r from which on replacing everything farther changes the window by less than the
            threshold, at every tested radius; in LR pixels, found to one pixel.
        farther: everything farther than r replaced, by ascending r; the last, where nothing is left to replace that
            could matter, is known and not computed.
        nearer: everything up to r replaced, likewise; empty where it was not asked for.
        whole: root mean square change of the window where everything is replaced, on [0, 1].
        monotone: False where a smaller tested radius stays below the threshold too: the change does not fall with r,
            and radii that were not tested may hide more of that.
    """

    fill: str
    radius: int
    farther: tuple[ReachPoint, ...]
    nearer: tuple[ReachPoint, ...]
    whole: float
    monotone: bool

    def record(self) -> dict[str, Any]:
        """As plain values."""
        curves = {name: [one.record() for one in getattr(self, name)] for name in ("farther", "nearer")}
        return {**asdict(self), **curves, "whole_db": decibel(self.whole)}


@dataclass(frozen=True, eq=False, repr=False)
class Reach(Shown):
    """How much context one window needs.

    Attributes:
        network: its name.
        network_digest: SHA-256 of its weights.
        scale: SR pixels per LR pixel.
        lr_size: height and width of the LR image, in LR pixels; a reach is at most what the image holds.
        window: in SR pixels.
        detector: the name of the one whose share the curves tell.
        threshold_db: the change that counts, in dB of PSNR against the unchanged window.
        curves: one a fill.
        field_radius: distance of the farthest pixel that window and detector can depend on by the architecture; the
            image's where that is global or unknown.
        image_radius: distance of the image's farthest pixel.
        detector_at_image: D(F(I)), in the detector's unit.
        psnr: of the window against the clean picture, in dB; None where that is not known.
        passes: images that the network was shown, or its window's part of them.
        evaluation: how, as of ``Attribution.evaluation``.
    """

    network: str
    network_digest: str
    scale: int
    lr_size: tuple[int, int]
    window: Window
    detector: str
    threshold_db: float
    curves: tuple[ReachCurve, ...]
    field_radius: int
    image_radius: int
    detector_at_image: float
    psnr: float | None
    passes: int
    evaluation: str

    @property
    def radius(self) -> int:
        """The causal reach, in LR pixels: beyond it no fill changes the window by as much as the threshold.

        0: the LR pixels that the window covers are enough. It always exists, since beyond the image nothing can be
        replaced; where it is ``image_radius``, a larger picture may show a larger one (``whole_image``).
        """
        return max(curve.radius for curve in self.curves)

    @property
    def whole_image(self) -> bool:
        """Whether even the image's farthest pixels change the window, so that the reach may be larger."""
        return self.radius >= self.image_radius

    @property
    def monotone(self) -> bool:
        """Whether every fill's change stays above the threshold at each tested radius below its own reach."""
        return all(curve.monotone for curve in self.curves)

    @property
    def fills(self) -> Mapping[str, ReachCurve]:
        """The curves by the fill's name."""
        return MappingProxyType({curve.fill: curve for curve in self.curves})

    @property
    def by_fill(self) -> str:
        """The reach of each fill in words, ``"blur 8, mean 19"``."""
        return ", ".join(f"{curve.fill} {curve.radius}" for curve in self.curves)

    @property
    def curve(self) -> tuple[ReachPoint, ...]:
        """Everything farther than r replaced, for the fill that reaches farthest (the first of several)."""
        return max(self.curves, key=lambda curve: curve.radius).farther

    def beyond(self, radius: int) -> ReachPoint | None:
        """Everything farther than a radius replaced, by the fill that changes the window most.

        None where a fill did not try that radius; those below ``field_radius`` that are 0 or a power of 2 are tried
        by all.
        """
        tried = min(radius, self.field_radius)
        points = [next((one for one in curve.farther if one.radius == tried), None) for curve in self.curves]
        known = [point for point in points if point is not None]
        return max(known, key=lambda point: point.rmse) if len(known) == len(points) else None

    @property
    def summary(self) -> str:
        """What it is, in one line."""
        whole = " (the whole image)" if self.whole_image else ""
        size = worded("LR {}×{}".format(*self.lr_size), self.scale)
        reach = worded(f"reach {self.radius} LR px", self.scale)
        return f"{self.network:.60}, {self.window}, {size}: {reach}{whole} at {self.threshold_db:g} dB, {self.by_fill}"

    @property
    def conditions(self) -> str:
        """One line with every setting that the numbers depend on, for captions."""
        fills = ", ".join(curve.fill for curve in self.curves)
        size = shown_size(self.scale, *self.lr_size)
        return f"{self.window}, {size}, threshold {self.threshold_db:g} dB under {fills}"

    def record(self) -> dict[str, Any]:
        """Everything as plain values that JSON can hold; see ``to_json`` for infinities."""
        return {
            "network": self.network,
            "weights_sha256": self.network_digest,
            "scale": self.scale,
            "lr_size": list(self.lr_size),
            "window": {**asdict(self.window), "unit": worded("SR pixels", self.scale)},
            "reach": self.radius,
            "reach_unit": worded("LR pixels", self.scale),
            "whole_image": self.whole_image,
            "monotone": self.monotone,
            "threshold_db": self.threshold_db,
            "detector": self.detector,
            "detector_at_image": self.detector_at_image,
            "psnr": self.psnr,
            "field_radius": self.field_radius,
            "image_radius": self.image_radius,
            "passes": self.passes,
            "evaluation": self.evaluation,
            "fills": {curve.fill: curve.record() for curve in self.curves},
        }


def reach_in_words(reaches: Iterable[Reach | None]) -> str:
    """What the causal reach is, with threshold and fills, for captions; empty where there is none."""
    found = [reach for reach in reaches if reach is not None]
    ways = dict.fromkeys((", ".join(reach.fills), reach.threshold_db) for reach in found)
    said = [
        f"replacing all beyond it ({fills}) changes the window by less than {100 * 10 ** (-level / 20):.2g} % of the "
        f"value range ({level:g} dB)"
        for fills, level in ways
    ]
    return f"Causal reach: {'; or '.join(said)}." if said else ""
