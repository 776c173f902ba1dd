"""Maps whose truth is known: supports, linear networks, completeness."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import srlens
from srlens.attribution.path import Path
from srlens.imaging.resample import bicubic_upscale
from srlens.networks.receptive_field import ReceptiveField, Stage


def bounding_box(attribution_map: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(np.abs(attribution_map).sum(axis=0))
    return int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1


class Bicubic(nn.Module):
    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        return bicubic_upscale(x, self.scale)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_bicubic_uses_exactly_the_taps_of_its_kernel(scale: int) -> None:
    image = torch.rand(3, 15, 17)
    window = srlens.Window(top=6 * scale + 1, left=7 * scale, height=scale, width=2 * scale)
    result = srlens.attribute(srlens.Network.wrap(Bicubic(scale), scale=scale), image, window, detector="intensity")

    def taps(start: int, stop: int) -> set[int]:
        """LR pixels within two pixels of the centres of SR pixels [start, stop): Keys' cubic kernel."""
        used = set()
        for sr in range(start, stop):
            centre = (sr + 0.5) / scale - 0.5
            used |= {lr for lr in range(100) if 0 < abs(lr - centre) < 2 and not float(lr - centre).is_integer()}
            used |= {round(centre)} if float(centre).is_integer() else set()
        return used

    expected = np.zeros((15, 17), dtype=bool)
    expected[np.ix_(sorted(taps(window.top, window.bottom)), sorted(taps(window.left, window.right)))] = True
    assert np.array_equal((result.map != 0).any(axis=0), expected)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_plain_cnn_uses_exactly_its_receptive_field(make_network, depth: int) -> None:
    network = make_network(nn.Softplus, depth=depth)
    image = torch.rand(3, 20, 22, dtype=torch.float64)
    window = srlens.Window(top=17, left=20, height=3, width=5)
    result = srlens.attribute(network, image, window, detector="intensity")
    field = ReceptiveField((Stage(1, depth),), paper=None)
    top, bottom = field.footprint(window.top, window.bottom, 2, 20)
    left, right = field.footprint(window.left, window.right, 2, 22)
    assert (top, bottom, left, right) == (8 - depth, 10 + depth, 10 - depth, 13 + depth)
    used = (result.map != 0).all(axis=0)
    assert used[top:bottom, left:right].all()
    assert used.sum() == (bottom - top) * (right - left)


def test_convolution_on_the_enlarged_grid_widens_the_support_by_less_than_an_lr_pixel() -> None:
    torch.manual_seed(3)
    module = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.Softplus(), nn.PixelShuffle(2), nn.Conv2d(1, 1, 3, padding=1)
    ).double()
    network = srlens.Network.wrap(module, scale=2, channels=1)
    result = srlens.attribute(
        network, torch.rand(1, 16, 16).double(), srlens.Window(12, 14, 2, 3), detector="intensity"
    )
    field = ReceptiveField((Stage(1, 1), Stage(2, 1)), paper=None)
    assert bounding_box(result.map) == (4, 5, 9, 10)
    assert (field.footprint(12, 14, 2, 16), field.footprint(14, 17, 2, 16)) == ((4, 9), (5, 10))


def test_gradient_detector_reads_one_row_and_column_more(make_network) -> None:
    network = make_network(nn.Softplus, depth=1)
    image = torch.rand(3, 20, 20, dtype=torch.float64)
    box = bounding_box(srlens.attribute(network, image, srlens.Window(16, 16, 2, 2)).map)
    assert box == (7, 7, 11, 11)  # SR pixels 16…18 lie in LR pixels 8 and 9; radius 1


PATHS: list[tuple[str, Path, float]] = [
    ("progressive blur", srlens.ProgressiveBlur(1.2, 9), 1.2),
    ("narrow progressive blur", srlens.ProgressiveBlur(0.5, 5), 0.5),
    ("linear from blur", srlens.LinearFromBlur(1.2, 9), 1.2),
    ("linear from black", srlens.LinearFromBlack(), 0.0),
]


def blurred(image: Tensor, sigma: float, radius: int) -> Tensor:
    """Blur by an explicit two-dimensional kernel and NumPy's reflection."""
    x = np.arange(-radius, radius + 1)
    kernel = np.exp(-(x[:, None] ** 2 + x[None, :] ** 2) / (2 * (sigma + 1e-5) ** 2))
    kernel /= kernel.sum()
    padded = np.pad(image.numpy(), ((0, 0), (radius, radius), (radius, radius)), mode="reflect")
    views = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape, axis=(1, 2))
    return torch.from_numpy(np.einsum("chwij,ij->chw", views, kernel))


@pytest.mark.parametrize(("path", "sigma"), [p[1:] for p in PATHS], ids=[p[0] for p in PATHS])
@pytest.mark.parametrize("rule", ["midpoint", "right-riemann", "gauss-legendre"])
def test_linear_network_and_detector_have_the_closed_form(image: Tensor, path: Path, sigma: float, rule: str) -> None:
    torch.manual_seed(5)
    module = nn.Sequential(nn.Conv2d(3, 12, 5, padding=2), nn.PixelShuffle(2), nn.Conv2d(3, 3, 3, padding=1)).double()
    window = srlens.Window(9, 11, 7, 6)
    x = image[None].clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(module(x)[..., 9:16, 11:17].sum(), x)
    baseline = blurred(image, sigma, 4 if sigma > 1 else 2) if sigma else torch.zeros_like(image)
    truth = (gradient[0] * (image - baseline)).numpy()

    network = srlens.Network.wrap(module, scale=2)
    result = srlens.attribute(network, image, window, detector="intensity", path=path, rule=rule, steps=60)
    assert np.abs(result.map - truth).max() <= 1e-10 * np.abs(truth).max()
    assert result.completeness_gap < 1e-9
    assert result.detector_change == pytest.approx(truth.sum(), rel=1e-9)
    if rule != "gauss-legendre":  # one node is enough, and none of the estimates finds an error
        assert result.map_error < 1e-12
        one = srlens.attribute(network, image, window, detector="intensity", path=path, rule=rule, steps=1)
        assert np.abs(one.map - truth).max() <= 1e-10 * np.abs(truth).max()
        assert one.map_error is None


@pytest.mark.parametrize("parameterisation", ["arc length", "uniform"])
@pytest.mark.parametrize("path", ["progressive-blur", "linear-blur", "linear-black"])
def test_parameterisation_does_not_change_the_integral(make_network, image, path: str, parameterisation: str) -> None:
    network = make_network(nn.GELU)
    window = srlens.Window(8, 10, 6, 6)
    reference = srlens.attribute(
        network, image, window, path=path, rule="gauss-legendre", steps=80, detector="residual"
    )
    result = srlens.attribute(
        network, image, window, path=path, rule="midpoint", parameterisation=parameterisation, steps=400,
        detector="residual",
    )  # fmt: skip
    assert np.linalg.norm(result.map - reference.map) < 1e-4 * np.linalg.norm(reference.map)


@pytest.mark.parametrize("activation", [nn.Softplus, nn.Tanh, nn.GELU])
@pytest.mark.parametrize(
    ("detector", "gap"),
    # The magnitude has a cusp at 0, near which the path may pass: no order of accuracy to gain there.
    [("intensity", 1e-6), ("residual", 1e-6), ("gradient", 5e-3), ("residual-gradient", 5e-3), ("gabor", 5e-3)],
)
def test_completeness_on_smooth_networks(make_network, image, activation, detector: str, gap: float) -> None:
    network = make_network(activation)
    result = srlens.attribute(
        network, image, srlens.Window(8, 10, 7, 6), detector=detector, rule="gauss-legendre", steps=64
    )
    assert abs(result.detector_change) > 1e-3
    assert result.completeness_gap < gap


def test_completeness_by_fine_midpoint(make_network, image) -> None:
    result = srlens.attribute(
        make_network(nn.Softplus), image, srlens.Window(8, 10, 7, 6), steps=1000, detector="residual"
    )
    assert result.completeness_gap < 1e-6


def test_map_is_signed_and_per_channel(make_network, image) -> None:
    result = srlens.attribute(make_network(nn.Tanh), image, srlens.Window(8, 10, 6, 6))
    assert result.map.shape == (3, 14, 16)
    assert (result.map > 0).any()
    assert (result.map < 0).any()
    assert result.lr_size == (14, 16)
    assert np.array_equal(result.absolute, np.abs(result.map[0] + result.map[1] + result.map[2]))
