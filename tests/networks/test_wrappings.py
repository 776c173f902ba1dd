"""What training scripts wrap weights in: whatever it is, the network in it is found, and the averaged one first."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import srlens
from srlens.errors import CheckpointError, UnknownArchitectureError, UnsafeCheckpointError
from srlens.networks.zoo.edsr import EDSR
from srlens.networks.zoo.imdn_kair import SimplifiedIMDN
from srlens.networks.zoo.msrresnet import MSRResNet

State = dict[str, Tensor]


def other(state: State) -> State:
    """What must not be taken."""
    return {key: tensor * 0 for key, tensor in state.items()}


def under(prefix: str, state: State) -> State:
    return {f"{prefix}{key}": tensor for key, tensor in state.items()}


def averaged(state: State) -> State:
    """Of torch.optim.swa_utils, as it saves itself."""
    model = EDSR(scale=2, width=8, blocks=2)
    model.load_state_dict(state)
    return torch.optim.swa_utils.AveragedModel(model).state_dict()


def profiled(state: State) -> State:
    counters = {f"{layer}{name}": torch.zeros(1) for layer in ("", "head.", "head.0.") for name in COUNTERS}
    return {**state, **counters}


COUNTERS = ("total_ops", "total_params")
DISCRIMINATOR = {"0.weight": torch.rand(4, 3, 3, 3), "0.bias": torch.rand(4)}

AVERAGED: dict[str, Callable[[State], Any]] = {
    "model and model_ema": lambda s: {"model": other(s), "model_ema": s},
    "net and net_ema": lambda s: {"net": other(s), "net_ema": s},
    "generator and generator_ema": lambda s: {"generator": other(s), "generator_ema": s},
    "state_dict and ema_state_dict": lambda s: {"state_dict": other(s), "ema_state_dict": s},
    "g and g_ema": lambda s: {"g": other(s), "d": DISCRIMINATOR, "g_ema": s},
    "ema with its decay": lambda s: {"model": other(s), "ema": {"decay": 0.999, "shadow": s}, "ema_decay": 0.999},
    "flat generators of MMEditing": lambda s: {
        **under("generator.", other(s)), **under("generator_ema.", s), "step_counter": torch.tensor([3])
    },
    "flat, under state_dict, with losses": lambda s: {"state_dict": {
        **under("generator.", other(s)), **under("generator_ema.", s), **under("discriminator.", DISCRIMINATOR),
        **under("perceptual_loss.vgg.", DISCRIMINATOR), "data_preprocessor.mean": torch.rand(3, 1, 1),
        "step_counter": torch.tensor([3]),
    }},
    "ema_pytorch": lambda s: {
        "initted": torch.tensor(True), "step": torch.tensor(9), **under("online_model.", other(s)),
        **under("ema_model.", s),
    },
    "AveragedModel": averaged,
}  # fmt: skip

WRAPPED: dict[str, Callable[[State], Any]] = {
    "thop": profiled,
    "thop under DataParallel": lambda s: under("module.", profiled(s)),
    "flat net_g and net_d": lambda s: {**under("net_g.", s), **under("net_d.", DISCRIMINATOR)},
    "nests of net_g and net_d": lambda s: {"net_g": s, "net_d": DISCRIMINATOR},
    "compiled inside": lambda s: {key.replace("body.", "body._orig_mod."): value for key, value in s.items()},
    "parallel inside": lambda s: {key.replace("body.", "body.module.", 1): value for key, value in s.items()},
    "Lightning with a loss": lambda s: {"state_dict": {**under("model.", s), **under("loss_fn.", DISCRIMINATOR)}},
    "NumPy scalars beside": lambda s: {"psnr": np.float64(31.7), "best": np.float32(3), "step": np.int64(7), "net": s},
    "NumPy arrays beside": lambda s: {"history": np.arange(9.0), "names": np.array(["a", "bc"]), "state_dict": s},
}


@pytest.mark.parametrize("wrapping", [*AVERAGED.values(), *WRAPPED.values()], ids=[*AVERAGED, *WRAPPED])
@pytest.mark.parametrize("zipped", [True, False])
def test_the_network_is_found(tmp_path: Path, wrapping: Callable[[State], Any], zipped: bool) -> None:
    state = EDSR(scale=2, width=8, blocks=2).state_dict()
    torch.save(state, tmp_path / "plain.pth")
    torch.save(wrapping(state), tmp_path / "wrapped.pth", _use_new_zipfile_serialization=zipped)
    plain, wrapped = (srlens.load_network(tmp_path / name) for name in ("plain.pth", "wrapped.pth"))
    assert wrapped.digest == plain.digest
    assert np.ndarray not in torch.serialization.get_safe_globals()  # nothing stays allowed


def test_a_known_network_within_another_is_not_taken_for_the_whole(tmp_path: Path) -> None:
    state = {**under("model.", EDSR(scale=2, width=8, blocks=2).state_dict()), **under("refine.", DISCRIMINATOR)}
    torch.save(state, tmp_path / "x.pth")
    with pytest.raises(UnknownArchitectureError):
        srlens.load_network(tmp_path / "x.pth")


def test_numpy_objects_are_code(tmp_path: Path) -> None:
    torch.save({"history": np.array([print, 1], dtype=object), "net": {"a": torch.ones(2)}}, tmp_path / "x.pth")
    with pytest.raises(UnsafeCheckpointError) as caught:
        srlens.load_network(tmp_path / "x.pth")
    assert "weights_only" not in f"{caught.value}{caught.value.__cause__}"
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    "content", [b"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01cbuiltins\n", b"garbage" * 99, b"\x80\x05."]
)
def test_the_advice_to_read_a_file_with_its_code_never_reaches_a_user(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.pth").write_bytes(content)
    with pytest.raises(CheckpointError) as caught:
        srlens.load_network(tmp_path / "x.pth")
    assert "weights_only" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def kair(state: State) -> State:
    return {key.replace("body.", "recon_trunk.").replace("conv_hr.", "HRconv."): value for key, value in state.items()}


@pytest.mark.parametrize("names", [lambda state: state, kair], ids=["BasicSR", "KAIR"])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_msrresnet(tmp_path: Path, names: Callable[[State], State], scale: int) -> None:
    module = MSRResNet(scale=scale, width=8, blocks=3).eval()
    torch.save({"params": names(module.state_dict())}, tmp_path / "x.pth")
    network = srlens.load_network(tmp_path / "x.pth")
    assert (network.family, network.scale, network.value_range) == ("MSRResNet", scale, 1.0)
    x = torch.rand(1, 3, 9, 11)
    assert torch.equal(network(x), module(x))
    reach = 1 + 2 * 3 + (1 + 1 / 2 if scale == 4 else 1) + 2 / scale
    assert network.receptive_field.true == pytest.approx(1 + 2 * reach)


def test_msrresnet_by_hand() -> None:
    """The published forward pass, in functions."""
    torch.manual_seed(0)
    module, f = MSRResNet(scale=4, width=6, blocks=2).double(), nn.functional
    w, x = module.state_dict(), torch.rand(1, 3, 7, 8, dtype=torch.float64)

    def conv(name: str, y: Tensor) -> Tensor:
        return f.conv2d(y, w[f"{name}.weight"], w[f"{name}.bias"], padding=1)

    y = f.leaky_relu(conv("conv_first", x), 0.1)
    for k in range(2):
        y = y + conv(f"body.{k}.conv2", conv(f"body.{k}.conv1", y).relu())
    for k in (1, 2):
        y = f.leaky_relu(f.pixel_shuffle(conv(f"upconv{k}", y), 2), 0.1)
    y = conv("conv_last", f.leaky_relu(conv("conv_hr", y), 0.1))
    expected = y + f.interpolate(x, scale_factor=4, mode="bilinear", align_corners=False)
    assert torch.allclose(module(x), expected, atol=1e-12)


def test_imdn_of_kair(tmp_path: Path) -> None:
    """Key names and forward pass as published: blocks in a row, no attention, no fusion."""
    torch.manual_seed(0)
    f, width, aside, blocks, scale = nn.functional, 8, 2, 3, 3
    shapes = {"model.0": (width, 3, 3), f"model.1.sub.{blocks}": (width, width, 3), "model.2": (3 * scale**2, width, 3)}
    for k in range(blocks):
        shapes |= {
            f"model.1.sub.{k}.conv1.0": (width, width, 3),
            f"model.1.sub.{k}.conv2.0": (width, width - aside, 3),
            f"model.1.sub.{k}.conv3.0": (width, width - aside, 3),
            f"model.1.sub.{k}.conv4": (aside, width - aside, 3),
            f"model.1.sub.{k}.conv1x1": (width, 4 * aside, 1),
        }
    w = {}
    for name, (out, into, size) in shapes.items():
        w |= {f"{name}.weight": torch.randn(out, into, size, size) / 9, f"{name}.bias": torch.randn(out) / 9}
    torch.save(w, tmp_path / "x.pth")
    network = srlens.load_network(tmp_path / "x.pth")
    assert (network.family, network.scale) == ("IMDN (KAIR)", scale)
    assert isinstance(network.module, SimplifiedIMDN)
    assert network.receptive_field.true == 1 + 2 * (3 + 4 * blocks)

    def conv(name: str, y: Tensor) -> Tensor:
        return f.conv2d(y, w[f"{name}.weight"], w[f"{name}.bias"], padding="same")

    x = torch.rand(1, 3, 9, 8)
    first = y = conv("model.0", x)
    for k in range(blocks):
        name, rest, kept = f"model.1.sub.{k}.", y, []
        for layer in ("conv1.0", "conv2.0", "conv3.0"):
            both = f.leaky_relu(conv(name + layer, rest), 0.05)
            kept.append(both[:, :aside])
            rest = both[:, aside:]
        y = y + conv(f"{name}conv1x1", torch.cat([*kept, conv(f"{name}conv4", rest)], dim=1))
    expected = f.pixel_shuffle(conv("model.2", first + conv(f"model.1.sub.{blocks}", y)), scale)
    assert torch.allclose(network(x), expected, atol=1e-5)


def test_deployed_span(tmp_path: Path) -> None:
    """Of every layer the merged convolution alone: the same network, to the last bit."""
    from spandrel.architectures.SPAN import SPAN

    torch.manual_seed(0)
    module = SPAN(num_in_ch=3, num_out_ch=3, feature_channels=8, upscale=2).eval()
    x = torch.rand(1, 3, 12, 13)
    with torch.no_grad():
        module(x)  # merges
    state = module.state_dict()
    deployed = {key: value for key, value in state.items() if ".sk." not in key and ".conv." not in key}
    assert len(deployed) < len(state) / 2
    torch.save(state, tmp_path / "trained.pth")
    torch.save(deployed, tmp_path / "deployed.pth")
    trained, network = (srlens.load_network(tmp_path / name) for name in ("trained.pth", "deployed.pth"))
    assert (network.family, network.scale) == (trained.family, trained.scale) == ("SPAN", 2)
    assert torch.equal(network(x), trained(x))


@pytest.mark.parametrize("name", ["plain", "channel", "nonlocal"])
def test_the_shipped_networks_own_files(tmp_path: Path, name: str) -> None:
    from srlens.networks.catalog import fetch

    file = tmp_path / "renamed.safetensors"
    file.write_bytes(fetch(name).read_bytes())
    torch.save(srlens.load_default(name).module.state_dict(), tmp_path / "renamed.pth")
    for path in (fetch(name), file, tmp_path / "renamed.pth"):
        assert srlens.load_network(path).digest == srlens.load_default(name).digest


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    state = EDSR(scale=2, width=8, blocks=2).state_dict()
    torch.save({key: value for key, value in state.items() if key != "body.1.body.2.bias"}, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match=r"looks like EDSR.*Missing key.*body\.1\.body\.2\.bias"):
        srlens.load_network(tmp_path / "x.pth")
    torch.save({**state, "mask.weight": torch.ones(1)}, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match=r"looks like EDSR.*Unexpected key.*mask\.weight"):
        srlens.load_network(tmp_path / "x.pth")
    torch.save({**state, "body.0.body.0.bias": torch.ones(9)}, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match=r"looks like EDSR.*size mismatch for body\.0\.body\.0\.bias"):
        srlens.load_network(tmp_path / "x.pth")


def test_the_nearest_family_is_named(tmp_path: Path) -> None:
    from srlens.networks.zoo.rfdn import RFDN

    state = RFDN(width=8, distilled=4, attention_width=2, blocks=1).state_dict()
    pruned = {key: value for key, value in state.items() if "conv_max" not in key}
    torch.save(pruned, tmp_path / "x.pth")
    with pytest.raises(UnknownArchitectureError, match=r"Nearest is RFDN, but B1\.esa\.conv_max is not there"):
        srlens.load_network(tmp_path / "x.pth")


KINDS = {
    "a PNG picture": b"\x89PNG\r\n\x1a\n" + bytes(99),
    "a JPEG picture": b"\xff\xd8\xff\xe0" + bytes(99),
    "a WebP picture": b"RIFF\x00\x00\x00\x00WEBPVP8 " + bytes(99),
    "a TIFF picture": b"II*\x00" + bytes(99),
    "a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
    "a web page": b"\n<!DOCTYPE html><html>404</html>",
    "ONNX": b"\x08\x07\x12\x07pytorch\x1a\x052.0.1" + bytes(99),
    "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(99),
    "GGUF": b"GGUF\x03\x00\x00\x00" + bytes(99),
}


@pytest.mark.parametrize("suffix", [".pth", ".safetensors", ".onnx"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_foreign_file_is_is_said(tmp_path: Path, kind: str, suffix: str) -> None:
    (tmp_path / f"x{suffix}").write_bytes(KINDS[kind])
    with pytest.raises(CheckpointError, match=f"it is {kind}"):
        srlens.load_network(tmp_path / f"x{suffix}")


@pytest.mark.filterwarnings("ignore:Validating sparse tensor")
def test_weights_of_eight_bits_are_read_and_those_without_values_refused(tmp_path: Path) -> None:
    state = EDSR(scale=2, width=8, blocks=2).state_dict()
    small = {key: value.to(torch.float8_e4m3fn) for key, value in state.items()}
    torch.save(small, tmp_path / "x.pth")
    weight = srlens.load_network(tmp_path / "x.pth").module.state_dict()["head.0.weight"]
    assert torch.equal(weight, small["head.0.weight"].float())
    for change, words in ((lambda v: v.to("meta"), "meta tensor"), (lambda v: v.to_sparse(), "is sparse")):
        torch.save({**state, "head.0.weight": change(state["head.0.weight"])}, tmp_path / "x.pth")
        with pytest.raises(CheckpointError, match=rf"'head\.0\.weight' .*{words}.*Save dense weights"):
            srlens.load_network(tmp_path / "x.pth")
