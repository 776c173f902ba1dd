import warnings
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from srlens.comparison.compare import explain
from srlens.comparison.sanity import check_against_reference
from srlens.comparison.subject import Subject
from srlens.errors import BelowReferenceWarning, ImageError, OutsideRangeWarning
from srlens.imaging.degrade import degrade, make_lr
from srlens.imaging.files import read_image
from srlens.imaging.resample import bicubic_upscale
from srlens.imaging.samples import sample_image
from srlens.imaging.window import Window
from srlens.networks.load import load_network
from srlens.networks.network import Network

SCALE = 2


class Upscaler(nn.Module):
    """Bicubic; outside its value range it overflows in a recognisable way."""

    def __init__(self, limit: float = 1.5, sharpen: float = 0.0) -> None:
        super().__init__()
        self.limit, self.sharpen = limit, sharpen

    def forward(self, x: Tensor) -> Tensor:
        y = bicubic_upscale(x.clamp(max=self.limit), SCALE)
        return y + self.sharpen * (y - nn.functional.avg_pool2d(y, 3, 1, 1))


@pytest.fixture
def pair() -> tuple[Tensor, Tensor]:
    hr = sample_image()[:, 60:160, 60:160]
    return make_lr(hr, SCALE), hr


def test_a_good_network_passes_in_silence(pair: tuple[Tensor, Tensor]) -> None:
    result = check_against_reference(Network.wrap(Upscaler(sharpen=0.3), scale=SCALE, name="sharp"), *pair)
    assert result.passed
    assert result.psnr > result.reference_psnr
    assert result.fitting_range is None
    assert str(result).startswith("sharp reaches")


def test_bicubic_itself_passes(pair: tuple[Tensor, Tensor]) -> None:
    result = check_against_reference(Network.wrap(Upscaler(), scale=SCALE), *pair)
    assert result.psnr == result.reference_psnr
    assert result.passed


def test_no_range_helps_a_bad_network(pair: tuple[Tensor, Tensor]) -> None:
    network = Network.wrap(Upscaler(sharpen=9.0), scale=SCALE, name="bad")
    with pytest.warns(BelowReferenceWarning, match=r"bad reaches .* no other value range helps.*weights.*scale"):
        result = check_against_reference(network, *pair)
    assert not result.passed
    assert result.fitting_range is None


def test_the_range_that_fits_is_named(pair: tuple[Tensor, Tensor]) -> None:
    network = Network.wrap(Upscaler(limit=1.5, sharpen=0.3), scale=SCALE, value_range=255.0)
    with pytest.warns(BelowReferenceWarning, match=r"Use value_range=1\."):
        result = check_against_reference(network, *pair)
    assert (result.value_range, result.fitting_range) == (255.0, 1.0)


def test_a_network_that_overflows_in_the_other_range_does_not_hide_the_warning(pair: tuple[Tensor, Tensor]) -> None:
    class Fragile(Upscaler):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) * (torch.inf if x.max() > 2 else 1)

    with pytest.warns(BelowReferenceWarning, match="no other value range"):
        check_against_reference(Network.wrap(Fragile(sharpen=9.0), scale=SCALE), *pair)


def test_rfdn_with_the_wrong_range_is_caught(shared: Path) -> None:
    lr = read_image(shared / "images" / "Set5" / "LRx4" / "butterflyx4.png")
    hr = read_image(shared / "images" / "Set5" / "HR" / "butterfly.png")
    network = load_network(shared / "weights" / "rfdn-x4.pth")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert check_against_reference(network, lr, hr).passed
    with pytest.warns(BelowReferenceWarning, match=r"Use value_range=255\."):
        result = check_against_reference(replace(network, value_range=1.0), lr, hr)
    assert result.fitting_psnr == pytest.approx(check_against_reference(network, lr, hr).psnr)


def test_a_range_that_no_network_is_trained_in_is_compared_with_the_usual_ones(shared: Path) -> None:
    """At half its range RFDN still beats bicubic, but is 0.5 dB worse than as it was trained."""
    lr = read_image(shared / "images" / "Set5" / "LRx4" / "butterflyx4.png")
    hr = read_image(shared / "images" / "Set5" / "HR" / "butterfly.png")
    network = replace(load_network(shared / "weights" / "rfdn-x4.pth"), value_range=128.0)
    with pytest.warns(BelowReferenceWarning, match=r"Use value_range=255\."):
        assert check_against_reference(network, lr, hr).passed


def test_a_range_of_ones_own_that_is_best_passes_in_silence(pair: tuple[Tensor, Tensor]) -> None:
    class Halved(Upscaler):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) - (x.amax() - 2).clamp(min=0) - (1.2 - x.amax()).clamp(min=0)

    network = Network.wrap(Halved(limit=9, sharpen=0.3), scale=SCALE, value_range=2.0)
    assert check_against_reference(network, *pair).fitting_range is None


def test_a_range_that_is_hardly_better_is_told_but_not_advised(pair: tuple[Tensor, Tensor]) -> None:
    class Either(Upscaler):
        """A little below bicubic in one range, a little above it in the other."""

        def forward(self, x: Tensor) -> Tensor:
            y = bicubic_upscale(x, SCALE)
            return y + (0.1 if x.amax() > 2 else -0.1) * (y - nn.functional.avg_pool2d(y, 3, 1, 1))

    with pytest.warns(BelowReferenceWarning, match=r"With value_range 255 it reaches .* larger one") as told:
        result = check_against_reference(Network.wrap(Either(), scale=SCALE), *pair)
    assert "no other value range helps" not in str(told[0].message)
    assert result.fitting_range is None
    assert result.other is not None
    assert result.other[1] > result.reference_psnr > result.psnr


def test_luma_network_and_grey_images(shared: Path) -> None:
    lr = read_image(shared / "images" / "Set5" / "LRx4" / "birdx4.png")
    hr = read_image(shared / "images" / "Set5" / "HR" / "bird.png")
    luma = load_network(shared / "weights" / "fsrcnn-y-x4.pth")
    assert check_against_reference(luma, lr, hr).passed
    rgb = load_network(shared / "weights" / "smfanet-x4.pth")
    assert check_against_reference(rgb, lr[:1], hr[:1]).passed


def test_hr_that_is_a_little_larger_is_cropped(pair: tuple[Tensor, Tensor]) -> None:
    lr, hr = pair
    larger = nn.functional.pad(hr, (0, SCALE - 1, 0, SCALE - 1))
    network = Network.wrap(Upscaler(), scale=SCALE)
    assert check_against_reference(network, lr, larger) == check_against_reference(network, lr, hr)


def test_images_that_do_not_belong_together_are_refused(pair: tuple[Tensor, Tensor]) -> None:
    lr, hr = pair
    network = Network.wrap(Upscaler(), scale=SCALE)
    with pytest.raises(ImageError, match="another scale than 2"):
        check_against_reference(network, lr, hr[..., :-1])
    with pytest.raises(ImageError, match="C×H×W"):
        check_against_reference(network, lr[None], hr)


def test_modes_and_weights_are_left_as_they_were(pair: tuple[Tensor, Tensor]) -> None:
    module = nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.PixelShuffle(2)).train()
    with pytest.warns(BelowReferenceWarning):
        check_against_reference(Network.wrap(module, scale=SCALE), *pair)
    assert module.training
    assert all(parameter.requires_grad for parameter in module.parameters())


class Denoiser(nn.Module):
    """Blurs a little: better than the noisy picture, worse than the clean one; or makes it noisier still."""

    def __init__(self, worse: bool = False) -> None:
        super().__init__()
        self.worse = worse

    def forward(self, x: Tensor) -> Tensor:
        smooth = nn.functional.avg_pool2d(nn.functional.pad(x, (1, 1, 1, 1), mode="reflect"), 3, stride=1)
        return 2 * x - smooth if self.worse else 0.5 * (x + smooth)


def test_a_denoiser_is_measured_against_the_noisy_picture() -> None:
    clean = sample_image()[:, 60:160, 60:160]
    noisy = degrade(clean, "noise:25", seed=1)
    found = check_against_reference(Network.wrap(Denoiser(), scale=1), noisy, clean, degradation="noise:25")
    assert found.passed
    # 20·log10(255 / 25) = 20.17, of RGB as denoisers are measured; clipping takes a little of the noise off.
    assert 20.17 < found.reference_psnr < 21
    assert "noisy picture 2" in str(found)
    with pytest.warns(BelowReferenceWarning, match=r"dB, noisy picture 2.* dB"):
        check_against_reference(Network.wrap(Denoiser(worse=True), scale=1), noisy, clean, degradation="noise:25")


def test_where_the_observed_picture_is_the_clean_one_nothing_is_judged() -> None:
    """No network beats an infinite PSNR, and every one that changes a pixel was warned of."""
    clean = sample_image()[:, 60:160, 60:160]
    found = check_against_reference(Network.wrap(Denoiser(), scale=1), clean, clean)
    assert found.passed
    assert found.reference_psnr == float("inf")


def test_a_diverging_network_is_not_blamed_on_its_range(pair: tuple[Tensor, Tensor]) -> None:
    class Diverging(Upscaler):
        def forward(self, x: Tensor) -> Tensor:
            y = super().forward(x)
            y[..., :4, :4] *= 1e9
            return y

    network = Network.wrap(Diverging(), scale=SCALE, name="wild")
    with pytest.warns(BelowReferenceWarning, match="wild reaches .* it diverges on this picture") as told:
        check_against_reference(network, *pair)
    assert "range" not in str(told[0].message)
    subject = Subject("x", pair[0], None, "given", scale=SCALE)
    with pytest.warns(OutsideRangeWarning, match=r"SR image of wild leaves \[0, 1\] by .*diverges"):
        explained = explain(network, subject, Window.square(60, 60, 16), steps=2)
    assert explained.outside > 1e6
    assert float(explained.sr.max()) <= 1
    with pytest.warns(OutsideRangeWarning):
        network.upscale(pair[0])


def test_pan_diverges_on_what_no_file_holds(shared: Path) -> None:
    network = load_network(shared / "weights" / "pan-x4.pth")
    hr = read_image(shared / "images" / "demo" / "6.png")
    with pytest.warns(OutsideRangeWarning, match="matlab-uint8"):
        network.upscale(make_lr(hr, 4, "bicubic-float"))
    network.upscale(make_lr(hr, 4))  # silent: warnings are errors
