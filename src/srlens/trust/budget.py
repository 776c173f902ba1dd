"""How much of each test is made: a ladder of plans, and what each costs in forward passes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from srlens.attribution.method import Method
from srlens.attribution.result import Attribution
from srlens.errors import SettingError
from srlens.naming import look_up
from srlens.trust.deletion import shares
from srlens.trust.fills import Fill
from srlens.trust.maps import GRADIENT, passes_of
from srlens.trust.reach import REACH_FILLS, expected_passes

#: Blocks, about, of the occlusion map that is compared with others.
_OCCLUSION_BLOCKS = 64


@dataclass(frozen=True)
class Plan:
    """How much of each test is made.

    Attributes:
        steps: nodes of each map that is compared with others, where the method has nodes.
        stages: of randomisation.
        noise: draws of noise.
        shifts: windows aside.
        precision: whether a map in the other precision is made.
        ratio: of neighbouring numbers of pixels in deletion and insertion.
        random_orders: draws of the random order.
        full_insertion: whether insertion is made under every fill and against every order; else under the first fill
            and against the order of distance.
        sets: of infidelity.
        methods: that are compared with the given one.
        judged: whether their deletion curves are made too.
        all_reach_fills: whether reach is taken under every fill of its own, else under those of deletion.
        nearer: whether reach also has its reverse curve.
    """

    steps: int
    stages: int
    noise: int
    shifts: int
    precision: bool
    ratio: float
    random_orders: int
    full_insertion: bool
    sets: int
    methods: tuple[str, ...]
    judged: bool
    all_reach_fills: bool
    nearer: bool

    def reach_fills(
        self, fills: Sequence[str | Fill], given: Sequence[str | Fill] | None = None
    ) -> Sequence[str | Fill]:
        """The fills of reach: those given, or else as the plan has it."""
        return given if given is not None else REACH_FILLS if self.all_reach_fills else fills

    def cost(
        self, result: Attribution, fills: Sequence[str | Fill], reach_fills: Sequence[str | Fill] | None = None
    ) -> int:
        """Forward passes that the tests of a map take, with the map's own: at most, where the receptive field is local.

        Args:
            result: the map.
            fills: of deletion.
            reach_fills: of reach, where they are given.
        """
        height, width = result.lr_size
        of_map = self.steps * GRADIENT if "steps" in result.method.to_record() else passes_of(result)
        shared = 1 if result.method.algorithm.by_values else GRADIENT + (GRADIENT - 1) * self.shifts
        others = [one for one in self.methods if one != result.method.name]
        points = len(shares(height * width, self.ratio)) - 1
        of_reach = expected_passes(max(height, width), nearer=self.nearer)
        nulls = 1 + self.random_orders
        deletions = points * (2 * len(fills) + nulls + len(others) * self.judged) + len(fills)
        insertions = points * (2 * len(fills) + nulls) + len(fills) if self.full_insertion else points * 2 + 1
        return sum(
            (
                passes_of(result),
                of_reach * len(self.reach_fills(fills, reach_fills)),
                of_map * shared // GRADIENT + (self.noise + self.precision) * of_map,
                (self.stages + 1) * of_map,
                sum(method_passes(one, self.steps, height, width) for one in others),
                deletions + insertions,
                self.sets,
            )
        )


_GRADIENTS = ("gradient", "gradient-input")
_METHODS = ("lam", "linear-blur", "ig-black", *_GRADIENTS, "occlusion")
_FULL: dict[str, Any] = dict.fromkeys(("precision", "full_insertion", "judged", "all_reach_fills"), True)
_FULL["methods"] = _METHODS


def _plan(
    steps: int, ratio: float, sets: int, *, stages: int = 5, noise: int, shifts: int, orders: int, **more: Any
) -> Plan:
    usual = dict.fromkeys(("precision", "full_insertion", "judged", "all_reach_fills", "nearer"), False)
    known = {"stages": stages, "noise": noise, "shifts": shifts, "random_orders": orders, "methods": ("gradient",)}
    return Plan(**{**usual, "steps": steps, "ratio": ratio, "sets": sets, **known, **more})


#: From the least to the most.
PLANS: tuple[Plan, ...] = (
    _plan(2, 16, 8, stages=1, noise=1, shifts=1, orders=1),
    _plan(4, 4, 48, stages=3, noise=2, shifts=2, orders=1, methods=_METHODS[:-1], full_insertion=True),
    _plan(6, 2, 64, noise=2, shifts=4, orders=2, **_FULL),
    _plan(12, 2, 256, noise=4, shifts=4, orders=4, nearer=True, **_FULL),
    _plan(24, 2**0.5, 1024, noise=8, shifts=4, orders=8, nearer=True, **_FULL),
)
#: Budgets that have a name.
NAMED: dict[str, Plan] = dict(zip(("quick", "short", "default", "long", "thorough"), PLANS, strict=True))


def find_plan(
    budget: str | int, result: Attribution, fills: Sequence[str | Fill], reach_fills: Sequence[str | Fill] | None = None
) -> Plan:
    """The plan of that name, or the largest one that a number of forward passes pays for.

    Args:
        budget: a name of :data:`NAMED`, or forward passes, those of the map included.
        result: the map to be tested.
        fills: of deletion.
        reach_fills: of reach; None: as the plan has it.

    Raises:
        SettingError: no such name, or too few passes for any plan.
    """
    if isinstance(budget, str) and not budget.isdigit():
        return look_up("budget", budget, NAMED, " Or a number of forward passes.")
    costs = [plan.cost(result, fills, reach_fills) for plan in PLANS]
    paid = [plan for plan, cost in zip(PLANS, costs, strict=True) if cost <= int(budget)]
    if not paid:
        raise SettingError(
            f"A budget of {budget} forward passes is too small: the map itself took {passes_of(result)}, and the least "
            f"of all tests takes {costs[0]} with it. Give at least that, or fewer fills."
        )
    return paid[-1]


def compared_method(name: str, detector: Method, steps: int, height: int, width: int) -> Method:
    """A method of that name, with the detector of another and as cheap as tests want it."""
    method = Method(name, detector=detector.detector)
    if getattr(method.algorithm, "tolerance", None) is not None:
        return method.but(steps=steps)
    return method.but(block=occlusion_block(height, width)) if name == "occlusion" else method


def occlusion_block(height: int, width: int) -> int:
    """Side of blocks in LR pixels, at least 4, of which about 64 cover the picture."""
    return min(max(4, round(math.sqrt(height * width / _OCCLUSION_BLOCKS))), height, width)


def method_passes(name: str, steps: int, height: int, width: int) -> int:
    """Forward passes that a compared method takes, about."""
    if name == "occlusion":
        block = occlusion_block(height, width)
        return -(-height // block) * -(-width // block) + GRADIENT
    return GRADIENT * (1 if name in _GRADIENTS else steps)


def others_of(plan: Plan, method: Method, chosen: Sequence[str] | None) -> tuple[str, ...]:
    """The methods that are compared with one."""
    return tuple(name for name in (plan.methods if chosen is None else chosen) if name != method.name)
