"""Network files: damaged, foreign and dangerous ones; nesting and prefixes."""

import io
import json
import os
import pickle
import pickletools
import random
import warnings
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

import srlens
from srlens.errors import CheckpointError, NotFiniteError, SrlensError, UnsafeCheckpointError
from srlens.networks.checkpoint import read_state_dict, readings


@pytest.fixture
def state() -> dict[str, Tensor]:
    return {"head.weight": torch.rand(4, 3, 3, 3), "head.bias": torch.rand(4), "count": torch.tensor(3)}


def assert_equal(a: dict[str, Tensor], b: dict[str, Tensor]) -> None:
    assert list(a) == list(b)
    assert all(torch.equal(a[key], b[key]) for key in a)


# What is no checkpoint


def test_missing_folder_empty(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"No file .*absent.pth.*srlens networks list"):
        read_state_dict(tmp_path / "absent.pth")
    with pytest.raises(CheckpointError, match="is a folder; a network file was expected"):
        read_state_dict(tmp_path)
    (tmp_path / "empty.pth").touch()
    with pytest.raises(CheckpointError, match=r"empty .0 bytes.*Fetch it again"):
        read_state_dict(tmp_path / "empty.pth")


def picture() -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (9, 9)).save(buffer, "png")
    return buffer.getvalue()


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("word/document.xml", "<x/>")
    return buffer.getvalue()


def array_file() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, weight=np.zeros(3))
    return buffer.getvalue()


FOREIGN = {
    "text": b"Dear reader, this is no network.\n" * 20,
    "html": b"<!DOCTYPE html><html><body>404</body></html>",
    "json": json.dumps({"weight": [1, 2, 3]}).encode(),
    "json that looks like safetensors": b"12345678{" + b"}" * 30,
    "png": picture(),
    "zip": archive(),
    "npz": array_file(),
    "zeros": bytes(5000),
    "one byte": b"\x80",
    "noise": random.Random(0).randbytes(5000),
    "git lfs pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
}


@pytest.mark.parametrize("suffix", [".pth", ".safetensors", ""])
@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_files_of_another_kind(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"network{suffix}"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"network.* cannot be read as .*fetch it again") as caught:
        read_state_dict(path)
    assert not isinstance(caught.value, UnsafeCheckpointError)


def saved(state: dict[str, Tensor], form: str, folder: Path) -> bytes:
    path = folder / f"saved-{form}"
    if form == "safetensors":
        save_file(state, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=form == "zip")
    return path.read_bytes()


@pytest.mark.parametrize("form", ["zip", "legacy", "safetensors"])
def test_cut_off_anywhere(tmp_path: Path, state, form: str) -> None:
    whole = saved(state, form, tmp_path)
    path = tmp_path / "cut.pth"
    for stop in [*range(1, 80), *range(80, len(whole), 53), len(whole) - 2, len(whole) - 1]:
        path.write_bytes(whole[:stop])
        with pytest.raises(CheckpointError, match="cannot be read") as caught:
            read_state_dict(path)
        assert type(caught.value) is CheckpointError, stop  # damaged, not dangerous


@pytest.mark.parametrize("form", ["zip", "legacy", "safetensors"])
def test_flipped_bytes_never_give_an_unnamed_error(tmp_path: Path, state, form: str) -> None:
    whole = saved(state, form, tmp_path)
    generator = random.Random(form)
    path = tmp_path / "flipped.pth"
    named = 0
    for _ in range(150):
        content = bytearray(whole)
        for _ in range(generator.choice([1, 4, 30])):
            content[generator.randrange(len(content))] = generator.randrange(256)
        path.write_bytes(content)
        try:
            read_state_dict(path)  # flips within the numbers go unnoticed
        except SrlensError:
            named += 1
    assert named > 20


@pytest.mark.shared
@pytest.mark.parametrize(
    "file", ["pan-x4.pth", "imdn-x4.pth", "carn-m-multiscale.pth", "dctlsa-x4.pt", "fsrcnn-y-x4.pth"]
)
@pytest.mark.parametrize("share", [0.0005, 0.01, 0.3, 0.9, 0.9999])
def test_published_checkpoints_cut_off(tmp_path: Path, shared: Path, file: str, share: float) -> None:
    content = (shared / "weights" / file).read_bytes()
    path = tmp_path / file
    path.write_bytes(content[: max(int(len(content) * share), 1)])
    with pytest.raises(CheckpointError, match=r"cannot be read as a PyTorch checkpoint.*truncated") as caught:
        srlens.load_network(path)
    assert type(caught.value) is CheckpointError


@pytest.mark.parametrize("content", [[1, 2], 5, "text", torch.ones(3), (torch.ones(3),)], ids=repr)
def test_other_objects(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match=r"holds a \w+, not a state dict. Save `model.state_dict"):
        read_state_dict(tmp_path / "x.pth")


@pytest.mark.parametrize("content", [{}, {"epoch": 3}, {"state_dict": {}}, {"a": {"b": {"c": 1}}}], ids=repr)
def test_mappings_without_tensors(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match="holds no tensors under any known key"):
        read_state_dict(tmp_path / "x.pth")


def test_mapping_that_holds_itself(tmp_path: Path) -> None:
    content: dict[str, object] = {"epoch": 3}
    content["model"] = content["state_dict"] = content
    torch.save(content, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match="holds no tensors"):
        read_state_dict(tmp_path / "x.pth")


def test_torchscript(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is deprecated; files of it remain
        torch.jit.script(nn.Conv2d(3, 3, 1)).save(tmp_path / "x.pt")
    with pytest.raises(CheckpointError, match=r"TorchScript program.*Save `model.state_dict"):
        read_state_dict(tmp_path / "x.pt")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("form", ["zip", "safetensors"])
def test_not_finite_weights(tmp_path: Path, state, value: float, form: str) -> None:
    state["head.bias"][2] = value
    path = tmp_path / "x.pth"
    path.write_bytes(saved(state, form, tmp_path))
    with pytest.raises(NotFiniteError, match=r"x.pth: 1 of 4 values of 'head.bias' are NaN or infinite.*use another"):
        read_state_dict(path)


# Code in files


class Touch:
    """Makes a folder when unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("nested", [False, True])
def test_code_in_a_pickle_is_not_run(tmp_path: Path, protocol: int, nested: bool) -> None:
    target = tmp_path / "proof"
    path = tmp_path / "weights.pth"
    path.write_bytes(pickle.dumps({"weight": Touch(target)} if nested else Touch(target), protocol=protocol))
    with pytest.raises(UnsafeCheckpointError, match=r"weights.pth is not a plain state dict.*would run code"):
        read_state_dict(path)
    assert not target.exists()
    pickle.loads(path.read_bytes())  # the file is dangerous indeed
    assert target.exists()


@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_checkpoint_is_not_run(tmp_path: Path, state, zipped: bool) -> None:
    target = tmp_path / "proof"
    path = tmp_path / "weights.pth"
    torch.save({**state, "extra": Touch(target)}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(UnsafeCheckpointError, match="mkdir"):
        srlens.load_network(path)
    assert not target.exists()
    torch.load(path, weights_only=False)
    assert target.exists()


def test_opcodes_that_call_without_naming_a_global_first(tmp_path: Path) -> None:
    target = tmp_path / "proof"
    content = b"(S'" + str(target).encode() + b"'\nios\nmkdir\n."
    assert "INST" in {code.name for code, _, _ in pickletools.genops(content)}
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    with pytest.raises(UnsafeCheckpointError):
        read_state_dict(path)
    assert not target.exists()


@pytest.mark.parametrize("zipped", [True, False])
def test_whole_modules_are_refused_with_the_remedy(tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / "module.pth"
    torch.save(nn.Conv2d(3, 3, 1), path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(UnsafeCheckpointError, match=r"Conv2d.*torch.save\(model.state_dict\(\), 'weights.pth'\)"):
        read_state_dict(path)


@pytest.mark.shared
def test_published_legacy_pickle_is_refused(shared: Path) -> None:
    with pytest.raises(UnsafeCheckpointError, match=r"vdsr.Net"):
        srlens.load_network(shared / "weights/vdsr-legacy-pickle.pth")


# Nesting and prefixes


@pytest.mark.parametrize(
    ("form", "suffix"),
    [(form, suffix) for form in ("zip", "legacy") for suffix in (".pth", ".pt", ".ckpt", ".bin", "")]
    + [("safetensors", ".safetensors")],
)
def test_plain(tmp_path: Path, state, form: str, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    path.write_bytes(saved(state, form, tmp_path))
    read = read_state_dict(str(path))
    assert read.keys() == state.keys()
    assert all(torch.equal(read[key], state[key]) for key in state)


def test_safetensors_under_another_name(tmp_path: Path, state) -> None:
    path = tmp_path / "x.pth"
    path.write_bytes(saved(state, "safetensors", tmp_path))
    assert read_state_dict(path).keys() == state.keys()


NESTS = {
    "params": lambda s: {"params": s},
    "params_ema": lambda s: {"params_ema": s},
    "state_dict": lambda s: {"state_dict": s, "epoch": 7, "arch": "EDSR"},
    "model": lambda s: {"model": s, "optimizer": {"state": {0: {"exp_avg": torch.ones(2)}}}},
    "nested twice": lambda s: {"model": {"state_dict": s}},
    "averaged weights first": lambda s: {"params": {k: v * 0 for k, v in s.items()}, "params_ema": s},
    "unknown single key": lambda s: {"my_network": s, "epoch": 2, "options": {"lr": 0.1}},
    "ordered": lambda s: OrderedDict(state_dict=OrderedDict(s)),
    "tensor beside": lambda s: {"best_psnr": torch.tensor(32.1), "state_dict": s},
    "settings under a known key": lambda s: {"net": {"type": "EDSR", "width": 64}, "params": s},
    "settings under an earlier key": lambda s: {"params": {"width": 64}, "weights": s},
    "DataParallel": lambda s: {f"module.{k}": v for k, v in s.items()},
    "nested DataParallel": lambda s: {"state_dict": {f"module.{k}": v for k, v in s.items()}},
    "compiled": lambda s: {f"_orig_mod.{k}": v for k, v in s.items()},
    "compiled DataParallel": lambda s: {f"module._orig_mod.module.{k}": v for k, v in s.items()},
    "BasicSR": lambda s: {"params": {f"net_g.{k}": v for k, v in s.items()}},
}


@pytest.mark.parametrize("nest", NESTS.values(), ids=NESTS)
def test_nests(tmp_path: Path, state, nest) -> None:
    torch.save(nest(state), tmp_path / "x.pth")
    assert_equal(read_state_dict(tmp_path / "x.pth"), state)


def test_lightning(tmp_path: Path, state) -> None:
    content = {
        "epoch": 9,
        "pytorch-lightning_version": "2.1.0",
        "state_dict": {f"model.{k}": v for k, v in state.items()},
        "optimizer_states": [{"state": {}, "param_groups": [{"lr": 0.1}]}],
        "callbacks": {},
    }
    torch.save(content, tmp_path / "x.ckpt")
    as_it_stands = read_state_dict(tmp_path / "x.ckpt")
    assert next(iter(as_it_stands)) == "model.head.weight"
    assert_equal(list(readings(as_it_stands))[-1], state)


def test_readings_take_off_what_may_be_a_prefix_one_by_one(state) -> None:
    twice = {f"model.net.{k}": v for k, v in state.items()}
    assert [next(iter(reading)) for reading in readings(twice)] == [
        "model.net.head.weight",
        "net.head.weight",
        "head.weight",
    ]
    assert [list(r) for r in readings(state)] == [list(state)]


def test_prefix_of_some_keys_is_no_prefix(tmp_path: Path, state) -> None:
    mixed = {**{f"module.{k}": v for k, v in state.items()}, "other": torch.ones(1)}
    torch.save(mixed, tmp_path / "x.pth")
    assert_equal(read_state_dict(tmp_path / "x.pth"), mixed)
    torch.save({"module.": torch.ones(1)}, tmp_path / "y.pth")
    assert list(read_state_dict(tmp_path / "y.pth")) == ["module."]


@pytest.mark.shared
def test_tensors_saved_on_cuda_come_to_the_cpu(shared: Path) -> None:
    state = read_state_dict(shared / "weights/imdn-x4.pth")
    assert {tensor.device.type for tensor in state.values()} == {"cpu"}
    assert not any(key.startswith("module.") for key in state)
