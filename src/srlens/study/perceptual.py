"""LPIPS (Zhang et al., CVPR 2018), where its extra is installed."""

from functools import cache
from typing import Any

import torch
from torch import Tensor

from srlens.imaging.colour import match_channels


def lpips_distance(sr: Tensor, hr: Tensor) -> float:
    """LPIPS with AlexNet of two pictures, C×H×W in [0, 1]; 0 for equal ones, lower is better."""
    first, second = (match_channels(image, 3).clamp(0, 1).float()[None] * 2 - 1 for image in (sr, hr))
    with torch.no_grad():
        return float(_model()(first, second))


@cache
def _model() -> Any:
    from srlens.extras import lpips

    return lpips.LPIPS(net="alex", verbose=False).eval()
