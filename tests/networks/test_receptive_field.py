"""The theoretical receptive field against measured gradients."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from srlens.networks.receptive_field import GLOBAL, UNKNOWN, ReceptiveField, Stage


def test_strings_and_numbers() -> None:
    field = ReceptiveField((Stage(1, 20), Stage(2, 1), Stage(4, 1)), paper=45)
    assert field.true == 1 + 2 * (20 + 1 / 2 + 1 / 4)
    assert str(field) == "45 (42.5 LR px)"
    assert str(ReceptiveField((Stage(1, 3),), paper=None)) == "7 LR px"
    assert (str(GLOBAL), GLOBAL.true, GLOBAL.is_global) == ("global", None, True)
    assert (str(UNKNOWN), UNKNOWN.true, UNKNOWN.is_global) == ("unknown", None, False)
    assert GLOBAL.footprint(3, 5, 4, 64) == UNKNOWN.footprint(3, 5, 4, 64) == (0, 64)


def test_drift_widens_the_footprint_only() -> None:
    still, drifting = (ReceptiveField((Stage(1, 2, drift),), paper=None) for drift in (0, 3))
    assert still.true == drifting.true == 5
    assert still.footprint(40, 44, 4, 64) == (8, 13)
    assert drifting.footprint(40, 44, 4, 64) == (5, 16)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(
    before=st.integers(0, 3), middle=st.integers(0, 2), after=st.integers(0, 3), start=st.integers(0, 70),
    length=st.integers(1, 9), strided=st.booleans(),
)  # fmt: skip
def test_footprint_holds_and_is_reached(
    before: int, middle: int, after: int, start: int, length: int, strided: bool
) -> None:
    """A chain of convolutions with positive weights, doubled twice by repetition: its support is the footprint."""
    size, scale = 20, 4
    stop = min(start + length, size * scale)

    def convolution(radius: int) -> nn.Module:
        layer = nn.Conv1d(1, 1, 2 * radius + 1, padding=radius, bias=False).double()
        nn.init.ones_(layer.weight)
        return layer

    stages = [Stage(1, before), Stage(2, middle), Stage(4, after)]
    layers = [convolution(before), nn.Upsample(scale_factor=2), convolution(middle), nn.Upsample(scale_factor=2),
              convolution(after)]  # fmt: skip
    if not strided:
        stages, layers = stages[:1], [layers[0], nn.Upsample(scale_factor=4)]
    x = torch.rand(1, 1, size, dtype=torch.float64, requires_grad=True)
    nn.Sequential(*layers)(x)[..., start:stop].sum().backward()
    support = x.grad[0, 0].nonzero().flatten()
    first, last = ReceptiveField(tuple(stages), paper=None).footprint(start, stop, scale, size)
    assert (first, last) == (int(support.min()), int(support.max()) + 1)


@pytest.mark.parametrize(("start", "stop"), [(0, 1), (79, 80), (0, 80)])
def test_footprint_stays_on_the_image(start: int, stop: int) -> None:
    first, last = ReceptiveField((Stage(1, 30),), paper=61).footprint(start, stop, 4, 20)
    assert (first, last) == (0, 20)
