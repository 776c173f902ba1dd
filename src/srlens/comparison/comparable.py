"""Whether networks and their diffusion indices may be put side by side."""

import warnings
from collections.abc import Sequence

from srlens.attribution.result import Attribution
from srlens.errors import IncomparableWarning, SettingError
from srlens.networks.network import Network, check_networks


def common_scale(networks: Sequence[Network], purpose: str, *, named: bool = True) -> int:
    """The scale that all networks share, in SR pixels per LR pixel; ``purpose`` ("a comparison") needs it.

    Raises:
        SettingError: no network, networks of different scales, or, where results are ``named`` by them, two of one
            name.
    """
    check_networks(networks)
    scales = sorted({network.scale for network in networks})
    if not scales:
        raise SettingError(f"Give at least one network; {purpose} needs one.")
    if len(scales) > 1:
        raise SettingError(
            f"The networks have scales {', '.join(map(str, scales))}; {purpose} needs one scale. "
            "Leave some out, or choose the scale of a multi-scale file with --scale."
        )
    names = [network.name for network in networks]
    if named and (doubles := sorted({name for name in names if names.count(name) > 1})):
        raise SettingError(f"Two networks are called {', '.join(doubles)}; files and rows go by name. Rename one.")
    return scales[0]


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
