"""Causal reach: networks of which the answer is known, in float64."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import correlate
from torch import Tensor, nn
from torch.nn import functional as nnf

import srlens
from srlens.errors import NoEffectError, SettingError
from srlens.imaging.samples import sample_image
from srlens.trust.fills import find_fill
from srlens.trust.intervention import Interventions
from srlens.trust.reach import measure_reach, reach

WINDOW = srlens.Window(10, 12, 8, 8)  # LR rows 5…8, columns 6…9
Reader = Callable[..., srlens.Network]


def chebyshev(row: int, column: int) -> int:
    return max(5 - row, row - 8, 6 - column, column - 9, 0)


@given(st.lists(st.tuples(st.integers(0, 23), st.integers(0, 29)), min_size=1, max_size=4))
@settings(max_examples=25, deadline=None)
def test_reach_is_the_distance_of_the_farthest_pixel_read(reads_pixels: Reader, places: list[tuple[int, int]]) -> None:
    image = torch.rand(3, 24, 30, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) / 2
    for row, column in places:
        image[:, row, column] = 1  # far from every fill
    found = reach(reads_pixels(*places, weight=1.0), image, WINDOW, fills=("blur", "mean"), nearer=False)
    assert found.radius == max(chebyshev(*place) for place in places)
    assert found.lr_size == (24, 30)
    assert found.whole_image == (found.radius == 20)


def test_pixels_of_the_window_alone(reads_pixels: Reader, image: Tensor) -> None:
    found = reach(reads_pixels(), image, WINDOW)
    assert found.radius == 0
    assert {name: curve.radius for name, curve in found.fills.items()} == {"blur": 0, "mean": 0, "patches": 0}
    assert all(point.rmse == 0 for point in found.curve)
    # From one pixel on, which the detector reads beyond the window, what is near holds the whole of it.
    shares = [point.detector_share for point in found.fills["mean"].nearer]
    assert shares[0] != pytest.approx(1.0, abs=0.1)
    assert shares[1:] == pytest.approx([1.0] * 5)
    assert found.monotone


KERNEL = torch.tensor([[0.0, 0.02, 0.05], [0.1, 0.6, 0.1], [0.05, 0.03, 0.05]], dtype=torch.float64)


class Linear(nn.Module):
    """The same kernel five times, then nearest enlargement."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = nn.Parameter(KERNEL.expand(3, 1, -1, -1).clone(), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(5):
            x = nnf.conv2d(x, self.kernel, padding=1, groups=3)
        return x.repeat_interleave(2, -1).repeat_interleave(2, -2)


def test_curves_of_a_linear_network_are_the_closed_form(image: Tensor) -> None:
    network = srlens.Network.wrap(Linear(), scale=2, name="linear")
    fills = ("blur", "mean", "patches", "linear")
    found = reach(network, image, WINDOW, fills=fills, threshold_db=60)
    distance = Interventions(network, image, WINDOW).distance

    def closed(fill: str, where: np.ndarray) -> float:
        change = (find_fill(fill).replaced(image, torch.from_numpy(where)) - image).numpy()
        for _ in range(5):
            change = correlate(change, KERNEL.numpy()[None], mode="constant")
        return float(np.sqrt(np.square(change[:, 5:9, 6:10]).mean()))

    for fill in fills:
        curve = found.fills[fill]
        assert [point.radius for point in curve.nearer] == [0, 1, 2, 4, 8, 16]
        for point in curve.farther:
            assert point.rmse == pytest.approx(closed(fill, distance > point.radius), abs=1e-14)
        for point in curve.nearer:
            assert point.rmse == pytest.approx(closed(fill, distance <= point.radius), abs=1e-14)
        every = [closed(fill, distance > radius) for radius in range(21)]
        assert curve.radius == next(r for r in range(21) if max(every[r:]) < 1e-3)
        assert curve.radius <= 5
    assert found.radius == max(curve.radius for curve in found.curves)


class Tinted(nn.Module):
    """Bilinear enlargement, whose contrast follows a global branch of the strength given: a sum of all pixels."""

    def __init__(self, strength: float) -> None:
        super().__init__()
        signs = torch.randint(0, 2, (3, 64, 64), generator=torch.Generator().manual_seed(3)).double() * 2 - 1
        self.weight = nn.Parameter(strength * signs, requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        contrast = 1 + (self.weight * x).sum(dim=(1, 2, 3), keepdim=True)
        return contrast * nnf.interpolate(x, scale_factor=4, mode="bilinear")


def test_a_global_branch_scaled_by_ten_thousandth_inflates_the_index_not_the_reach() -> None:
    image = srlens.make_lr(sample_image("pagoda").double(), 4)
    assert image.shape == (3, 64, 64)
    window = srlens.Window(120, 120, 16, 16)
    plain, tinted = (srlens.Network.wrap(Tinted(s), scale=4, name="tinted") for s in (0.0, 1e-4))
    inflation = (
        srlens.attribute(tinted, image, window).diffusion_index / srlens.attribute(plain, image, window).diffusion_index
    )
    near, far = reach(plain, image, window), reach(tinted, image, window)
    assert inflation >= 5
    assert far.radius == near.radius == 1
    assert far.field_radius == far.image_radius  # nothing is known of the architecture
    assert {name: c.radius for name, c in far.fills.items()} == {name: c.radius for name, c in near.fills.items()}


def test_a_network_that_ignores_its_input_is_an_error(constant: srlens.Network, image: Tensor) -> None:
    with pytest.raises(NoEffectError, match="ignores its input"):
        reach(constant, image, WINDOW)


class Opposed(nn.Module):
    """Adds one far pixel and takes another away: replaced together by one value, they cancel."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(0.5, dtype=torch.float64), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        y = x + self.weight * (x[..., 7:8, 13:14] - x[..., 7:8, 19:20])  # 4 and 10 LR pixels off
        return y.repeat_interleave(2, -1).repeat_interleave(2, -2)


def test_a_change_that_does_not_fall_with_the_radius_is_told(image: Tensor) -> None:
    image = image.clone()
    image[:, 7, [13, 19]] = 1.0
    found = reach(srlens.Network.wrap(Opposed(), scale=2, name="opposed"), image, WINDOW, fills=("mean",))
    rmse = {point.radius: point.rmse for point in found.curve}
    assert rmse[2] < 1e-12  # both replaced
    assert rmse[4] > 0.1  # one of them
    assert found.radius == 10
    assert not found.monotone


def test_beyond_the_receptive_field_nothing_is_computed() -> None:
    network = srlens.load_default("plain")
    made = Interventions(network, srlens.make_lr(sample_image("pagoda"), 4), srlens.Window(120, 120, 16, 16))
    found = measure_reach(made, fills=("mean",))
    top, left, bottom, right = made.bounds
    assert found.field_radius == max(30 - top, 30 - left, bottom - 34, right - 34) < found.image_radius
    curve = found.curves[0]
    assert curve.farther[-1].radius == found.field_radius
    assert curve.farther[-1].rmse == 0
    # Everything, each radius below the field's farther and nearer; the image as it is, too. Bisection is among them.
    assert found.passes == made.passes == 2 + len(curve.farther) - 1 + len(curve.nearer)
    assert found.radius < found.field_radius


def test_reach_with_clean_picture_saved_and_loaded(reads_pixels: Reader, image: Tensor, tmp_path: object) -> None:
    network = reads_pixels((20, 25), weight=1.0)
    clean = torch.rand(3, 48, 60, dtype=torch.float64)
    found = reach(network, image, WINDOW, clean, fills=("mean", "patches"), threshold_db=30)
    again = srlens.load(found.save(f"{tmp_path}/reach"))
    assert again.record() == found.record()
    assert (again.radius, again.curves, again.window) == (found.radius, found.curves, found.window)
    assert found.psnr is not None
    last = found.curve[-1]
    assert (last.change_db, last.psnr_change, last.detector_share) == (float("inf"), 0.0, 0.0)
    assert all(point.psnr_change is not None for curve in found.curves for point in curve.nearer)
    assert len(found.summary) < 180
    assert "30 dB" in found.conditions


def test_settings_out_of_range(reads_pixels: Reader, image: Tensor) -> None:
    network = reads_pixels()
    for wrong in ((), ("mean", "mean")):
        with pytest.raises(SettingError, match="each once"):
            reach(network, image, WINDOW, fills=wrong)
    for level in (0, -40, float("inf"), float("nan"), True, "40"):
        with pytest.raises(SettingError, match="threshold_db"):
            reach(network, image, WINDOW, threshold_db=level)  # type: ignore[arg-type]
