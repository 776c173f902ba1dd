"""Whether diffusion indices may be put side by side."""

import warnings
from collections.abc import Sequence

from srlens.attribution.result import Attribution
from srlens.errors import IncomparableWarning


def check_comparable(results: Sequence[Attribution]) -> bool:
    """Warn where the diffusion indices of these results depend on more than networks, images and windows.

    The Gini coefficient counts the pixels where nothing happens: the same map in a larger LR image has a smaller
    index. So indices of different LR sizes cannot be compared, nor one with the authors' shift with one without;
    effective pixels and areas can.

    Returns:
        Whether they can be compared.

    Warns:
        IncomparableWarning: LR sizes differ, or some indices are shifted and others are not.
    """
    reasons = []
    sizes = sorted({result.lr_size for result in results})
    if len(sizes) > 1:
        listed = ", ".join(f"{height}×{width}" for height, width in sizes)
        reasons.append(
            f"The diffusion index depends on the LR size, and these results are of {listed} LR pixels. Compare "
            "effective pixels or areas instead, or crop the images to one size."
        )
    if len({result.method.shifted_index for result in results}) > 1:
        reasons.append(
            "Some diffusion indices have the authors' shift of 1e-7 per pixel (paper preset) and others are exact. "
            "Use one preset for all."
        )
    for reason in reasons:
        warnings.warn(reason, IncomparableWarning, stacklevel=3)
    return not reasons
