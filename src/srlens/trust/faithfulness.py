"""Is one map more faithful than others: the numbers that a study holds of every window, from a few tests of its map."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from numpy.typing import ArrayLike
from torch import Tensor

from srlens.attribution.method import METHODS, Method
from srlens.attribution.result import Attribution
from srlens.networks.network import Network
from srlens.trust.deletion import MAP, deletion
from srlens.trust.infidelity import Infidelity, fill_of, infidelity
from srlens.trust.intervention import Interventions
from srlens.trust.maps import maps_of, with_steps
from srlens.trust.orders import Order, distance_order, map_order

#: Fills of the deletion, of which gains are the mean: one without detail, one of other pictures.
FAITHFULNESS_FILLS = ("blur", "patches")
#: Methods whose maps' order is followed beside that of the map.
RIVALS = ("gradient", "ig-black")

_STEPS, _SETS = 12, 64  # nodes of a rival's path; random sets of blocks


@dataclass(frozen=True)
class Faithfulness:
    """By how much pixels in the map's order change the window earlier than in other orders.

    Attributes:
        gains: by fill and then by the other order (``"distance"``, ``"gradient"``, ``"ig-black"``): the area between
            the deletion curves, in shares of the change that replacing every pixel makes; above 0: the map is better.
            See :class:`srlens.trust.deletion.Deletion`. The map's own method is not among them, nor is a fill under
            which the network diverged.
        correlation: of sums of the map over random sets with the effects of replacing them (infidelity); None where
            there is none.
        slope: likewise; 1 for a map that adds up.
        passes: images that the network was shown, for all maps tested together, without the maps of other methods.
    """

    gains: Mapping[str, Mapping[str, float]]
    correlation: float | None
    slope: float | None
    passes: int

    def __post_init__(self) -> None:
        frozen = {fill: MappingProxyType(dict(gains)) for fill, gains in self.gains.items()}
        object.__setattr__(self, "gains", MappingProxyType(frozen))

    def over(self, order: str) -> float | None:
        """The gain over another order, mean of the fills; None where that order was not followed."""
        known = [gains[order] for gains in self.gains.values() if order in gains]
        return sum(known) / len(known) if known else None

    def agree(self, order: str) -> bool | None:
        """Whether the fills give that gain one sign; None where that order was not followed."""
        signs = {gains[order] > 0 for gains in self.gains.values() if order in gains}
        return len(signs) == 1 if signs else None


def faithfulness(
    network: Network,
    image: Tensor | ArrayLike,
    results: Sequence[Attribution],
    *,
    clean: Tensor | ArrayLike | None = None,
    rivals: Sequence[str] = RIVALS,
    memory: int | None = None,
    regional: bool = True,
) -> tuple[Faithfulness, ...]:
    """Test maps of one window against the order of distance and the maps of rivals.

    The order of distance (26 forward passes at LR 64×64), a map of each rival with its order, and for maps of one
    baseline the sets of infidelity (64) are computed once for all; each map's own order costs 26 passes more.

    Args:
        network: whose maps they are.
        image: the LR image, C×h×w in [0, 1].
        results: maps of one window with one detector.
        clean: the ground truth, where the detector reads it.
        rivals: methods whose maps' order is followed as well.
        memory: see :class:`srlens.Explainer`.
        regional: evaluate the network only where the window needs it.

    Returns:
        One a map.

    Raises:
        NoEffectError: replacing every pixel changes nothing: the network ignores its input.
        ZeroMapError: a map is zero everywhere.
        NotDifferentiableError, NotFiniteError, OutOfMemoryError: the evaluation failed.
    """
    first = results[0]
    made = Interventions(
        network, image, first.window, clean=clean, detector=first.method.detector, memory=memory, regional=regional
    )
    maps = [f"{MAP} {number}" for number in range(len(results))]
    orders: dict[str, list[Order]] = {
        **{name: [map_order(result.map)] for name, result in zip(maps, results, strict=True)},
        "distance": [distance_order(first.window, first.scale, *made.image.shape[-2:])],
    }
    for name in rivals:
        if name in METHODS and any(name != result.method.name for result in results):
            method = with_steps(Method(name, detector=first.method.detector), _STEPS)
            (rival,) = maps_of(network, made.image, [first.window], method, clean=clean, memory=memory)
            orders |= {} if rival.is_zero else {name: [map_order(rival.map)]}
    deleted = deletion(made, orders, FAITHFULNESS_FILLS)
    usable = [fill for fill in deleted.fills if fill not in deleted.diverged]
    added: dict[int, Infidelity] = {}
    for fill in dict.fromkeys(map(fill_of, results)):  # each map is held against what its own path takes away
        alike = [k for k, result in enumerate(results) if fill_of(result) == fill]
        found = infidelity(made, [results[k] for k in alike], sets=_SETS, fill=fill)
        added |= dict(zip(alike, found, strict=True))

    def gains(number: int, fill: str) -> dict[str, float]:
        others = (order for order in orders if order not in (*maps, results[number].method.name))
        return {order: deleted.gain(order, maps[number], fill=fill) for order in others}

    return tuple(
        Faithfulness({fill: gains(k, fill) for fill in usable}, one.correlation, one.slope, made.passes)
        for k, one in sorted(added.items())
    )
