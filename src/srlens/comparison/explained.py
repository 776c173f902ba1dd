"""One network at one window, and what every measure is drawn from."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Self

import numpy as np
from torch import Tensor

from srlens.attribution.attention_maps import AttentionMaps
from srlens.attribution.result import Attribution
from srlens.comparison.subject import Subject
from srlens.comparison.support import theoretical_bounds
from srlens.imaging.colour import match_channels
from srlens.imaging.degrade import psnr_border, psnr_of_luma, reference_name
from srlens.imaging.window import Window
from srlens.measures.agreement import rank_correlation
from srlens.measures.cancellation import Ring, Shares, rings, shares_beyond, signed_ratio, summed_diffusion_index
from srlens.measures.extent import Radius, mass_area, mass_radius
from srlens.measures.quality import psnr, ssim, window_psnr
from srlens.measures.texture import SMALLEST, Texture, describe_texture
from srlens.networks.facts import NetworkFacts
from srlens.shown import Shown
from srlens.trust.faithfulness import Faithfulness
from srlens.trust.reach_result import Reach, ReachPoint

#: LR pixels beyond which a map's part is told apart in every table, whatever the network's reach.
FAR = 16
#: Side of the surroundings whose texture is described, in sides of the window.
SURROUNDINGS = 3


@dataclass(frozen=True, eq=False, repr=False)
class Measurable(Shown):
    """An attribution with the network and the pictures that it belongs to, as far as they are at hand.

    Attributes:
        network: what is known of the network that was explained.
        result: the attribution.
        sr: the network's SR image for the eye, C×sh×sw in [0, 1].
        subject: the image that the network was shown.
        seconds: wall time of the attribution.
        outside: by how much values of the SR image left [0, 1] before it was clamped; below 0 where none did.
        lpips: distance of the SR image to HR, where it was measured; lower is better.
        reach: how far pixels matter by intervention; None where it was not measured.
        faithfulness: the map against other orders of pixels; None where it was not tested.
        attention: what the network's cross-attention read for the window; None where it has none or was not asked.
    """

    network: NetworkFacts | None
    result: Attribution
    sr: Tensor | None
    subject: Subject | None
    seconds: float | None = None
    lpips: float | None = None
    outside: float | None = None
    reach: Reach | None = None
    faithfulness: Faithfulness | None = None
    attention: AttentionMaps | None = None

    @classmethod
    def of(cls, result: Attribution, network: NetworkFacts | None = None, subject: Subject | None = None) -> Self:
        """An attribution without SR images: what depends on those is not known."""
        return cls(network, result, None, subject)

    @property
    def summary(self) -> str:
        """What it is, in one line."""
        return self.result.summary

    @cached_property
    def psnr_window(self) -> float | None:
        """PSNR of the window in dB (8 bits; luma, at scale 1 RGB); None where HR is not known."""
        w = self.result.window
        bounds, luma = (w.top, w.left, w.bottom, w.right), psnr_of_luma(self.result.scale)
        return self._against_hr(lambda sr, hr: window_psnr(sr, hr, bounds, luma=luma))

    @cached_property
    def psnr_image(self) -> float | None:
        """PSNR of the image in dB (8 bits; luma without a border of ``scale``, at scale 1 RGB); None without HR."""
        return self._against_hr(partial(psnr, **self._quality))

    @cached_property
    def ssim_image(self) -> float | None:
        """SSIM of the image, as its PSNR; None also where the image is smaller than SSIM's window."""
        if min(self.result.lr_size) * self.result.scale < 2 * psnr_border(self.result.scale) + 11:
            return None
        return self._against_hr(partial(ssim, **self._quality))

    @property
    def _quality(self) -> dict[str, Any]:
        return {"border": psnr_border(self.result.scale), "luma": psnr_of_luma(self.result.scale)}

    def _against_hr(self, measure: Callable[[Tensor, Tensor], float]) -> float | None:
        if self.sr is None or self.subject is None or self.subject.hr is None:
            return None
        return measure(self.sr, match_channels(self.subject.hr, self.sr.shape[0]))

    @cached_property
    def reference(self) -> Tensor | None:
        """The picture that doing nothing gives (bicubic enlargement, the noisy picture), C×sh×sw in [0, 1]."""
        if self.subject is None:
            return None
        return replace(self.subject, scale=self.result.scale).reference

    @property
    def reference_name(self) -> str | None:
        """What that picture is called."""
        return None if self.subject is None else reference_name(self.result.scale, self.subject.degradation)

    @property
    def as_reference(self) -> "Measurable | None":
        """The same with the reference in the place of the network's picture; None where HR is not known."""
        if self.sr is None or self.reference is None or self.subject is None or self.subject.hr is None:
            return None
        return replace(self, sr=match_channels(self.reference, self.sr.shape[0]), lpips=None)

    def area(self, share: float) -> float:
        """Fewest LR pixels that hold this share of the map's mass."""
        return mass_area(self.result.map, share)

    @cached_property
    def radius(self) -> Radius:
        """Distance of the map's mass to the window, in LR pixels."""
        return mass_radius(self.result.map, self.result.window.on_lr(self.result.scale))

    @cached_property
    def signed_ratio(self) -> float:
        """``|Σ g| / Σ|g|`` of the map, in [0, 1]: how much of it is left where its signs meet."""
        return signed_ratio(self.result.map)

    @cached_property
    def summed_index(self) -> float:
        """The diffusion index of the map summed over squares of 5×5 LR pixels."""
        return summed_diffusion_index(self.result.map)

    @cached_property
    def far(self) -> Shares:
        """The map's part beyond ``FAR`` LR pixels of the window."""
        return shares_beyond(self.result.map, self.result.window.on_lr(self.result.scale), FAR)

    @cached_property
    def beyond_reach(self) -> Shares | None:
        """The map's part beyond the causal reach: what it shows, and no intervention finds."""
        if self.reach is None:
            return None
        return shares_beyond(self.result.map, self.result.window.on_lr(self.result.scale), self.reach.radius)

    @property
    def reach_far(self) -> ReachPoint | None:
        """What happens when everything beyond ``FAR`` LR pixels is replaced, by the fill that changes most."""
        return self.reach.beyond(FAR) if self.reach is not None else None

    @property
    def rings(self) -> tuple[Ring, ...]:
        """The map's shares by rings about the window."""
        return rings(self.result.map, self.result.window.on_lr(self.result.scale))

    @cached_property
    def attention_correlation(self) -> float | None:
        """Spearman's rank correlation of the map with the SRAM of its window; None where either has no ranks."""
        if self.attention is None or self.result.is_zero or np.ptp(self.attention.sram) == 0:
            return None
        return rank_correlation(self.result.map, self.attention.sram)

    @cached_property
    def within_reach(self) -> int | None:
        """LR pixels that can reach the window by the architecture; None where that is unknown."""
        if self.network is None or not self.network.receptive_field.known:
            return None
        top, left, bottom, right = theoretical_bounds(self.network, self.result.read_window, *self.result.lr_size)
        return (bottom - top) * (right - left)

    @property
    def place(self) -> tuple[int, int]:
        """First row and column of what was shown, in LR pixels of the whole picture."""
        part = self.subject.part if self.subject is not None else None
        return (part.top // self.result.scale, part.left // self.result.scale) if part is not None else (0, 0)

    @cached_property
    def window_texture(self) -> Texture | None:
        """Of the window in HR (in the reference where HR is not known); None where it is too small to have one."""
        return self._texture(0)

    @cached_property
    def around_texture(self) -> Texture | None:
        """Likewise of the window and its surroundings: ``SURROUNDINGS`` times its side."""
        window = self.result.window
        return self._texture((max(window.height, window.width) * (SURROUNDINGS - 1)) // 2)

    def _texture(self, margin: int) -> Texture | None:
        known = self.subject.hr if self.subject is not None else None
        picture = known if known is not None else self.reference
        if picture is None:
            return None
        grey = match_channels(picture, 1) if picture.shape[0] == 3 else picture.mean(dim=0, keepdim=True)
        part: Window = self.result.window.grown((margin,) * 4, *grey.shape[-2:])
        if min(part.height, part.width) < SMALLEST:
            return None
        return describe_texture(part.crop(grey[0]).double().numpy())


@dataclass(frozen=True, eq=False, repr=False)
class Explained(Measurable):
    """One network's part of a comparison or a study: a :class:`Measurable` with everything at hand."""

    network: NetworkFacts
    sr: Tensor
    subject: Subject
