"""What an attribution returns: the map, the numbers drawn from it, and every condition they depend on."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srlens.attribution.blocks import Block, partition
from srlens.attribution.method import Method
from srlens.errors import ImageError
from srlens.imaging.terms import shown_size, worded
from srlens.imaging.window import Window
from srlens.measures import concentration
from srlens.measures.shares import part_maps, part_shares
from srlens.networks.sampled import sampling_in_words
from srlens.shown import Shown


@dataclass(frozen=True, eq=False, repr=False)
class Attribution(Shown):
    """The local attribution map of one network, image and window.

    Attributes:
        map: signed contribution of each LR pixel and channel, C×h×w (of a clip T×C×h×w), float64, read-only, in units
            of the detector. Of a path integral: to the detector's change from baseline to image; it sums to
            ``detector_at_image − detector_at_baseline`` up to the completeness gap.
        window: what was explained, in SR pixels.
        detector_at_image: D(F(I)).
        detector_at_baseline: D(F(I')); None where the method has no baseline.
        map_error: estimated L2 error of the map relative to its L2 norm, meant to hold within a factor of 3; None
            where it is not known (a single step, another method).
        evaluations: evaluations of the network made (one forward and, for gradients, one backward pass each).
        converged: False where refinement stopped at ``max_steps`` before the tolerance.
        method: how it was computed.
        network: name of the network.
        network_digest: SHA-256 of its weights.
        scale: SR pixels per LR pixel.
        evaluation: how the network was evaluated: ``"full"`` or ``"regional"``, with the reason if not regional.
        facts: what else the method found, as plain values.
        image: the LR image as the network took it, of the map's shape, in [0, 1], read-only; None where not kept.
        interval: half the width of the 95 % interval of the map, summed over channels, h×w, read-only; None where the
            method draws nothing at random. Pixels that share one effect share its interval.
    """

    map: NDArray[np.float64]
    window: Window
    detector_at_image: float
    detector_at_baseline: float | None
    map_error: float | None
    evaluations: int
    converged: bool
    method: Method
    network: str
    network_digest: str
    scale: int
    evaluation: str = "full"
    facts: Mapping[str, Any] = field(default_factory=dict)
    image: NDArray[np.float64] | None = None
    interval: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if self.map.ndim not in (3, 4):
            raise ImageError(f"A map is C×h×w, or T×C×h×w of a clip; got shape {self.map.shape}.")
        for values in (self.map, self.image, self.interval):
            if values is not None:
                values.setflags(write=False)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """From a pickle: arrays arrive writable."""
        self.__dict__.update(state)
        self.__post_init__()

    @property
    def summary(self) -> str:
        """What it is, in one line."""
        height, width = self.lr_size
        index = "zero map" if self.is_zero else f"DI {self.diffusion_index:.2f}"
        error = f", map error {self.map_error:.1%}" if self.map_error is not None else ""
        gap = f", gap {self.completeness_gap:.2%}" if self.completeness_gap is not None else ""
        size = worded(f"LR {height}×{width}", self.scale)
        return f"{self.method.name} of {self.network}, {self.window}, {size}, {index}{gap}{error}"

    @property
    def lr_size(self) -> tuple[int, int]:
        """Height and width of the LR image, in LR pixels."""
        return self.map.shape[-2], self.map.shape[-1]

    @property
    def frames(self) -> int | None:
        """How many frames the clip has; None for a picture."""
        return self.map.shape[0] if self.map.ndim == 4 else None

    @property
    def part(self) -> str:
        """What :attr:`parts` are: ``"band"`` or ``"frame"``."""
        return "band" if self.frames is None else "frame"

    @property
    def parts(self) -> NDArray[np.float64]:
        """One signed map a band, or a frame with its channels summed; they sum to :attr:`summed`."""
        return part_maps(self.map)

    @property
    def has_parts(self) -> bool:
        """Whether its parts are worth to be told apart: frames, or bands other than grey and RGB."""
        return self.frames is not None or self.map.shape[0] not in (1, 3)

    @property
    def shares(self) -> tuple[float, ...] | None:
        """The share of each band or frame in the map, see ``part_shares``; None if zero."""
        return None if not self.map.any() else tuple(float(share) for share in part_shares(self.map))

    @property
    def summed(self) -> NDArray[np.float64]:
        """Channels (and frames) summed: h×w, signed, float64, in units of the detector."""
        values: NDArray[np.float64] = self.map.sum(axis=tuple(range(self.map.ndim - 2)))
        return values

    @property
    def absolute(self) -> NDArray[np.float64]:
        """Channels (and frames) summed, then absolute value: h×w, float64, in units of the detector."""
        values: NDArray[np.float64] = np.abs(self.summed)
        values.setflags(write=False)
        return values

    @cached_property
    def is_zero(self) -> bool:
        """Whether the absolute map is zero everywhere (a flat window), so that no ratio can be drawn from it."""
        return not self.absolute.any()

    @cached_property
    def diffusion_index(self) -> float:
        """Diffusion index, (1 − Gini)·100 of the absolute map; it depends on ``lr_size``: state both."""
        if self.method.shifted_index:
            return concentration.shifted_diffusion_index(self.map)
        return concentration.diffusion_index(self.map)

    @cached_property
    def gini(self) -> float:
        """Exact Gini coefficient of the absolute map."""
        return concentration.gini(self.absolute)

    @cached_property
    def effective_pixels(self) -> float:
        """Effective number of LR pixels, (Σ|g|)²/Σg²; does not depend on the LR size."""
        return concentration.effective_pixels(self.map)

    @property
    def uncertain(self) -> NDArray[np.bool_] | None:
        """Where the map is not 0 and its 95 % interval holds 0, h×w; None where the method draws nothing at random."""
        summed = np.abs(self.map.sum(axis=0))
        return None if self.interval is None else (summed > 0) & (summed <= self.interval)

    @property
    def blocks(self) -> tuple[Block, ...] | None:
        """The blocks of LR pixels whose effects the map holds, each spread evenly; None for a map by pixels."""
        side = self.facts.get("block")
        return tuple(partition(*self.lr_size, side)) if isinstance(side, int) else None

    @property
    def effects(self) -> NDArray[np.float64] | None:
        """Each block's effect at all of its pixels, h×w, in units of the detector; None for a map by pixels."""
        blocks = self.blocks
        if blocks is None:
            return None
        summed: NDArray[np.float64] = self.map.sum(axis=0)
        effects = np.zeros(self.lr_size)
        for block in blocks:
            effects[block] = summed[block].sum()
        return effects

    @property
    def read_window(self) -> Window:
        """The SR pixels that the detector reads: the window grown by the detector's margin, within the SR image."""
        height, width = self.lr_size
        return self.window.grown(self.method.detector.margin, height * self.scale, width * self.scale)

    @property
    def detector_change(self) -> float | None:
        """D(F(I)) − D(F(I')): what a complete map sums to; None where the method has no baseline."""
        return self.detector_at_image - self.detector_at_baseline if self.detector_at_baseline is not None else None

    @property
    def completeness_gap(self) -> float | None:
        """``|Σ map − (D(F(I)) − D(F(I')))|`` over ``|D(F(I)) − D(F(I'))|``; a small gap alone proves no small error.

        None where the method has no baseline: nothing says what its map should sum to.
        """
        change = self.detector_change
        if change is None:
            return None
        residual = abs(float(self.map.sum()) - change)
        return residual / abs(change) if change else float("inf") if residual else 0.0

    @property
    def conditions(self) -> str:
        """One line with every setting that the numbers depend on, for captions."""
        size = shown_size(self.scale, *self.lr_size)
        method = worded(self.method.described(self.evaluations), self.scale)
        return ", ".join([str(self.window), size, method, *sampling_in_words(self.facts)])

    def record(self) -> dict[str, Any]:
        """Everything but the map, as plain values that JSON can hold; None for numbers that a zero map lacks."""
        return {
            "network": self.network,
            "weights_sha256": self.network_digest,
            "scale": self.scale,
            "lr_size": list(self.lr_size),
            "window": {**asdict(self.window), "unit": worded("SR pixels", self.scale)},
            "diffusion_index": None if self.is_zero else self.diffusion_index,
            "diffusion_index_shifted": self.method.shifted_index,
            "gini": None if self.is_zero else self.gini,
            "effective_pixels": None if self.is_zero else self.effective_pixels,
            f"{self.part}_shares": None if self.shares is None else list(self.shares),
            "detector_at_image": self.detector_at_image,
            "detector_at_baseline": self.detector_at_baseline,
            "completeness_gap": self.completeness_gap,
            "map_error": self.map_error,
            "evaluations": self.evaluations,
            "converged": self.converged,
            "evaluation": self.evaluation,
            "facts": dict(self.facts),
            "method": self.method.to_record(),
        }
