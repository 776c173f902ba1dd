"""Restoration: clean content is replaced and degraded anew."""

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor, nn

import srlens
from srlens.attribution.blocks import partition, stays_inside
from srlens.attribution.blur import blur
from srlens.attribution.making import Making, making_of
from srlens.imaging.patches import packaged_bank
from srlens.records.field_run import run_field

WINDOW = srlens.Window(4, 6, 12, 12)


class Smooth(nn.Module):
    """A denoiser: each pixel is the mean of its 3×3 neighbours."""

    def __init__(self) -> None:
        super().__init__()
        self.mean = nn.Conv2d(3, 3, 3, padding=1, bias=False, groups=3, dtype=torch.float64)
        nn.init.constant_(self.mean.weight, 1 / 9)

    def forward(self, x: Tensor) -> Tensor:
        return self.mean(x)


@pytest.fixture
def denoiser() -> srlens.Network:
    return srlens.Network.wrap(Smooth(), scale=1, name="smooth")


@pytest.fixture
def subject() -> srlens.Subject:
    clean = srlens.open_image("hopper")[:, 60:84, 60:92].double()
    return srlens.Subject.from_hr(clean, 1, name="hopper", degradation="noise:25", seed=3)


def test_every_way_to_a_map_knows_how_the_picture_was_made(denoiser, subject, tmp_path) -> None:
    method = srlens.Method("causal-effect", detector="psnr", draws=2, coarse_draws=0)
    (point,) = srlens.sweep([denoiser], subject, WINDOW, "window", [12], method=method).points["smooth"]
    assert point.result.facts["degraded_anew"] == "noise:25 (seed 3)"
    explained = srlens.compare([denoiser], subject, WINDOW, method=method).rows[0].result
    assert np.array_equal(point.result.map, explained.map)
    field, _ = run_field(denoiser, subject, method, size=12, stride=12, folder=tmp_path, formats=("png",))
    first = field.points[1]
    alone = srlens.compare([denoiser], subject, first.window, method=method).rows[0].result
    assert first.diffusion_index == pytest.approx(alone.diffusion_index, rel=1e-12)


def test_noise_is_added_anew_to_changed_content(denoiser, subject) -> None:
    comparison = srlens.compare([denoiser], subject, WINDOW, method="causal-effect", detector="psnr", coarse_draws=0)
    result = comparison.rows[0].result
    assert result.facts["degraded_anew"] == "noise:25 (seed 3)"
    generator, clean = torch.Generator().manual_seed(9), subject.hr

    def psnr(observed: Tensor) -> float:
        with torch.no_grad():
            error = WINDOW.crop(denoiser(observed[None])[0]).clamp(0, 1) - WINDOW.crop(clean)
        return float(-10 * error.square().mean().log10())

    for block in partition(24, 32, 8):
        effects = []
        for patch in packaged_bank().draw(50, 8, generator):
            changed = clean.clone()
            changed[:, *block] = patch
            effects.append(psnr(subject.lr) - psnr(srlens.degrade(changed, "noise:25", seed=3)))
        found, half = result.effects[block][0, 0], 64 * result.interval[block][0, 0]
        apart = abs(found - np.mean(effects))
        assert apart <= 2 * np.hypot(half, stats.t.ppf(0.975, 49) * stats.sem(effects))
    assert result.effects[8, 8] > 1  # a block of the window
    own = srlens.attribute(denoiser, subject.lr, WINDOW, result.method, clean=subject.hr)
    assert own.facts["degraded_anew"] is None
    assert not np.array_equal(own.map, result.map)


def test_a_part_of_a_noisy_picture_keeps_its_noise(denoiser, subject) -> None:
    part = subject.cropped(srlens.Window(8, 4, 16, 20), 1)
    making = making_of(denoiser, part.lr, part.hr, part.degradation, 3)
    changed = torch.rand(3, 16, 20, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(making.observe(changed) - changed, part.lr - part.hr, atol=1e-12, rtol=0)
    assert torch.equal(making.observe(part.hr), part.lr)


def test_what_spreads_is_noticed(denoiser, subject) -> None:
    block = (slice(8, 16), slice(8, 16))
    added = making_of(denoiser, subject.lr, subject.hr, "noise:25", 3)
    blurred = Making(subject.hr, lambda clean: blur(clean, torch.tensor([1.0], dtype=torch.float64), 9)[0], "blur")
    assert stays_inside(block, added)
    assert not stays_inside(block, blurred)


def test_nothing_is_made_where_it_is_not_known(denoiser, subject, make_network) -> None:
    assert making_of(denoiser, subject.lr, None, "noise:25", 0) is None
    assert making_of(denoiser, subject.lr, subject.hr, None, 0) is None
    assert making_of(denoiser, subject.lr, subject.hr, "given", 0) is None
    assert making_of(make_network(), subject.lr, subject.hr, "matlab-uint8", 0) is None
    with pytest.raises(srlens.SettingError, match="level"):
        srlens.Explainer(denoiser, subject.lr, clean=subject.hr, degradation="noise")
