"""Many windows at once are the same maps as one by one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

import srlens
from srlens.attribution.field import grid_windows
from srlens.errors import SettingError, WindowError


class Local(nn.Module):
    """Three convolutions and a pixel shuffle: a receptive field of 7 LR pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 12, 3, padding=1), nn.PixelShuffle(2),
            nn.Conv2d(3, 3, 3, padding=1),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x)


class Pooled(Local):
    """The same behind a gate that sees the whole image."""

    def forward(self, x: Tensor) -> Tensor:
        gate = torch.sigmoid(x.mean(dim=(2, 3), keepdim=True) * 3)
        return self.body(x * gate)


class Hidden(Local):
    """Reads its own output's shape through NumPy, which no recorder sees through, without harming the gradient."""

    def forward(self, x: Tensor) -> Tensor:
        y = self.body(x)
        return y * float(np.prod(y.shape) > 0)


class Distilling(nn.Module):
    """Splits its channels and gates them by the whole image, as IMDN does; then a local tail."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 12, 3, padding=1)
        self.trunk = nn.ModuleList([nn.Conv2d(8, 12, 3, padding=1) for _ in range(3)])
        self.last = nn.Sequential(nn.Conv2d(16, 12, 3, padding=1), nn.PixelShuffle(2))

    def forward(self, x: Tensor) -> Tensor:
        y, aside = self.first(x), []
        for convolution in self.trunk:
            kept, rest = torch.split(y, [4, 8], dim=1)
            aside.append(kept)
            y = torch.relu(convolution(rest))
        z = torch.cat([*aside, y[:, :4]], dim=1)
        return self.last(z * z.std(dim=(2, 3), keepdim=True))


@pytest.fixture(scope="module")
def image() -> Tensor:
    return torch.rand(3, 24, 28, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


@pytest.mark.parametrize("build", [Local, Pooled, Hidden, Distilling])
@pytest.mark.parametrize("memory", [2**30, 200_000])
def test_equal_to_separate_maps(build: Callable[[], nn.Module], memory: int, image: Tensor) -> None:
    network = srlens.Network.wrap(build().double(), scale=2)
    windows = grid_windows(48, 56, 8, 14)
    together = list(srlens.Explainer(network, image, steps=5).windows(windows, memory=memory))
    assert [result.window for result in together] == list(windows)
    for result in together:
        alone = srlens.attribute(network, image, result.window, steps=5, regional=False)
        assert np.linalg.norm(result.map - alone.map) <= 1e-9 * np.linalg.norm(alone.map)
        assert result.map_error == pytest.approx(alone.map_error, rel=1e-6)
        assert result.detector_at_image == pytest.approx(alone.detector_at_image, rel=1e-9)
        assert result.detector_at_baseline == pytest.approx(alone.detector_at_baseline, rel=1e-9)
        assert result.evaluations == 5


@pytest.mark.parametrize("build", [Local, Pooled, Distilling])
def test_channels_last_changes_rounding_alone(build: Callable[[], nn.Module], image: Tensor) -> None:
    torch.manual_seed(1)
    network = srlens.Network.wrap(build().float(), scale=2)
    windows = grid_windows(48, 56, 8, 14)
    alone = srlens.attribute(network, image, windows[0], steps=12)
    assert alone.evaluation.endswith("channels last)")
    for result in srlens.Explainer(network, image, steps=5).windows(windows):
        assert result.evaluation.startswith("regional, shared by")
        alone = srlens.attribute(network, image, result.window, steps=5, regional=False)
        assert np.linalg.norm(result.map - alone.map) <= 1e-4 * np.linalg.norm(alone.map)


def test_forward_passes_are_shared(image: Tensor) -> None:
    class Counting(Pooled):
        calls = 0

        def forward(self, x: Tensor) -> Tensor:
            Counting.calls += 1
            return super().forward(x)

    network = srlens.Network.wrap(Counting().double(), scale=2)
    windows = grid_windows(48, 56, 8, 8)
    assert len(windows) > 20
    list(srlens.Explainer(network, image, steps=4, regional=False).windows(windows))
    assert Counting.calls == 4 + 2 + 1  # one a node, the two ends of the path, the image again


class Convolutions(TorchDispatchMode):
    """Counts forward convolutions."""

    count = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        self.count += func is torch.ops.aten.convolution.default
        return func(*args, **(kwargs or {}))


def test_the_trunk_of_a_network_that_splits_is_shared(image: Tensor) -> None:
    network = srlens.Network.wrap(Distilling().double(), scale=2)
    counts = []
    windows = grid_windows(48, 56, 8, 8)
    for number in (2, 6):
        with Convolutions() as convolutions:
            results = list(srlens.Explainer(network, image, steps=3).windows(windows[8 : 8 + number]))
        assert results[0].evaluation.startswith(f"regional, shared by {number} windows")
        counts.append(convolutions.count)
    own = 1  # of the five convolutions, only the last can be restricted to a window
    nodes_and_ends = 3 + 2
    assert counts[1] - counts[0] == 4 * own * nodes_and_ends


def test_flat_windows_have_no_number(image: Tensor) -> None:
    flat = image.clone()
    flat[:, :, 14:] = 0.5
    network = srlens.Network.wrap(nn.Upsample(scale_factor=2, mode="nearest"), scale=2)
    found = srlens.field(network, flat, size=8, steps=3)
    grid = found.grid()
    assert np.isnan(grid[:, -1]).all()
    assert np.isfinite(grid[:, 0]).all()
    assert found.lr_size == (24, 28)


def test_progress_counts_every_window_gradient(image: Tensor) -> None:
    seen: list[tuple[int, int]] = []
    network = srlens.Network.wrap(Local(), scale=2)
    srlens.field(network, image, size=16, steps=3, progress=lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == list(range(1, seen[-1][1] + 1))


def test_mistakes_are_named(image: Tensor) -> None:
    network = srlens.Network.wrap(Local(), scale=2)
    with pytest.raises(WindowError, match="smaller than a window"):
        srlens.field(network, image, size=500)
    with pytest.raises(SettingError, match="at least 1"):
        srlens.field(network, image, stride=0)
    with pytest.raises(SettingError, match="steps must be"):
        srlens.field(network, image, steps=0)


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize("file", ["fsrcnn-y-x4.pth", "imdn-x4.pth", "pan-x4.pth"])
def test_real_networks_in_float64(file: str, shared: Path) -> None:
    network = srlens.load_network(shared / "weights" / file, dtype=torch.float64)
    hr = srlens.read_image(shared / "images/demo/7.png")[:, 60:188, 60:188]
    lr = srlens.make_lr(hr, 4).double()
    windows = grid_windows(128, 128, 16, 48)
    for result in srlens.Explainer(network, lr, steps=2).windows(windows):
        assert result.evaluation.startswith("regional"), result.evaluation
        alone = srlens.attribute(network, lr, result.window, steps=2, regional=False)
        assert np.linalg.norm(result.map - alone.map) <= 1e-9 * np.linalg.norm(alone.map)
