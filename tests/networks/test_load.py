"""load_network: from a file to a network, by the file alone."""

import re
import threading
import warnings
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from spandrel.architectures.SwinIR import SwinIR
from torch import nn

import srlens
from srlens.errors import CheckpointError, SettingError, UnknownArchitectureError
from srlens.networks.zoo.edsr import EDSR
from srlens.networks.zoo.fsrcnn import FSRCNN


def edsr(**keywords) -> EDSR:
    return EDSR(**{"scale": 2, "width": 8, "blocks": 2, **keywords}).eval()


def save(module: nn.Module, path: Path, change=lambda s: s) -> Path:
    torch.save(change(module.state_dict()), path)
    return path


WRAPPINGS = {
    "plain": lambda s: s,
    "params_ema": lambda s: {"params": {k: v * 0 for k, v in s.items()}, "params_ema": s},
    "DataParallel": lambda s: {f"module.{k}": v for k, v in s.items()},
    "lightning": lambda s: {"state_dict": {f"model.{k}": v for k, v in s.items()}, "epoch": 3},
    "lightning net": lambda s: {"state_dict": {f"net.{k}": v for k, v in s.items()}, "epoch": 3},
    "generator": lambda s: {"generator": {f"generator.{k}": v for k, v in s.items()}},
    "best score beside": lambda s: {"best": torch.tensor(32.0), "model": s},
}


@pytest.mark.parametrize("wrapping", WRAPPINGS.values(), ids=WRAPPINGS)
def test_loads_whatever_it_is_wrapped_in(tmp_path: Path, wrapping) -> None:
    module = edsr()
    network = srlens.load_network(save(module, tmp_path / "mine-x2.pth", wrapping))
    assert (network.family, network.scale, network.channels, network.name) == ("EDSR", 2, 3, "mine-x2")
    x = torch.rand(1, 3, 9, 10)
    with torch.no_grad():
        expected = module(x * network.value_range) / network.value_range
        assert torch.allclose(network(x), expected, atol=1e-6)
    assert not network.module.training
    assert not any(p.requires_grad for p in network.module.parameters())
    assert network.source == "mine-x2.pth"


def test_safetensors(tmp_path: Path) -> None:
    module = edsr()
    save_file({k: v.contiguous() for k, v in module.state_dict().items()}, tmp_path / "x.safetensors")
    a = srlens.load_network(tmp_path / "x.safetensors")
    b = srlens.load_network(save(module, tmp_path / "x.pth"))
    assert a.digest == b.digest


def test_first_naming_of_esrgan_whose_own_keys_begin_with_model(tmp_path: Path) -> None:
    keys = {"model.0": (8, 3), "model.1.sub.1": (8, 8), "model.3": (8, 8), "model.6": (8, 8), "model.8": (8, 8),
            "model.10": (3, 8)}  # fmt: skip
    state = {}
    for key, (out, into) in keys.items():
        state |= {f"{key}.weight": torch.rand(out, into, 3, 3), f"{key}.bias": torch.rand(out)}
    for rdb in (1, 2, 3):
        for k in range(1, 6):
            into, out = 8 + 32 * (k - 1), 32 if k < 5 else 8
            key = f"model.1.sub.0.RDB{rdb}.conv{k}.0"
            state |= {f"{key}.weight": torch.rand(out, into, 3, 3) * 0.01, f"{key}.bias": torch.rand(out)}
    torch.save(state, tmp_path / "esrgan.pth")
    network = srlens.load_network(tmp_path / "esrgan.pth")
    assert (network.family, network.scale) == ("RRDBNet", 4)
    torch.save({f"module.{k}": v for k, v in state.items()}, tmp_path / "parallel.pth")
    assert srlens.load_network(tmp_path / "parallel.pth").digest == network.digest


def test_types(tmp_path: Path) -> None:
    single = save(edsr(), tmp_path / "single.pth")
    double = save(edsr().double(), tmp_path / "double.pth")
    half = save(edsr().half(), tmp_path / "half.pth")
    assert srlens.load_network(single).dtype == torch.float32
    assert srlens.load_network(double).dtype == torch.float64
    assert srlens.load_network(half).dtype == torch.float32
    assert srlens.load_network(single, dtype=torch.float64).dtype == torch.float64
    assert srlens.load_network(double, dtype=torch.float32).dtype == torch.float32
    assert srlens.load_network(single, dtype=torch.bfloat16).dtype == torch.bfloat16
    assert torch.get_default_dtype() == torch.float32


def test_nothing_that_the_whole_process_shares_is_changed_while_a_file_is_loaded(tmp_path: Path) -> None:
    """Runs go on in other threads while the page loads a network."""
    files = [save(edsr().double(), tmp_path / "ours.pth")]
    # spandrel's SwinIR calls torch.meshgrid the old way, and is built in torch's default type.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = SwinIR(
            embed_dim=8, depths=[2], num_heads=[2], window_size=4, upscale=2, upsampler="pixelshuffledirect"
        )
    files.append(save(module.double(), tmp_path / "theirs.pth"))
    seen: set[tuple[torch.dtype, int]] = set()
    ended = threading.Event()

    def watch() -> None:
        while not ended.is_set():
            seen.add((torch.get_default_dtype(), hash(tuple(map(str, warnings.filters)))))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        networks = [srlens.load_network(file) for file in files for _ in range(5)]
    finally:
        ended.set()
        watcher.join()
    assert len(seen) == 1
    assert {network.dtype for network in networks} == {torch.float64}
    weight = module.state_dict()["conv_first.weight"]
    assert torch.equal(networks[-1].module.state_dict()["conv_first.weight"], weight)


def test_given_settings(tmp_path: Path) -> None:
    path = save(edsr(), tmp_path / "x.pth")
    network = srlens.load_network(path, value_range=1.0, name="my own", scale=2)
    assert (network.value_range, network.name, network.scale) == (1.0, "my own", 2)
    for scale in (3, 4, 0):
        with pytest.raises(SettingError, match=rf"x.pth has no scale {scale}; it has 2"):
            srlens.load_network(path, scale=scale)
    for value_range in (0, -1.0, float("nan"), float("inf")):
        with pytest.raises(SettingError, match="value_range must be positive"):
            srlens.load_network(path, value_range=value_range)


def test_unknown_architecture(tmp_path: Path) -> None:
    path = save(nn.Sequential(nn.Conv2d(3, 3, 1), nn.Linear(2, 2)), tmp_path / "x.pth")
    message = r"x.pth is a checkpoint of no known architecture \(first keys: 0.weight, 0.bias.*srlens.Network.wrap"
    with pytest.raises(UnknownArchitectureError, match=message):
        srlens.load_network(path)


def test_incomplete_state_of_a_known_architecture(tmp_path: Path) -> None:
    """Whatever entry is missing or of another shape, the error is named."""
    state = edsr().state_dict()
    for key in state:
        torch.save({k: v for k, v in state.items() if k != key}, tmp_path / "x.pth")
        with pytest.raises(CheckpointError, match=r"x.pth"):
            srlens.load_network(tmp_path / "x.pth")
    for key, tensor in state.items():
        changed = {**state, key: torch.zeros(*tensor.shape, 2)}
        torch.save(changed, tmp_path / "x.pth")
        with pytest.raises(CheckpointError, match=r"x.pth"):
            srlens.load_network(tmp_path / "x.pth")


def test_further_entries_are_refused(tmp_path: Path) -> None:
    path = save(edsr(), tmp_path / "x.pth", lambda s: {**s, "further.weight": torch.ones(1)})
    with pytest.raises(CheckpointError, match=r"does not load strictly.*wrap"):
        srlens.load_network(path)


def test_luma_network(tmp_path: Path) -> None:
    network = srlens.load_network(save(FSRCNN(scale=3, channels=1), tmp_path / "y.pth"), scale=3)
    assert (network.channels, network.colour, network.scale) == (1, "y", 3)
    result = srlens.attribute(network, torch.rand(3, 14, 16), srlens.Window(9, 9, 6, 6), steps=2)
    assert result.map.shape == (1, 14, 16)


def test_loading_twice_gives_two_networks(tmp_path: Path) -> None:
    path = save(edsr(), tmp_path / "x.pth")
    a, b = srlens.load_network(path), srlens.load_network(path)
    assert a.digest == b.digest
    with torch.no_grad():
        next(a.module.parameters()).zero_()
    assert a.digest != b.digest


@pytest.mark.shared
def test_published_files_and_their_scales(shared: Path) -> None:
    path = shared / "weights/carn-m-multiscale.pth"
    assert srlens.load_network(path).scale == 4
    x = torch.rand(1, 3, 8, 9)
    for scale in (2, 3, 4):
        network = srlens.load_network(path, scale=scale)
        assert network.scale == scale
        assert network(x).shape == (1, 3, 8 * scale, 9 * scale)
    with pytest.raises(SettingError, match=re.escape("has no scale 8; it has 2, 3, 4.")):
        srlens.load_network(path, scale=8)


@pytest.mark.shared
def test_published_network_saved_on_cuda_with_prefixes_attributes(shared: Path) -> None:
    network = srlens.load_network(shared / "weights/imdn-x4.pth")
    image = torch.rand(3, 16, 16)
    result = srlens.attribute(network, image, srlens.Window.square(24, 24, 16), steps=2)
    assert (result.network, result.scale, result.map.shape) == ("imdn-x4", 4, (3, 16, 16))
    assert (result.map != 0).all()  # global pooling: every pixel counts
