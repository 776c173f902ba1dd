"""What users' modules do: raise, return lists, hold constants; and what channels, ranges and scales they are told."""

import copy
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import srlens
from srlens.comparison.support import gradient_support
from srlens.errors import ModuleError, NetworkOutputError, SettingError
from srlens.networks.differentiable import ensure_differentiable, input_gradient_exists
from srlens.networks.frozen import frozen

WINDOW = srlens.Window(8, 10, 6, 6)


def body(channels: int = 3, scale: int = 2) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(channels, 6, 3, padding=1),
        nn.GELU(),
        nn.Conv2d(6, channels * scale**2, 3, padding=1),
        nn.PixelShuffle(scale),
    )


class Calls(nn.Module):
    """Does something before a network."""

    def __init__(self, before: Callable[[Tensor], Any], inner: nn.Module | None = None) -> None:
        super().__init__()
        self.before, self.inner = before, inner if inner is not None else body()

    def forward(self, x: Tensor) -> Tensor:
        self.before(x)
        return self.inner(x)


# What modules raise


def refuses(x: Tensor) -> None:
    assert x.shape[-1] % 32 == 0, "the width must be a multiple of 32"


def raising(error: Exception) -> Callable[[Tensor], None]:
    def raises(x: Tensor) -> None:
        raise error

    return raises


FAILURES: dict[str, tuple[Callable[[Tensor], Any], str]] = {
    "assert": (refuses, "AssertionError: the width must be a multiple of 32"),
    "value": (raising(ValueError("too\nsmall")), "ValueError: too small"),
    "type": (lambda x, scale: x, "TypeError: .*missing 1 required positional argument: 'scale'"),
    "index": (lambda x: list(x)[len(x)], "IndexError: .*index out of range"),
    "key": (lambda x: {}["scale"], "KeyError: 'scale'"),
    "attribute": (lambda x: x.nothing, "AttributeError: .*nothing"),
    "shape": (lambda x: x.view(3, 7, -1), "RuntimeError: shape .* is invalid"),
    "dtype": (lambda x: nn.functional.conv2d(x.double(), torch.ones(1, 3, 1, 1)), "RuntimeError: .*type"),
    "not implemented": (raising(NotImplementedError()), "NotImplementedError"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_whatever_a_module_raises_is_one_sentence(failure: str) -> None:
    before, words = FAILURES[failure]
    network = srlens.Network.wrap(Calls(before), scale=2, name="mine")
    image = torch.rand(3, 23, 33)
    for run in (
        lambda: network(image[None]),
        lambda: network.upscale(image),
        lambda: srlens.attribute(network, image, WINDOW, steps=2),
        # The second size that is tried, 64, is one that this one takes.
        *([lambda: ensure_differentiable(network)] if failure != "assert" else []),
    ):
        with pytest.raises(ModuleError, match=f"^mine fails on an input of .*: {words}") as caught:
            run()
        message = str(caught.value)
        assert "\n" not in message
        assert all(f"{word}=" in message for word in ("multiple", "minimum", "forward", "channels"))
        assert isinstance(caught.value, RuntimeError | NetworkOutputError)


def test_errors_of_srlens_and_of_a_full_memory_pass() -> None:
    for error in (SettingError("mine"), torch.OutOfMemoryError("CUDA out of memory")):
        with pytest.raises(type(error), match=str(error)):
            srlens.Network.wrap(Calls(raising(error)), scale=2)(torch.rand(1, 3, 8, 8))


def test_a_module_for_larger_pictures_is_tried_on_a_larger_one() -> None:
    def at_least_40(x: Tensor) -> None:
        assert min(x.shape[-2:]) >= 40

    assert input_gradient_exists(srlens.Network.wrap(Calls(at_least_40).requires_grad_(False), scale=2))


def test_argparse_at_import_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "parses.py").write_text("import argparse\nargparse.ArgumentParser().parse_args(['--nothing'])\n")
    (tmp_path / "ends.py").write_text("def build():\n    raise SystemExit('no weights')\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingError, match=r"Importing parses failed: SystemExit: 2. It ends .*, as argparse does"):
        srlens.open_network("parses:build", module=True, scale=2)
    with pytest.raises(SettingError, match=r"ends:build\(\) failed: SystemExit: no weights"):
        srlens.open_network("ends:build", module=True, scale=2)


# What they return


@pytest.mark.parametrize("count", [2, 3, 5])
def test_a_list_of_equal_sizes_is_not_cut_to_its_first(count: int) -> None:
    class Steps(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = body()

        def forward(self, x: Tensor) -> list[Tensor]:
            return [self.inner(x) * k for k in range(count)]

    x = torch.rand(1, 3, 9, 9)
    with pytest.raises(NetworkOutputError, match=rf"list of {count} tensors of one size.*forward=lambda module, x"):
        srlens.Network.wrap(Steps(), scale=2)(x)
    module = Steps()
    last = srlens.Network.wrap(module, scale=2, forward=lambda module, x: module(x)[-1])
    assert torch.equal(last(x), module(x)[-1])


# What they are told


@pytest.mark.parametrize("scale", [2.0, np.int64(2), np.float32(2), np.uint8(2)])
def test_scales_of_other_types(tmp_path: Path, scale: Any) -> None:
    network = srlens.Network.wrap(body(), scale=scale, channels=np.int64(3), multiple=np.int32(1))
    assert (type(network.scale), network.scale, type(network.channels)) == (int, 2, int)
    from srlens.networks.zoo.carn import CARN

    torch.save(CARN(scales=(2, 4), shared_trunk=True, width=8).state_dict(), tmp_path / "x.pth")
    loaded = srlens.load_network(tmp_path / "x.pth", scale=scale)
    assert (type(loaded.scale), loaded.scale) == (int, 2)
    assert loaded(torch.rand(1, 3, 9, 9)).shape == (1, 3, 18, 18)
    assert srlens.make_lr(torch.rand(3, 16, 16), scale).shape == (3, 8, 8)


# Modes and copies


class Attends(nn.Module):
    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.head, self.tail = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 12, 3, padding=1)
        self.attention = nn.MultiheadAttention(8, 2, dropout=dropout, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        y = self.head(x)
        tokens = y.flatten(2).transpose(1, 2)
        answer, _ = self.attention(tokens, tokens, tokens, need_weights=False)
        return nn.functional.pixel_shuffle(self.tail(y + answer.transpose(1, 2).unflatten(2, y.shape[-2:])), 2)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_attention_that_drops_nothing_is_not_random(dropout: float) -> None:
    torch.manual_seed(0)
    network = srlens.Network.wrap(Attends(dropout).double(), scale=2)
    image = torch.rand(3, 40, 40, dtype=torch.float64)
    window = srlens.Window(30, 30, 6, 6)
    regional, full = (srlens.attribute(network, image, window, steps=8, regional=wanted) for wanted in (True, False))
    assert regional.evaluation.startswith("regional")
    assert np.allclose(regional.map, full.map, rtol=1e-9, atol=1e-12)


def test_a_layer_left_in_training_mode_keeps_its_statistics() -> None:
    module = nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.BatchNorm2d(12), nn.PixelShuffle(2)).eval()
    module[1].train()
    before = copy.deepcopy(module.state_dict())
    network = srlens.Network.wrap(module, scale=2)
    image = torch.rand(3, 14, 16)
    sr = network.upscale(image)
    srlens.attribute(network, image, WINDOW, steps=2)
    assert all(torch.equal(before[key], value) for key, value in module.state_dict().items())
    assert module[1].training, "it is as it was"
    module.eval()
    assert torch.equal(network.upscale(image), sr)


def test_frozen_sets_every_layer_back() -> None:
    module = nn.Sequential(nn.Dropout(), nn.Sequential(nn.BatchNorm2d(3), nn.ReLU()))
    modes = [True, False, True, False, True]
    for layer, mode in zip(module.modules(), modes, strict=False):
        layer.training = mode
    with frozen(module):
        assert not any(layer.training for layer in module.modules())
    assert [layer.training for layer in module.modules()] == modes[: len(list(module.modules()))]


def weight_normed() -> nn.Module:
    module = body()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        torch.nn.utils.weight_norm(module[0])
    module(torch.rand(1, 3, 8, 8))  # leaves a weight behind that is no leaf
    return module


class Constant(nn.Module):
    """Tensors that are neither weights nor buffers."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.mean, self.kernel = body(), torch.rand(1, 3, 1, 1), torch.rand(3, 3, 1, 1)
        self.order = torch.tensor([2, 0, 1])

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(nn.functional.conv2d(x - self.mean, self.kernel)[:, self.order])


def scripted() -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is deprecated; modules of it remain
        return torch.jit.script(body().eval())


def script_frozen() -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.freeze(scripted())


def traced() -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.trace(body().eval(), torch.rand(1, 3, 9, 9))


MODULES = {
    "old weight_norm": weight_normed,
    "constants": Constant,
    "scripted": scripted,
    "traced": traced,
    "frozen TorchScript": script_frozen,
}


@pytest.mark.parametrize("make", MODULES.values(), ids=MODULES)
def test_modules_that_cannot_be_copied_or_cast_like_others(make: Callable[[], nn.Module]) -> None:
    torch.manual_seed(0)
    module = make()
    network = srlens.Network.wrap(module, scale=2)
    image = torch.rand(3, 14, 16)
    with torch.no_grad():
        expected = module(image[None])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        double = network.to(dtype=torch.float64)
        with torch.no_grad():
            assert torch.allclose(double(image[None].double()).double(), expected.double(), atol=1e-5)
        support = gradient_support(network, WINDOW, 14, 16, draws=1)
        assert srlens.attribute(network, image, WINDOW, steps=2).map.any()
    assert support.magnitude.any()
    assert {p.dtype for p in module.parameters()} <= {torch.float32}


def test_scripted_modules_by_their_factory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import torch\nfrom torch import nn\n\ndef build():\n    net = nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), "
    )
    code += "nn.PixelShuffle(2)).eval()\n    return torch.jit.freeze(torch.jit.script(net))\n"
    (tmp_path / "programs.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = srlens.open_network("programs:build", module=True, scale=2)
        assert srlens.attribute(network, torch.rand(3, 14, 16), WINDOW, steps=2).map.any()
