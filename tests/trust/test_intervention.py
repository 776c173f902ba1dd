"""Effects of replaced images: those of the whole network, in the units stated, free where nothing can change."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import srlens
from srlens.attribution.detector import gradient_magnitude
from srlens.errors import ImageError, NotFiniteError, SettingError, WindowError
from srlens.measures.quality import window_psnr
from srlens.trust.intervention import Interventions, decibel

WINDOW = srlens.Window(10, 12, 8, 8)
Reader = Callable[..., srlens.Network]


def replaced_at(image: Tensor, row: int, column: int, by: float = 0.25) -> Tensor:
    other = image.clone()
    other[:, row, column] += by
    return other


@pytest.mark.parametrize("regional", [True, False])
def test_effects_are_those_of_the_whole_network(reads_pixels: Reader, image: Tensor, regional: bool) -> None:
    network = reads_pixels((3, 4), (20, 25))
    clean = torch.rand(3, 48, 60, dtype=torch.float64)
    images = torch.stack([replaced_at(image, *place) for place in ((3, 4), (20, 25), (6, 7), (0, 0))])
    found = Interventions(network, image, WINDOW, clean=clean, regional=regional)
    effects = found.effects(images)
    read = srlens.Window(WINDOW.top, WINDOW.left, 9, 9)
    before, bounds = network(image[None])[0], (WINDOW.top, WINDOW.left, WINDOW.bottom, WINDOW.right)
    for k, one in enumerate(images):
        after = network(one[None])[0]
        change = (WINDOW.crop(after) - WINDOW.crop(before)).square().mean().sqrt()
        assert effects.rmse[k] == pytest.approx(float(change), abs=1e-15)
        detector = gradient_magnitude(read.crop(before)[None]) - gradient_magnitude(read.crop(after)[None])
        assert effects.detector[k] == pytest.approx(float(detector), abs=1e-12)
        assert effects.psnr_change is not None
        difference = window_psnr(after, clean, bounds) - window_psnr(before, clean, bounds)
        assert effects.psnr_change[k] == pytest.approx(difference, abs=1e-12)
    assert effects.rmse[3] == effects.detector[3] == 0
    assert np.isinf(effects.change_db[3])
    assert found.passes == 5
    assert found.evaluation.startswith("regional" if regional else "full (as asked)")


def test_decibels() -> None:
    assert decibel(0.01) == pytest.approx(40)
    assert decibel(0) == float("inf")


def test_outside_the_receptive_field_nothing_is_computed() -> None:
    network, image = srlens.load_default("plain"), torch.rand(3, 64, 64)
    found = Interventions(network, image, srlens.Window(128, 128, 16, 16))
    top, left, bottom, right = found.bounds
    assert found.footprint == (32, 32, 36, 36)
    assert min(top, left) > 0
    assert max(bottom, right) < 64
    effects = found.effects([replaced_at(found.image, top - 1, 33), replaced_at(found.image, 34, right)])
    assert not effects.rmse.any()
    assert found.passes == 1  # the image as it is
    assert found.effects([replaced_at(found.image, 34, 34)]).rmse[0] > 0
    assert found.passes == 2


def test_a_network_without_gradient_is_intervened_on(image: Tensor) -> None:
    class Rounds(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.from_numpy(x.detach().numpy().round(1))

    found = Interventions(srlens.Network.wrap(Rounds(), scale=1), image, srlens.Window(4, 4, 4, 4))
    assert found.effects([replaced_at(image, 5, 5)]).rmse[0] == pytest.approx(
        0.25 / 4, rel=0.5
    )  # of 16 pixels one, rounded to tenths


def test_distance_is_chebyshev_from_the_footprint(reads_pixels: Reader, image: Tensor) -> None:
    distance = Interventions(reads_pixels((0, 0)), image, srlens.Window(11, 12, 6, 8)).distance
    assert distance[5:9, 6:10].max() == 0  # rows 11…16 of SR lie in LR rows 5…8
    assert (distance[4, 6], distance[9, 9], distance[8, 10], distance[3, 3]) == (1, 1, 1, 3)
    assert not distance.flags.writeable


def test_progress_and_errors(reads_pixels: Reader, image: Tensor) -> None:
    told: list[tuple[int, int]] = []
    found = Interventions(
        reads_pixels((3, 4)), image, WINDOW, expected=3, progress=lambda done, of: told.append((done, of))
    )
    found.effects(replaced_at(image, 0, k) for k in range(20))
    assert told == [(16, 16), (20, 20)]
    with pytest.raises(ImageError, match="is to be"):
        found.effects(torch.zeros(1, 3, 5, 5, dtype=torch.float64))
    with pytest.raises(WindowError):
        Interventions(reads_pixels((3, 4)), image, srlens.Window(0, 0, 99, 99))
    with pytest.raises(SettingError, match="bare module"):
        Interventions(nn.Identity(), image, WINDOW)  # type: ignore[arg-type]
    with pytest.raises(NotFiniteError):
        found.effects([torch.full_like(image, float("nan"))])


class MixesItsBatch(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x - x.mean(dim=0, keepdim=True)


@pytest.mark.parametrize("module", [nn.Identity(), MixesItsBatch()])
def test_batches_give_what_single_images_give(module: nn.Module, image: Tensor) -> None:
    images = [replaced_at(image, 5, k) for k in range(7)]
    window = srlens.Window(4, 2, 4, 4)
    alone = Interventions(srlens.Network.wrap(module, scale=1), image, window)
    together = Interventions(srlens.Network.wrap(module, scale=1), image, window)
    together._at_once = 4
    assert np.allclose(together.effects(images).rmse, alone.effects(images).rmse, atol=1e-7)
    assert together._at_once == (4 if isinstance(module, nn.Identity) else 1)


class Branches(nn.Module):
    """Looks at a far pixel only where the picture is bright: no record of one call holds for another."""

    def forward(self, x: Tensor) -> Tensor:
        return x + x[..., :1, :1] if x.mean() > 0.7 else x


def test_a_network_that_branches_on_its_input_is_evaluated_in_full(image: Tensor) -> None:
    found = Interventions(srlens.Network.wrap(Branches(), scale=1), image, srlens.Window(12, 12, 4, 4))
    bright = torch.where(torch.zeros_like(image, dtype=torch.bool), image, 0.9)
    bright[:, 12:16, 12:16] = image[:, 12:16, 12:16]
    assert found.effects([bright]).rmse[0] == pytest.approx(0.9, abs=1e-6)
    assert found.evaluation.startswith("full")
