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
from srlens.trust.infidelity import infidelity
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
            See :class:`srlens.trust.deletion.Deletion`. The map's own method is not among them.
        correlation: of sums of the map over random sets with the effects of replacing them (infidelity); None where
            there is none.
        slope: likewise; 1 for a map that adds up.
        passes: images that the network was shown, without the maps of other methods.
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
    result: Attribution,
    *,
    clean: Tensor | ArrayLike | None = None,
    rivals: Sequence[str] = RIVALS,
    memory: int | None = None,
    regional: bool = True,
) -> Faithfulness:
    """Test a map against the order of distance and the maps of rivals: about 160 forward passes, and a map each.

    Args:
        network: whose map it is.
        image: the LR image, C×h×w in [0, 1].
        result: the map.
        clean: the ground truth, where the detector reads it.
        rivals: methods whose maps' order is followed as well.
        memory: see :class:`srlens.Explainer`.
        regional: evaluate the network only where the window needs it.

    Raises:
        NoEffectError: replacing every pixel changes nothing: the network ignores its input.
        ZeroMapError: the map is zero everywhere.
        NotDifferentiableError, NotFiniteError, OutOfMemoryError: the evaluation failed.
    """
    made = Interventions(
        network, image, result.window, clean=clean, detector=result.method.detector, memory=memory, regional=regional
    )
    orders: dict[str, list[Order]] = {
        MAP: [map_order(result.map)],
        "distance": [distance_order(result.window, result.scale, *made.image.shape[-2:])],
    }
    for name in rivals:
        if name != result.method.name and name in METHODS:
            method = with_steps(Method(name, detector=result.method.detector), _STEPS)
            (rival,) = maps_of(network, made.image, [result.window], method, clean=clean, memory=memory)
            orders |= {} if rival.is_zero else {name: [map_order(rival.map)]}
    deleted = deletion(made, orders, FAITHFULNESS_FILLS)
    (added,) = infidelity(made, [result], sets=_SETS)
    others = [order for order in orders if order != MAP]
    gains = {fill: {order: deleted.gain(order, fill=fill) for order in others} for fill in deleted.fills}
    return Faithfulness(gains, added.correlation, added.slope, made.passes)
