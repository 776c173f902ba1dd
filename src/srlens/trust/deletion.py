"""Do the pixels that a map ranks first matter most? Deletion and insertion against three orders that know no map.

Deletion (Samek et al. 2017; Petsiuk et al. 2018): pixels are replaced in an order, and the window changes early where
the order is good. Insertion: all pixels are replaced, and restored in the order; the window comes back early where it
is good. Shares of pixels are logarithmic, since a window depends on few of many.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srlens.attribution.scene import Progress
from srlens.errors import NoEffectError, SettingError
from srlens.trust.fills import Fill, find_fill
from srlens.trust.intervention import Interventions
from srlens.trust.maps import counted
from srlens.trust.orders import Order

Kind = Literal["deletion", "insertion"]
#: What a curve tells: the change of the window's pixels, or that of the detector.
Quantity = Literal["window", "detector"]
#: The order of the map that is tested.
MAP = "map"
#: Where a partly replaced picture changes the window by so many times what replacing every pixel does, the network
#: diverges: PAN, whose layers multiply, has been seen to leave the value range ten-thousandfold.
DIVERGED = 10


@dataclass(frozen=True, eq=False)
class OrderCurve:
    """What becomes of the window as pixels are replaced (or restored) in one order.

    Attributes:
        order: its name; several curves of one name are draws of a random order.
        window: root mean square change of the window's SR pixels, divided by that of replacing every pixel; one value a
            number of pixels, read-only.
        detector: ``|D(F(I)) − D(F(I_S))|``, divided by that of replacing every pixel; likewise.
    """

    order: str
    window: NDArray[np.float64]
    detector: NDArray[np.float64]

    def __post_init__(self) -> None:
        for values in (self.window, self.detector):
            values.setflags(write=False)


@dataclass(frozen=True, eq=False)
class FillCurves:
    """The curves of one fill.

    Attributes:
        curves: one or more an order.
        whole_rmse: root mean square change of the window's SR pixels, on [0, 1], where every pixel is replaced.
        whole_detector: what the detector loses then, in its unit.
    """

    curves: tuple[OrderCurve, ...]
    whole_rmse: float
    whole_detector: float


@dataclass(frozen=True, eq=False)
class Deletion:
    """Curves of several orders, under several fills.

    An *area* is the mean of a curve over the logarithmic axis, from one pixel to all; a *gain* is the area between two
    curves, positive where the first order is the better one (deletion: its curve lies higher; insertion: lower). Its
    unit is the change that replacing every pixel makes: a gain of 0.1 means that, averaged over octaves of the number
    of pixels, the window has gone a tenth of its whole way further.

    Attributes:
        kind: ``"deletion"`` or ``"insertion"``.
        pixels: numbers of LR pixels replaced (restored), ascending from 1 to all.
        fills: by name; the first is the one that single numbers are of.
        passes: forward passes taken.
    """

    kind: Kind
    pixels: tuple[int, ...]
    fills: Mapping[str, FillCurves]
    passes: int

    @property
    def orders(self) -> tuple[str, ...]:
        """Names of the orders, as followed under the first fill."""
        return self._orders(None)

    def _orders(self, fill: str | None) -> tuple[str, ...]:
        return tuple(dict.fromkeys(curve.order for curve in self._curves(fill)))

    def curve(self, order: str = MAP, fill: str | None = None, quantity: Quantity = "window") -> NDArray[np.float64]:
        """The curve of an order under a fill (None: the first), the mean of its draws; one value a number of pixels.

        Raises:
            SettingError: there is no such order or fill.
        """
        found = [getattr(curve, quantity) for curve in self._curves(fill) if curve.order == order]
        if not found:
            raise SettingError(f"No order is called {order!r}; known: {', '.join(self.orders)}.")
        mean: NDArray[np.float64] = np.mean(found, axis=0)
        return mean

    def area(self, order: str = MAP, fill: str | None = None, quantity: Quantity = "window") -> float:
        """The mean of a curve over the logarithm of the number of pixels."""
        position = np.log2(self.pixels)
        return float(np.trapezoid(self.curve(order, fill, quantity), position) / position[-1])

    def gain(self, null: str, order: str = MAP, *, fill: str | None = None, quantity: Quantity = "window") -> float:
        """By how much an order is better than another one; see the class for the unit."""
        sign = 1 if self.kind == "deletion" else -1
        return sign * (self.area(order, fill, quantity) - self.area(null, fill, quantity))

    @property
    def gain_over_distance(self) -> float:
        """Of the map over the order of distance, under the first fill; above 0: better than "near"."""
        return self.gain("distance")

    @property
    def diverged(self) -> tuple[str, ...]:
        """Fills under which the network diverged: gains under them tell of that alone. See ``DIVERGED``."""
        return tuple(
            name for name, one in self.fills.items() if any(curve.window.max() > DIVERGED for curve in one.curves)
        )

    @property
    def fills_agree(self) -> bool:
        """Whether the gain over the order of distance has one sign under all fills."""
        return len({self.gain("distance", fill=fill) > 0 for fill in self.fills}) == 1

    def _curves(self, fill: str | None) -> tuple[OrderCurve, ...]:
        name = next(iter(self.fills)) if fill is None else fill
        if name not in self.fills:
            raise SettingError(f"No fill of this test is called {name!r}; known: {', '.join(self.fills)}.")
        return self.fills[name].curves

    def record(self) -> dict[str, Any]:
        """Plain values that JSON can hold."""
        return {
            "gain_over_distance": self.gain_over_distance,
            "fills_agree": self.fills_agree,
            "diverged": list(self.diverged),
            "pixels": list(self.pixels),
            "fills": {
                name: {
                    "whole_rmse": one.whole_rmse,
                    "whole_detector": one.whole_detector,
                    "gain_over_distance": {
                        order: {q: self.gain("distance", order, fill=name, quantity=q) for q in ("window", "detector")}
                        for order in self._orders(name)
                        if order != "distance"
                    },
                    "curves": [
                        {"order": c.order, "window": c.window.tolist(), "detector": c.detector.tolist()}
                        for c in one.curves
                    ],
                }
                for name, one in self.fills.items()
            },
            "passes": self.passes,
        }


def shares(pixels: int, ratio: float = 2) -> tuple[int, ...]:
    """Numbers of pixels from 1 to all, each about ``ratio`` times the one before."""
    counts = [1]
    while counts[-1] * ratio < pixels:
        counts.append(max(counts[-1] + 1, round(counts[-1] * ratio)))
    return (*counts, pixels) if counts[-1] < pixels else tuple(counts)


def deletion(
    interventions: Interventions,
    orders: Mapping[str, Sequence[Order]],
    fills: Sequence[str | Fill] = ("blur", "patches"),
    *,
    more: Mapping[str, Sequence[Order]] | None = None,
    kind: Kind = "deletion",
    ratio: float = 2,
    draw: int = 0,
    progress: Progress | None = None,
) -> Deletion:
    """Replace (or restore) pixels in several orders.

    Args:
        interventions: of the window.
        orders: by name, one or more each; see :mod:`srlens.trust.orders`. ``"map"`` and ``"distance"`` are those that
            :attr:`Deletion.gain_over_distance` is of.
        fills: names of :data:`srlens.trust.fills.FILLS`, or fills.
        more: further orders, followed under the first fill alone.
        kind: which of the two.
        ratio: of neighbouring numbers of pixels.
        draw: of fills that draw random numbers.
        progress: called with (images done, all of them).

    Raises:
        NoEffectError: replacing every pixel changes nothing: the network ignores its input.
        SettingError: no such fill.
    """
    image = interventions.image
    every = image[0].numel()
    counts, before = shares(every, ratio), interventions.passes
    found = {}
    count = sum(map(len, orders.values())) * len(fills) + sum(map(len, (more or {}).values()))
    tick = counted(progress, count * (len(counts) - 1))
    for number, fill in enumerate(map(find_fill, fills)):
        whole = interventions.effects([fill.replaced(image, torch.ones(image.shape[-2:], dtype=torch.bool), draw)])
        if whole.rmse[0] == 0 or whole.detector[0] == 0:
            raise NoEffectError(
                f"Replacing every pixel by the fill {fill.name!r} changes nothing that the detector sees in the "
                f"{interventions.window} of {interventions.network.name}: it ignores its input there, or the picture "
                "equals the fill. Choose a window with structure, or another fill."
            )
        followed = {**orders, **(more or {})} if number == 0 else orders
        named = [(name, order) for name, several in followed.items() for order in several]
        effects = interventions.effects(_replaced(image, fill, (o for _, o in named), counts[:-1], kind, draw, tick))
        ends = (1.0,) if kind == "deletion" else (0.0,)
        curves = []
        for k, (name, _) in enumerate(named):
            part = slice(k * (len(counts) - 1), (k + 1) * (len(counts) - 1))
            detector = np.abs(effects.detector[part]) / abs(whole.detector[0])
            curves.append(
                OrderCurve(name, np.append(effects.rmse[part] / whole.rmse[0], ends), np.append(detector, ends))
            )
        found[fill.name] = FillCurves(tuple(curves), float(whole.rmse[0]), float(whole.detector[0]))
    return Deletion(kind, counts, found, interventions.passes - before)


def _replaced(
    image: Tensor,
    fill: Fill,
    orders: Iterator[Order],
    counts: Sequence[int],
    kind: Kind,
    draw: int,
    tick: Callable[[], None],
) -> Iterator[Tensor]:
    for order in orders:
        for count in counts:
            where = torch.zeros(image[0].numel(), dtype=torch.bool)
            where[torch.from_numpy(order[:count])] = True
            tick()
            yield fill.replaced(image, (where if kind == "deletion" else ~where).view(image.shape[-2:]), draw)
