"""Fills: what stays stays, and what is replaced is what the fill says."""

import pytest
import torch
from torch import Tensor

from srlens.attribution.baseline import Blurred
from srlens.errors import ImageError, SettingError
from srlens.trust.fills import FILLS, NoisyLinear, find_fill


@pytest.fixture
def where() -> Tensor:
    return torch.rand(24, 30, generator=torch.Generator().manual_seed(2)) < 0.4


@pytest.mark.parametrize("name", FILLS)
def test_only_what_is_named_is_replaced(name: str, image: Tensor, where: Tensor) -> None:
    fill = find_fill(name)
    assert fill.name == name
    for mask in (where, torch.zeros_like(where), torch.ones_like(where)):
        replaced = fill.replaced(image, mask)
        assert replaced.dtype == torch.float64
        assert torch.equal(replaced[:, ~mask], image[:, ~mask])
        assert (replaced[:, mask] != image[:, mask]).all()
        assert replaced.min() >= 0
        assert replaced.max() <= 1


@pytest.mark.parametrize("name", FILLS)
def test_draws(name: str, image: Tensor, where: Tensor) -> None:
    fill = find_fill(name)
    first, again, other = (fill.replaced(image, where, draw) for draw in (0, 0, 1))
    assert torch.equal(first, again)
    assert torch.equal(first, other) != fill.drawn


@pytest.mark.parametrize("name", ["blur", "mean", "patches"])
def test_pixels_do_not_depend_on_which_others_are_replaced(name: str, image: Tensor, where: Tensor) -> None:
    everywhere = find_fill(name).replaced(image, torch.ones_like(where))
    assert torch.equal(find_fill(name).replaced(image, where)[:, where], everywhere[:, where])


def test_blur_is_the_baseline_of_the_path_and_mean_the_mean(image: Tensor) -> None:
    everywhere = torch.ones(image.shape[-2:], dtype=torch.bool)
    assert torch.equal(find_fill("blur").replaced(image, everywhere), Blurred().of(image))
    assert torch.allclose(find_fill("mean").replaced(image, everywhere)[:, 3, 4], image.mean(dim=(1, 2)))


def test_linear_imputation_continues_a_plane(where: Tensor) -> None:
    """The weights are symmetric, so that a plane solves the equations wherever all eight neighbours are there."""
    y, x = torch.meshgrid(torch.arange(24.0), torch.arange(30.0), indexing="ij")
    plane = (0.2 + 0.01 * y + 0.015 * x).double().expand(2, -1, -1).clone()
    where = where.clone()
    where[[0, -1]] = False
    where[:, [0, -1]] = False
    assert torch.allclose(NoisyLinear(noise=0).replaced(plane, where), plane, atol=1e-12)


def test_linear_imputation_of_one_pixel_is_the_weighted_mean_and_has_the_noise_asked_for(image: Tensor) -> None:
    where = torch.zeros(24, 30, dtype=torch.bool)
    where[5, 7] = True
    cross = image[:, [4, 6, 5, 5], [7, 7, 6, 8]].sum(dim=1)
    corners = image[:, [4, 4, 6, 6], [6, 8, 6, 8]].sum(dim=1)
    assert torch.allclose(NoisyLinear(noise=0).replaced(image, where)[:, 5, 7], cross / 6 + corners / 12)
    everywhere = torch.ones_like(where)
    difference = NoisyLinear(noise=0.01).replaced(image, everywhere) - NoisyLinear(noise=0).replaced(image, everywhere)
    assert float(difference.std()) == pytest.approx(0.01, rel=0.05)  # of 2160 values: 1.5 % standard error


def test_errors(image: Tensor) -> None:
    with pytest.raises(SettingError, match="known: blur, mean"):
        find_fill("snow")
    with pytest.raises(SettingError, match="noise"):
        NoisyLinear(noise=-1)
    for wrong in (torch.ones(3, 3, dtype=torch.bool), torch.ones(24, 30)):
        with pytest.raises(ImageError, match="boolean"):
            find_fill("mean").replaced(image, wrong)
