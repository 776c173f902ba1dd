"""Padding: what sizes a network takes."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from srlens.errors import ImageTooSmallError
from srlens.networks.padding import Padding


@settings(deadline=None, max_examples=60, derandomize=True)
@given(height=st.integers(1, 20), width=st.integers(1, 20), multiple=st.integers(1, 24), square=st.booleans())
def test_pads_as_numpy_reflects(height: int, width: int, multiple: int, square: bool) -> None:
    padding = Padding(multiple=multiple, square=square)
    h, w = padding.target(height, width)
    assert h % multiple == w % multiple == 0
    assert h >= height
    assert w >= width
    assert h == w or not square
    if not square:
        assert h - height < multiple
        assert w - width < multiple
    x = torch.rand(2, 3, height, width)
    expected = np.pad(x.numpy(), ((0, 0), (0, 0), (0, h - height), (0, w - width)), mode="reflect")
    assert np.array_equal(padding.apply(x).numpy(), expected)


def test_sizes_that_fit_are_left_alone() -> None:
    x = torch.rand(1, 3, 16, 24)
    assert Padding(multiple=8, minimum=16).apply(x) is x


def test_gradient_counts_mirrored_pixels() -> None:
    x = torch.rand(1, 1, 1, 5, requires_grad=True)
    Padding(multiple=4).apply(x).sum().backward()
    # Four rows of the one row; columns 0 1 2 3 4 | 3 2 1.
    assert torch.equal(x.grad[0, 0, 0], 4 * torch.tensor([1.0, 2, 2, 2, 1]))


@pytest.mark.parametrize(("height", "width"), [(7, 20), (20, 7), (1, 1)])
def test_too_small(height: int, width: int) -> None:
    with pytest.raises(ImageTooSmallError, match=rf"{height}×{width}; this network takes sides of at least 8.*larger"):
        Padding(minimum=8).apply(torch.rand(1, 3, height, width))
