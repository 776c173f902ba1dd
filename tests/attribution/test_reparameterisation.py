"""Clocks: where equal steps of a path lie."""

import numpy as np
import pytest
import torch

from srlens.attribution.image_path import ImagePath
from srlens.attribution.path import LinearFromBlack, LinearFromBlur, ProgressiveBlur
from srlens.attribution.quadrature import PARAMETERISATIONS

STEPS = np.linspace(0.0, 1.0, 11)


@pytest.fixture
def image() -> torch.Tensor:
    return torch.rand(3, 24, 20, generator=torch.Generator().manual_seed(4), dtype=torch.float64)


@pytest.mark.parametrize("how", PARAMETERISATIONS)
@pytest.mark.parametrize("path", [ProgressiveBlur(), LinearFromBlur(), LinearFromBlack()])
def test_every_clock_goes_from_start_to_end(path, how, image: torch.Tensor) -> None:
    alpha = ImagePath(path, image, how).alpha(STEPS).numpy()
    assert alpha[0] == 0
    assert alpha[-1] == 1 if how == "uniform" else alpha[-1] > 0.8  # the blur's last bit changes nothing
    assert (np.diff(alpha) > 0).all()


@pytest.mark.parametrize("how", PARAMETERISATIONS)
@pytest.mark.parametrize("path", [LinearFromBlur(), LinearFromBlack()])
def test_on_a_straight_line_all_clocks_are_one(path, how, image: torch.Tensor) -> None:
    np.testing.assert_allclose(ImagePath(path, image, how).alpha(STEPS).numpy(), STEPS, atol=1e-9)


def test_the_laplacian_clock_makes_equal_steps_of_the_laplacian(image: torch.Tensor) -> None:
    path = ProgressiveBlur()
    steps = np.linspace(0.0, 1.0, 7)
    lengths = {}
    for how in ("Laplacian arc length", "arc length"):
        fine = path.at(image, ImagePath(path, image, how).alpha(np.linspace(0.0, 1.0, 241)))
        inside = fine[..., 1:-1, 1:-1] * 4
        seen = inside - fine[..., :-2, 1:-1] - fine[..., 2:, 1:-1] - fine[..., 1:-1, :-2] - fine[..., 1:-1, 2:]
        chords = (seen[1:] - seen[:-1]).flatten(1).norm(dim=1).numpy()
        lengths[how] = chords.reshape(len(steps) - 1, -1).sum(axis=1)
    equal = lengths["Laplacian arc length"]
    np.testing.assert_allclose(equal, equal.mean(), rtol=0.05)
    assert lengths["arc length"].std() > 3 * equal.std()  # detail comes last


def test_an_image_without_laplacian_has_a_clock_all_the_same() -> None:
    ramp = torch.linspace(0, 1, 12, dtype=torch.float64).expand(1, 12, 12).contiguous()
    for path in (ProgressiveBlur(), LinearFromBlack()):
        alpha = ImagePath(path, ramp, "Laplacian arc length").alpha(STEPS).numpy()
        assert np.isfinite(alpha).all()
        assert (np.diff(alpha) > 0).all()
