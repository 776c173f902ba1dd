"""Computations with a backward pass of their own: parts of a tensor, means and deviations."""

import pytest
import torch
from torch import Tensor

from srlens.windowed.box import Box, cut, cut_all
from srlens.windowed.graph import Ref
from srlens.windowed.graph import _equivalent as equivalent

PARTS: dict[str, tuple[Box, ...]] = {
    "split": (((0, 2), (0, 2), (0, 5), (0, 4)), ((0, 2), (2, 6), (0, 5), (0, 4))),
    "gap": (((0, 2), (0, 2), (0, 5), (0, 4)), ((0, 2), (3, 4), (0, 5), (0, 4))),
    "overlap": (((0, 2), (0, 4), (0, 5), (0, 4)), ((0, 2), (0, 6), (1, 4), (0, 2)), ((0, 2), (2, 6), (0, 5), (0, 4))),
    "box": (((0, 2), (0, 6), (1, 4), (2, 4)),),
}


@pytest.mark.parametrize("parts", PARTS.values(), ids=PARTS)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("unused", [False, True])
def test_parts_are_narrowings_with_one_gradient(
    parts: tuple[Box, ...], layout: torch.memory_format, unused: bool
) -> None:
    x = torch.rand(2, 6, 5, 4, dtype=torch.float64).contiguous(memory_format=layout).requires_grad_(True)
    used = parts[:-1] if unused and len(parts) > 1 else parts

    def value(pieces: tuple[Tensor, ...]) -> Tensor:
        return sum((piece.sin() * (k + 1)).sum() for k, piece in enumerate(pieces[: len(used)]))

    (expected,) = torch.autograd.grad(value(tuple(cut(x, part) for part in parts)), x)
    (gradient,) = torch.autograd.grad(value(cut_all(x, parts)), x)
    torch.testing.assert_close(gradient, expected, rtol=1e-14, atol=0)
    assert gradient.is_contiguous(memory_format=layout)


@pytest.mark.parametrize(
    ("name", "bound", "function"),
    [
        ("mean", {"dim": [2, 3], "keepdim": True}, lambda x: x.mean((2, 3), keepdim=True)),
        ("mean", {"dim": [1], "keepdim": True}, lambda x: x.mean(1, keepdim=True)),
        ("std", {"dim": [2, 3], "keepdim": True, "correction": None}, lambda x: x.std((2, 3), keepdim=True)),
        ("std", {"dim": [2, 3], "keepdim": True, "correction": 0}, lambda x: x.std((2, 3), correction=0, keepdim=True)),
        ("std", {"dim": [3], "keepdim": True, "unbiased": True}, lambda x: x.std(3, keepdim=True)),
    ],
    ids=["mean", "mean of channels", "std", "biased std", "std of rows"],
)
def test_a_statistic_by_sums_has_the_values_and_gradients_of_the_operator(name, bound, function) -> None:
    x = torch.rand(2, 3, 5, 4, dtype=torch.float64)
    x[0, 1] = 0.25  # a constant channel: its deviation has no slope
    x.requires_grad_(True)
    statistic = equivalent(name, bound)
    assert statistic is not None
    results = [statistic(x), function(x)]
    torch.testing.assert_close(results[0], results[1], rtol=1e-13, atol=1e-15)
    gradients = [torch.autograd.grad((result.cos() * 3).sum(), x)[0] for result in results]
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-12, atol=1e-14)


def test_a_sum_in_half_precision_does_not_overflow() -> None:
    x = torch.full((1, 1, 400, 400), 2.0, dtype=torch.float16)
    x[..., 0] = 1.0
    for name, function in (("mean", torch.mean), ("std", torch.std)):
        statistic = equivalent(name, {"dim": [2, 3], "keepdim": True})
        assert statistic is not None
        torch.testing.assert_close(statistic(x), function(x, dim=(2, 3), keepdim=True))


def test_what_stays_as_it_is() -> None:
    assert equivalent("mean", {"dim": None, "keepdim": False}) is None
    assert equivalent("mean", {"dim": [2], "keepdim": False}) is None
    assert equivalent("mean", {"dim": [2], "keepdim": True, "dtype": torch.float64}) is None
    assert equivalent("sum", {"dim": [2], "keepdim": True}) is None


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("place", ["whole", "part", "pixel", "pair", "contiguous"])
def test_convolution_by_one_pixel_is_a_product(bias: bool, place: str) -> None:
    torch.manual_seed(0)
    x = torch.rand(2 if place == "pair" else 1, 6, 7, 5)
    x = x if place == "contiguous" else x.contiguous(memory_format=torch.channels_last)
    x = {"part": x[..., 1:4, 2:], "pixel": x[..., :1, :1]}.get(place, x).requires_grad_(True)
    weight, offset = torch.rand(4, 6, 1, 1), torch.rand(4) if bias else None
    bound = {
        "input": Ref(0), "weight": weight, "bias": offset, "stride": [1, 1], "padding": [0, 0], "dilation": [1, 1],
        "transposed": False, "output_padding": [0, 0], "groups": 1,
    }  # fmt: skip
    call = equivalent("convolution", bound)
    assert call is not None
    results = [call(x), torch.nn.functional.conv2d(x, weight, offset)]
    torch.testing.assert_close(results[0], results[1])
    gradients = [torch.autograd.grad(result.sin().sum(), x)[0] for result in results]
    torch.testing.assert_close(gradients[0], gradients[1])
    if place in ("whole", "pair"):
        assert results[0].is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    "change",
    [
        {"groups": 2, "weight": torch.rand(4, 3, 1, 1)},
        {"stride": [2, 1]},
        {"padding": [0, 1]},
        {"transposed": True},
        {"weight": torch.rand(4, 6, 3, 1)},
        {"weight": Ref(1)},
    ],
)
def test_other_convolutions_stay_convolutions(change: dict[str, object]) -> None:
    bound = {
        "input": Ref(0), "weight": torch.rand(4, 6, 1, 1), "bias": None, "stride": [1, 1], "padding": [0, 0],
        "dilation": [1, 1], "transposed": False, "output_padding": [0, 0], "groups": 1,
    }  # fmt: skip
    assert equivalent("convolution", {**bound, **change}) is None
