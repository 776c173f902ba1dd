"""The verb: all tests of the map of one window."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from srlens.attribution.explainer import Explainer
from srlens.attribution.method import Method, as_method
from srlens.attribution.result import Attribution
from srlens.attribution.scene import Progress
from srlens.imaging.check import check_image
from srlens.imaging.window import Window
from srlens.networks.network import Network
from srlens.trust.agreement import Agreement, agreement_matrix
from srlens.trust.budget import Plan, compared_method, find_plan, others_of
from srlens.trust.deletion import MAP, deletion
from srlens.trust.fills import Fill
from srlens.trust.infidelity import infidelity
from srlens.trust.intervention import Interventions
from srlens.trust.maps import maps_of, passes_of, with_steps
from srlens.trust.orders import Order, contrast_order, distance_order, map_order, random_order
from srlens.trust.randomisation import randomisation
from srlens.trust.reach import measure_reach
from srlens.trust.stability import stability
from srlens.trust.verification import Verification

#: Fills of deletion and insertion, which differ in kind: without detail, and with the detail of other pictures.
DELETION_FILLS = ("blur", "patches")


def verify(
    network: Network,
    image: Tensor | ArrayLike,
    window: Window,
    clean: Tensor | ArrayLike | None = None,
    method: str | Method = "lam",
    *,
    fills: Sequence[str | Fill] = DELETION_FILLS,
    reach_fills: Sequence[str | Fill] | None = None,
    methods: Sequence[str] | None = None,
    budget: str | int = "default",
    seed: int = 0,
    memory: int | None = None,
    regional: bool = True,
    progress: Callable[[str], Progress] | None = None,
    **settings: Any,
) -> Verification:
    """Test the map of one window by interventions, against orders that know no map, and against random networks.

    Args:
        network: what is explained.
        image: the LR image, C×h×w in [0, 1], tensor or array.
        window: in SR pixels.
        clean: the ground truth, C×sh×sw in [0, 1]: the change of the window's PSNR is then told.
        method: the one whose map is tested: a name of :data:`srlens.METHODS`, or a :class:`srlens.Method`.
        fills: of deletion and insertion, at least one; the first is the one that single numbers are of, and the orders
            of contrast and chance, and those of other methods, are followed under it alone.
        reach_fills: of the causal reach; None: blur, mean and patches, or ``fills`` where the budget is quick.
        methods: names of those whose maps are compared with it; None: as the budget has it.
        budget: ``"quick"``, ``"default"``, or a number of forward passes: the largest plan of all tests that it
            pays for is taken. A gradient counts as three; the map itself is made to its own tolerance in any case.
        seed: of everything that is drawn: sets, orders, noise, weights, patches.
        memory: see :class:`srlens.Explainer`.
        regional: evaluate the network only where the window needs it, where that is proven to give the same.
        progress: gives a progress callback for the name of a test.
        **settings: of the method, see :func:`srlens.attribute`.

    Raises:
        NoEffectError: nothing that is replaced changes the window: the network ignores its input.
        ZeroMapError: the map is zero everywhere.
        SettingError: a fill, method or budget that there is not, a budget that is too small, no weights to re-draw.
        WindowError, ImageError, ImageTooSmallError, ChannelError: something given cannot be used.
        NotDifferentiableError, NotFiniteError, OutOfMemoryError: the evaluation failed.
    """
    chosen = as_method(method, settings)
    told = progress if progress is not None else _silent
    picture = check_image(image).double()
    given: dict[str, Any] = {"clean": clean, "memory": memory}
    result = Explainer(network, picture, chosen, regional=regional, **given).window(window, progress=told("map"))
    made = Interventions(network, picture, window, detector=chosen.detector, regional=regional, **given)
    plan = find_plan(budget, result, fills, reach_fills)
    reached = measure_reach(made, fills=plan.reach_fills(fills, reach_fills), nearer=plan.nearer)
    tested = with_steps(chosen, plan.steps)
    steady = stability(
        network, picture, window, tested,
        draws=plan.noise, shifts=plan.shifts, precision=plan.precision, seed=seed, progress=told("stability"), **given,
    )  # fmt: skip
    randomised = randomisation(
        network, picture, steady.base, tested,
        stages=plan.stages, seed=seed, progress=told("randomisation"), **given,
    )  # fmt: skip
    others = _other_maps(network, picture, window, chosen, plan, methods, told("other methods"), **given)
    orders = _orders(result)
    nulls = _nulls(made, plan, seed)
    judged = {one.method.name: [map_order(one.map)] for one in others if plan.judged and not one.is_zero}
    common: dict[str, Any] = {"ratio": plan.ratio, "draw": seed}
    deleted = deletion(made, orders, fills, more={**nulls, **judged}, progress=told("deletion"), **common)
    back: dict[str, Any] = {"fills": fills, "more": nulls} if plan.full_insertion else {"fills": fills[:1]}
    inserted = deletion(made, orders, kind="insertion", progress=told("insertion"), **back, **common)
    added, *added_others = infidelity(made, [result, *others], sets=plan.sets, seed=seed, progress=told("infidelity"))
    gains = [deleted.gain("distance", one.method.name) if one.method.name in judged else None for one in others]
    agreed = Agreement(
        methods=tuple(one.method.name for one in (result, *others)),
        matrix=agreement_matrix([result, *others]),
        diffusion_index=tuple(None if one.is_zero else one.diffusion_index for one in (result, *others)),
        gain_over_distance=(deleted.gain_over_distance, *gains),
        infidelity_correlation=tuple(one.correlation for one in (added, *added_others)),
    )
    passes = made.passes + passes_of(result) + steady.passes + randomised.passes + sum(map(passes_of, others))
    return Verification(
        result,
        reached,
        _beyond(result, made.distance),
        deleted,
        inserted,
        added,
        randomised,
        steady,
        agreed,
        plan,
        passes,
    )


def _silent(_: str) -> Progress:
    return lambda *_: None


def _orders(result: Attribution) -> dict[str, Sequence[Order]]:
    height, width = result.lr_size
    return {MAP: [map_order(result.map)], "distance": [distance_order(result.window, result.scale, height, width)]}


def _nulls(made: Interventions, plan: Plan, seed: int) -> dict[str, Sequence[Order]]:
    return {
        "contrast": [contrast_order(made.image)],
        "random": [random_order(made.image[0].numel(), seed + k) for k in range(plan.random_orders)],
    }


def _other_maps(
    network: Network,
    image: Tensor,
    window: Window,
    method: Method,
    plan: Plan,
    methods: Sequence[str] | None,
    progress: Progress,
    **given: Any,
) -> list[Attribution]:
    names, found = others_of(plan, method, methods), []
    for done, name in enumerate(names, start=1):
        other = compared_method(name, method, plan.steps, *image.shape[-2:])
        found += maps_of(network, image, [window], other, **given)
        progress(done, len(names))
    return found


def _beyond(result: Attribution, distance: NDArray[np.int64]) -> NDArray[np.float64]:
    """Share of the absolute map farther than 0, 1, 2, … LR pixels."""
    by_ring = np.bincount(distance.ravel(), weights=result.absolute.ravel())
    share: NDArray[np.float64] = 1 - np.cumsum(by_ring) / by_ring.sum()
    return np.clip(share, 0, 1)
