"""What counts as an image."""

import pytest
import torch

from srlens.errors import ImageError
from srlens.imaging.check import check_image
from srlens.imaging.degrade import degrade


@pytest.mark.parametrize("sigma", [15, 25, 50, 75])
@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_a_noisy_picture_is_one(sigma: int, level: float) -> None:
    check_image(degrade(torch.full((3, 64, 64), level), f"noise:{sigma}"))


@pytest.mark.parametrize("change", [lambda x: 2 * x - 1, lambda x: 255 * x, lambda x: x - 1, lambda x: x * 3.0])
def test_another_range_is_not(change) -> None:
    with pytest.raises(ImageError, match="Image values run from"):
        check_image(change(torch.rand(3, 64, 64)))
