import math
from fractions import Fraction

import pytest
import torch
from torch import nn

from srlens.networks.zoo.esa import ESA, MINIMUM_SIDE, esa_stage, plain_convolution


def seen(i, h, coarse_layers):
    """LR pixels [first, last] behind pixel i of the interpolated mask, layer by layer in whole numbers."""
    strided = (h - 3) // 2 + 1
    pooled = (strided - 7) // 3 + 1
    position = max(Fraction(2 * i + 1, 2) * pooled / h - Fraction(1, 2), 0)
    low = math.floor(position)
    high = min(math.ceil(position), pooled - 1)  # on a coarse pixel, its neighbour has weight 0
    low, high = max(0, low - coarse_layers), min(pooled - 1, high + coarse_layers)
    low, high = 3 * low, 3 * high + 6
    return 2 * low, 2 * high + 2


@pytest.mark.parametrize("coarse_layers", [1, 3])
def test_the_bound_holds_for_every_pixel_of_every_size(coarse_layers):
    stage = esa_stage(coarse_layers)
    reach, drifts = stage.radius + stage.drift, set()
    for h in [*range(MINIMUM_SIDE, 200), 511, 1000, 1023]:
        for i in range(0, h, 1 if h < 60 else 7):
            first, last = seen(i, h, coarse_layers)
            assert i - reach <= first
            assert last <= i + reach
            assert last - first + 1 <= 21 + 12 * coarse_layers
            drifts.add(i - first)
    assert max(drifts) == reach  # reached somewhere, so no smaller footprint holds for all sizes


@pytest.mark.parametrize("single", [True, False])
def test_gradients_follow_the_layer_by_layer_count(single):
    module = ESA(3, 4, plain_convolution, nn.Softplus(), single=single).double()
    for parameter in module.parameters():
        parameter.data = 0.1 * parameter.data.abs() + 0.01
    h = 97
    for i in (0, 31, 50, 90, 96):
        # A smooth ramp whose maximum in every pooling window is its last pixel.
        x = torch.linspace(1, 1.001, h, dtype=torch.float64).expand(1, 3, 24, h).clone().requires_grad_()
        (gradient,) = torch.autograd.grad(module(x)[0, :, 12, i].sum(), x)
        touched = (gradient[0].abs().amax(dim=(0, 1)) > 0).nonzero().flatten()
        first, last = seen(i, h, 1 if single else 3)
        assert min(first, i) <= touched[0]
        assert touched[-1] == max(last, i)  # the ramp shows the far end of the last window exactly
