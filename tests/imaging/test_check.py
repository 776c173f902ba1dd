"""What counts as an image."""

import numpy as np
import pytest
import torch

from srlens.errors import ImageError
from srlens.imaging.check import check_image
from srlens.imaging.degrade import degrade, make_lr


@pytest.mark.parametrize("sigma", [15, 25, 50, 75])
@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_a_noisy_picture_is_one(sigma: int, level: float) -> None:
    check_image(degrade(torch.full((3, 64, 64), level), f"noise:{sigma}"))


@pytest.mark.parametrize("change", [lambda x: 2 * x - 1, lambda x: 255 * x, lambda x: x - 1, lambda x: x * 3.0])
def test_another_range_is_not(change) -> None:
    with pytest.raises(ImageError, match="Image values run from"):
        check_image(change(torch.rand(3, 64, 64)))


@pytest.mark.parametrize(
    "make", [lambda x: degrade(x, "noise:25"), lambda x: make_lr(x, 4), lambda x: make_lr(x, 2, "pil")]
)
def test_a_clean_picture_is_checked_before_anything_is_made_of_it(make) -> None:
    with pytest.raises(ImageError, match="Image values run from"):
        make(255 * torch.rand(3, 32, 32))
    with pytest.raises(ImageError, match="looks like H×W×C"):
        make(np.random.default_rng(0).random((32, 48, 3)))
    with pytest.raises(ImageError, match="Divide by 255"):
        make(np.zeros((3, 32, 48), dtype=np.uint8))


def test_an_array_is_degraded_like_a_tensor() -> None:
    array = np.random.default_rng(0).random((3, 32, 48))
    assert torch.equal(make_lr(array, 4), make_lr(torch.from_numpy(array), 4))


def test_a_tensor_keeps_its_gradient() -> None:
    clean = torch.rand(3, 32, 32, requires_grad=True)
    make_lr(clean, 4, "bicubic-float").sum().backward()
    assert clean.grad is not None
