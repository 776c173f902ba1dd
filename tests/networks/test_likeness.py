"""Files that load though they are of another architecture, or work in another range, are told by what they make."""

import warnings
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import srlens
from srlens.errors import UnlikeInputWarning
from srlens.networks.likeness import warn_where_unlike
from srlens.networks.zoo.layers import EnlargingNetwork
from srlens.networks.zoo.rfdn import RFDN
from srlens.networks.zoo.rlfn import RLFN


def best_kernels(scale: int) -> Tensor:
    """s²×3×3 kernels before a pixel shuffle of which the enlargement comes nearest to its input when brought down."""
    x = torch.rand(1, 1, 24, 24, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x = nn.functional.interpolate(x, scale_factor=2, mode="bicubic")  # smooth, as photographs are
    columns = []
    for kernel in torch.eye(9 * scale**2, dtype=torch.float64).view(-1, scale**2, 1, 3, 3):
        large = nn.functional.pixel_shuffle(nn.functional.conv2d(x, kernel, padding=1), scale)
        small = nn.functional.interpolate(large, size=x.shape[-2:], mode="bicubic", antialias=True)
        columns.append(small[..., 6:-6, 6:-6].flatten())
    design = torch.stack(columns, dim=1)
    found = torch.linalg.lstsq(design, x[..., 6:-6, 6:-6].reshape(-1, 1), driver="gelsd").solution
    return found.view(scale**2, 3, 3).float()


def trained(module: RFDN | RLFN, value_range: float) -> RFDN | RLFN:
    """A network of these families that enlarges pictures of this range, and uses every part of itself to do so.

    The picture goes around the blocks, to be repeated by the pixel shuffle; what the blocks add is small, as long as
    their inputs are of the range that their biases and sigmoids were made for.
    """
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.05)
        entry = module.fea_conv if isinstance(module, RFDN) else module.conv_1
        entry.weight.zero_()
        entry.bias.zero_()
        for channel in range(module.channels):
            entry.weight[channel, channel, 1, 1] = 1 / value_range
        tail = module.upsampler[0]
        tail.weight.zero_()
        tail.bias.zero_()
        kernels = value_range * best_kernels(module.scale)
        for channel in range(module.channels):
            tail.weight[channel * module.scale**2 : (channel + 1) * module.scale**2, channel] = kernels
        mixing = module.LR_conv if isinstance(module, RFDN) else module.conv_2
        mixing.weight.mul_(0.01)
        mixing.bias.zero_()
    return module.eval()


def families() -> list[RFDN | RLFN]:
    return [
        RFDN(width=8, distilled=4, attention_width=4, blocks=2, scale=2),
        RLFN(width=8, inner=8, attention_width=4, blocks=2, scale=2),
    ]


@pytest.mark.parametrize("k", [0, 1], ids=["RFDN", "RLFN"])
def test_right_files_are_silent(tmp_path: Path, k: int) -> None:
    torch.save(trained(families()[k], 255.0).state_dict(), tmp_path / "x.pth")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert srlens.load_network(tmp_path / "x.pth").value_range == 255.0


class Rounds(nn.Module):
    """As a network for 0–255 that rounds inside."""

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.interpolate(x, scale_factor=2).round()


class Saturates(nn.Module):
    """As a network for [0, 1] that saturates outside."""

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.interpolate(x, scale_factor=2).clamp(-1, 2)


@pytest.mark.parametrize(("module", "right"), [(Rounds(), 255.0), (Saturates(), 1.0)])
def test_another_range_is_told_with_the_right_one(module: nn.Module, right: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_where_unlike(srlens.Network.wrap(module, scale=2, value_range=right))
    with pytest.warns(UnlikeInputWarning, match=rf"or range than .*\. With value_range={right:g} it does"):
        warn_where_unlike(srlens.Network.wrap(module, scale=2, value_range=256 - right))


LOOK_ALIKES = {
    "untrained": lambda state: {key: torch.randn_like(value) * 0.3 for key, value in state.items()},
    "another order of channels inside": lambda state: state | {"fea_conv.weight": state["fea_conv.weight"].flip(0)},
    "another head": lambda state: state | {"fea_conv.weight": state["fea_conv.weight"] * 3},
    "a residual of the enlarged picture": lambda state: (
        state | {"upsampler.0.weight": state["upsampler.0.weight"] * 0.01}
    ),
    "another mean": lambda state: state | {"fea_conv.bias": state["fea_conv.bias"] + 0.7},
}


@pytest.mark.parametrize("change", LOOK_ALIKES.values(), ids=LOOK_ALIKES)
def test_look_alikes_are_told(tmp_path: Path, change) -> None:
    torch.save(change(trained(families()[0], 255.0).state_dict()), tmp_path / "x.pth")
    with pytest.warns(
        UnlikeInputWarning, match=r"probably another architecture than RFDN, or range than 255\. No other"
    ):
        srlens.load_network(tmp_path / "x.pth")


@pytest.mark.shared
@pytest.mark.parametrize("file", ["rfdn-x4.pth", "rlfn-x4.pth", "imdn-x4.pth", "pan-x4.pth"])
def test_published_files_in_both_ranges(shared: Path, file: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        right = srlens.load_network(shared / "weights" / file).value_range
    wrong = 256 - right
    with pytest.warns(UnlikeInputWarning, match=rf"range than {wrong:g}\. With value_range={right:g} it does"):
        srlens.load_network(shared / "weights" / file, value_range=wrong)


@pytest.mark.shared
@pytest.mark.parametrize("file", ["rfdn-x4.pth", "rlfn-x4.pth"])
def test_look_alikes_of_published_files(shared: Path, tmp_path: Path, file: str) -> None:
    """The published weights, changed as the files were that loaded in silence."""
    network = srlens.load_network(shared / "weights" / file)
    state = dict(network.module.state_dict())
    entry = "fea_conv" if file.startswith("rfdn") else "conv_1"
    # The same network for [0, 1].
    small = state | {f"{entry}.weight": state[f"{entry}.weight"] * 255}
    small |= {f"upsampler.0.{part}": state[f"upsampler.0.{part}"] / 255 for part in ("weight", "bias")}
    torch.save(small, tmp_path / "range.pth")
    with pytest.warns(UnlikeInputWarning, match="value_range=1 it does"):
        srlens.load_network(tmp_path / "range.pth")
    # Channels that do not belong together, as where some were pruned.
    torch.save({k: v.roll(1, 0) if k.endswith("c1_r.weight") else v for k, v in state.items()}, tmp_path / "pruned.pth")
    with pytest.warns(UnlikeInputWarning, match="another architecture"):
        srlens.load_network(tmp_path / "pruned.pth")
    # Weights and dilation that do not belong together: no file tells of it.
    for name, layer in network.module.named_modules():
        if name.endswith(("c1_r", "c2_r", "c3_r")):
            assert isinstance(layer, nn.Conv2d)
            layer.dilation = layer.padding = (2, 2)
    with pytest.warns(UnlikeInputWarning, match="another architecture"):
        warn_where_unlike(network)


def test_networks_that_enlarge_nothing_and_other_channels_are_not_judged(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_where_unlike(srlens.Network.wrap(nn.Conv2d(3, 3, 3, padding=1), scale=1))
        warn_where_unlike(srlens.Network.wrap(nn.Upsample(scale_factor=2), scale=2, channels=5))
        warn_where_unlike(srlens.Network.wrap(nn.Upsample(scale_factor=2), scale=2))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e30])
def test_what_is_not_finite_is_unlike(bad: float) -> None:
    class Diverges(EnlargingNetwork):
        def forward(self, x: Tensor) -> Tensor:
            return nn.functional.interpolate(x, scale_factor=4) * bad

    with pytest.warns(UnlikeInputWarning, match="No other range helps"):
        warn_where_unlike(srlens.Network.wrap(Diverges(), scale=4))
