"""Whether a result can be believed: rounding, networks that change between calls, zero maps, sums that do not fit."""

import warnings
from dataclasses import replace
from math import hypot

import numpy as np
import torch
from torch import Tensor

from srlens.attribution.evaluator import HALF
from srlens.attribution.method import Method
from srlens.attribution.result import Attribution
from srlens.attribution.scene import Algorithm, Explanation
from srlens.attribution.windows import Windows
from srlens.errors import (
    IncompleteWarning,
    NotDifferentiableError,
    ToleranceWarning,
    UnsteadyNetworkWarning,
    ZeroMapError,
)
from srlens.measures.concentration import absolute_map
from srlens.networks.network import Network

# A blurred flat image differs from itself by rounding, about 1e-16; one level of a 16-bit image is 1.5e-5.
_NO_DIFFERENCE = 1e-12
_STEADY = 1e-4, 1e-2  # relative difference of two calls at one picture that kernels may make; in half precision
_FAR_FROM_COMPLETE = 0.5  # a gap of so much means that the map explains something else
_CANCELS = 0.05  # of the sum of the absolute map: less is no gap to speak of where the change itself cancels
_ROUNDING_MAY_MATTER = 0.01  # in float32 it makes 2e-3 at most in a gradient (RLFN)


def flag_unsteady(found: Explanation, network: Network, values: Tensor, again: Tensor) -> Explanation:
    """The same, said to be no map of one function where the network gives other values at a second call."""
    differences = (values - again).abs() - _STEADY[network.dtype in HALF] * values.abs()
    if not (differences > 0).any():
        return found
    k = int(differences.argmax())
    warnings.warn(
        f"{network.name} gives other values each time at one picture (detector {float(values[k]):.6g}, then "
        f"{float(again[k]):.6g}): it draws random numbers, or keeps a state between calls. What is integrated is "
        "no one function. seed=0 draws the same numbers at each call; a state must be reset, forward=.",
        UnsteadyNetworkWarning,
        stacklevel=4,
    )
    return replace(found, converged=False)


def with_rounding(found: Explanation, network: Network, scene: Windows, algorithm: Algorithm) -> Explanation:
    """With the error that rounding makes in the maps, where it may matter: nodes round independently."""
    errors, half = found.errors or (), network.dtype in HALF
    least = min((error for error in errors if error is not None), default=1.0)
    if not half and (least > _ROUNDING_MAY_MATTER or network.dtype == torch.float64):
        return found
    middle = scene.image if found.baseline is None else (scene.image + found.baseline) / 2
    share = 1 if half else scene.evaluations**-0.5
    rounding = [share * float(one) for one in scene.evaluator.rounding(middle[None])]
    tolerance = getattr(algorithm, "tolerance", None)
    reached = tolerance is None or max(rounding) <= tolerance
    if not reached:
        warnings.warn(
            f"Rounding in {str(network.dtype).removeprefix('torch.')} alone makes an error of about "
            f"{max(rounding):.2g} in the map of {network.name}, above the tolerance of {tolerance:g}. Compute "
            "in a wider type: network.to(dtype=torch.float64).",
            ToleranceWarning,
            stacklevel=4,
        )
    told = tuple(None if one is None else hypot(one, more) for one, more in zip(errors, rounding, strict=True))
    return replace(found, errors=told, converged=found.converged and reached)


def check_not_zero(found: Explanation, name: str, image: Tensor, values: Tensor, method: Method) -> None:
    """A zero map is an error here, not a black picture later."""
    if found.baseline is not None and float((image - found.baseline).abs().max()) <= _NO_DIFFERENCE:
        raise ZeroMapError(
            f"The LR image equals the baseline of {method!r}, so its map is zero everywhere. The image is "
            "flat; choose one with structure, or another path."
        )
    if (
        len(values) == 2
        and not found.maps.any()
        and abs(float(values[0] - values[1])) > 1e-6 * float(values.abs().max())
    ):
        raise NotDifferentiableError(
            f"Every gradient of {name} is zero, though the detector changes from {float(values[1]):g} to "
            f"{float(values[0]):g} along the path: the module rounds or thresholds its values. Remove that step."
        )
    absolute_map(found.maps[0].numpy())


def check_complete(result: Attribution) -> None:
    """Too few nodes, or a gradient that is not that of the detector, may show themselves here alone."""
    change, total = result.detector_change, float(result.map.sum())
    if change is not None and abs(total - change) > max(
        _FAR_FROM_COMPLETE * abs(change), _CANCELS * float(np.abs(result.map).sum())
    ):
        warnings.warn(
            f"{result.network}: the map sums to {total:.3g}, the detector changes by {change:.3g}; a completeness gap "
            f"of {result.completeness_gap:.0%} (at most {_FAR_FROM_COMPLETE:.0%} is taken in silence) after "
            f"{result.evaluations} evaluations. Take more steps, or a tolerance in their place, which tells whether it "
            "can be closed; if not, do not use this map.",
            IncompleteWarning,
            stacklevel=5,
        )
