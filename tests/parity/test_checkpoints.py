"""Every published checkpoint at hand: loads by its file alone and reaches its published PSNR on Set5."""

import re
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import srlens
from srlens.errors import UnsafeCheckpointError
from srlens.measures.quality import psnr

IMAGES = ("baby", "bird", "butterfly", "head", "woman")


def index(shared: Path) -> dict[str, dict[str, Any]]:
    text = (shared / "weights/index.toml").read_text()
    # One note holds unescaped quotes; notes are for people.
    text = re.sub(r"^note = .*$", "", text, flags=re.MULTILINE)
    entries = tomllib.loads(text)["checkpoint"]
    return {entry["file"]: entry for entry in entries}


FILES = (
    "carn-m-multiscale.pth",
    "imdn-x4.pth",
    "rfdn-x4.pth",
    "rlfn-x4.pth",
    "pan-x2.pth",
    "pan-x3.pth",
    "pan-x4.pth",
    "bsrn-x4.pth",
    "smfanet-x4.pth",
    "fsrcnn-y-x4.pth",
    "dctlsa-x4.pt",
    "craft-x4.pth",
    "grl-tiny-x4.ckpt",
)


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
def test_loads_alone_and_reaches_its_psnr(file: str, shared: Path) -> None:
    entry = index(shared)[file]
    network = srlens.load_network(shared / "weights" / file)
    assert network.scale in entry["scales"]
    assert network.value_range == (255.0 if entry["value_range"] == "0-255" else 1.0)
    assert network.channels == (1 if entry["value_range"].startswith("Y") else 3)
    if "psnr_set5" not in entry:
        return
    values = []
    for name in IMAGES:
        lr = srlens.read_image(shared / f"images/Set5/LRx{network.scale}/{name}x{network.scale}.png")
        hr = srlens.read_image(shared / f"images/Set5/HR/{name}.png")
        hr = hr[:, : lr.shape[1] * network.scale, : lr.shape[2] * network.scale]
        values.append(psnr(network.upscale(lr), hr, border=network.scale))
    assert np.mean(values) == pytest.approx(entry["psnr_set5"], abs=0.02)


@pytest.mark.shared
def test_the_legacy_pickle_is_refused(shared: Path) -> None:
    with pytest.raises(UnsafeCheckpointError, match="would run code"):
        srlens.load_network(shared / "weights/vdsr-legacy-pickle.pth")
