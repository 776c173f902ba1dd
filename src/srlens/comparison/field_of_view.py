"""How far a network could look, does look on average, and looked at one hard window: finding 3 of the paper."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike
from torch import Tensor

from srlens.attribution.result import Attribution
from srlens.attribution.scene import Progress
from srlens.comparison.comparable import common_scale
from srlens.comparison.compare import explain
from srlens.comparison.crop import crop_around
from srlens.comparison.effective import (
    EffectiveField,
    central_window,
    centre_distance,
    crops,
    effective_receptive_field,
    energy_radius,
)
from srlens.comparison.explained import Measurable
from srlens.comparison.hard_window import hardest_window
from srlens.comparison.measures import measured
from srlens.comparison.subject import Subject
from srlens.comparison.support import GradientSupport, gradient_support
from srlens.comparison.table import known_columns
from srlens.errors import SettingError
from srlens.imaging.terms import worded
from srlens.imaging.window import Window
from srlens.networks.facts import NetworkFacts
from srlens.networks.network import Network
from srlens.shown import Shown

if TYPE_CHECKING:
    import polars

#: LR pixels a side of what a network is shown, and over how many places gradients are averaged, by default.
SIDE, PLACES = 48, 16

_LAM_SHARE = 0.95


@dataclass(frozen=True, eq=False, repr=False)
class FieldOfView(Shown):
    """One network's fields, all about the window's centre and in LR pixels of one size of image.

    Attributes:
        network: whose.
        side: of the LR images, in pixels.
        support: which LR pixels the gradient of the central LR pixel's SR window reaches at all.
        effective: mean gradient magnitude over the places.
        explained: the local attribution map of a hard window, and what it is of.
        lam_radius: of the disc about the window's centre that holds 95 % of the map, in LR pixels.
    """

    network: NetworkFacts
    side: int
    support: GradientSupport
    effective: EffectiveField
    explained: Measurable
    lam_radius: float

    @property
    def summary(self) -> str:
        """What it is, in one line."""
        height, width = self.support_size
        scale, field = self.network.scale, self.network.receptive_field
        size, radius = worded(f"LR {self.side}×{self.side}", scale), worded(f"{self.lam_radius:.1f} LR pixels", scale)
        return (
            f"{self.network.name}, {size}: receptive field {field.in_words(scale)}, support {height}×{width}, 95 % of "
            f"the map within {radius}"
        )

    @property
    def attribution(self) -> Attribution:
        """Local attribution map of the hard window."""
        return self.explained.result

    @property
    def lam_area(self) -> float:
        """The fewest LR pixels that hold 95 % of the map."""
        return self.explained.area(_LAM_SHARE)

    @property
    def lam_share(self) -> float | None:
        """Of the LR pixels that can reach the hard window by the architecture, the share that holds 95 % of the map."""
        within = self.explained.within_reach
        return self.lam_area / within if within else None

    @property
    def support_size(self) -> tuple[int, int]:
        """Height and width of the support, in LR pixels; at most those of the image."""
        top, left, bottom, right = self.support.bounds
        return bottom - top, right - left

    def record(self) -> dict[str, Any]:
        """Numbers and conditions, flat: one row of a table, with every measure of the map."""
        effective = self.effective
        height, width = self.support_size
        return {
            **measured(self.explained),
            "receptive_field_paper": self.network.receptive_field.paper,
            "support_height": height,
            "support_width": width,
            "support_pixels": self.support.pixels,
            "effective_sigma": effective.sigma,
            "effective_fit_error": effective.fit_error,
            **{f"effective_radius{share * 100:.0f}": radius for share, radius in effective.radii.items()},
            "lam_radius95": self.lam_radius,
            "places": effective.images,
        }


def fields_of_view(
    networks: Sequence[Network],
    subjects: Sequence[Subject | Tensor | ArrayLike],
    *,
    side: int = SIDE,
    places: int = PLACES,
    window_size: int = 16,
    draws: int = 3,
    reach: bool | None = None,
    progress: Callable[[str], Progress] | None = None,
    **settings: Any,
) -> list[FieldOfView]:
    """Measure each network's fields on the same places and at the same hard window.

    The places are squares cut from the pictures at random. The hard window is the hardest one of all pictures for
    these networks together (lowest mean PSNR, or farthest from doing nothing where HR is not known), shown in the
    square of the same side around it.

    Args:
        networks: all of one scale.
        subjects: the pictures; LR images, C×h×w in [0, 1], will do.
        side: of the squares, in LR pixels.
        places: how many, over all pictures.
        window_size: side of the hard window, in SR pixels.
        draws: random images for the gradient support.
        reach: as for :func:`srlens.compare`, at the hard window.
        progress: gives a progress callback for what is being done.
        **settings: of :func:`srlens.attribute`.

    Raises:
        SettingError: no network or picture, networks of different scales, or a number below 1.
        ImageTooSmallError: a picture is smaller than the square, or the square too small for the window.
        WindowError, NotDifferentiableError, NotFiniteError, ZeroMapError: as :func:`srlens.attribute`.
    """
    scale = common_scale(networks, "a field of view")
    if not subjects:
        raise SettingError("A field of view needs at least one picture.")
    if places < 1:
        raise SettingError(f"places (={places}) must be at least 1.")
    given = [Subject.of(subject, scale) for subject in subjects]
    networks = [given[0].told(network) for network in networks]
    squares = _squares([subject.lr for subject in given], side, places)
    hard, window = _hardest(networks, given, window_size, side)
    centre = central_window(side, side, scale, scale)
    fields = []
    for network in networks:

        def steps(what: str, network: Network = network) -> Progress | None:
            return progress(f"{network.name}: {what}") if progress is not None else None

        support = gradient_support(network, centre, side, side, draws=draws, progress=steps("support"))
        effective = effective_receptive_field(network, squares, progress=steps("effective field"))
        explained = explain(network, hard, window, reach=reach, progress=steps, **settings)
        distance = centre_distance(window, scale, side, side)
        radius = energy_radius(explained.result.absolute, distance, _LAM_SHARE)
        fields.append(FieldOfView(explained.network, side, support, effective, explained, radius))
    return fields


def to_frame(fields: Sequence[FieldOfView]) -> "polars.DataFrame":
    """One row a network, without the columns that no network has."""
    return known_columns([field.record() for field in fields])


def _squares(images: Sequence[Any], side: int, places: int) -> list[Any]:
    """Spread the places evenly over the pictures; the first ones take what is left over."""
    share, rest = divmod(places, len(images))
    counts = [share + (number < rest) for number in range(len(images))]
    return [
        square
        for seed, (image, count) in enumerate(zip(images, counts, strict=True))
        if count
        for square in crops(image, side, count, seed=seed)
    ]


def _hardest(networks: Sequence[Network], subjects: Sequence[Subject], size: int, side: int) -> tuple[Subject, Window]:
    found = [
        (hardest_window([network.upscale(subject.lr) for network in networks], subject, size=size), subject)
        for subject in subjects
    ]
    best, subject = min(found, key=lambda entry: entry[0].psnr)
    return crop_around(subject, best.window, networks[0].scale, side)
