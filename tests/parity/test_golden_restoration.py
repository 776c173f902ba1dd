"""Three restoration networks: the published file loads alone and computes what the authors' code does."""

from pathlib import Path

import numpy as np
import pytest
import torch

import srlens
from srlens.attribution.detector import gradient_magnitude

FILES = {"prenet6r-rain100h": "PReNet", "aodnet-dehazer": "AOD-Net", "iat-lol": "IAT"}


@pytest.mark.shared
@pytest.mark.parametrize("file", FILES)
def test_output_and_detector_gradient_equal_the_authors(file: str, shared: Path) -> None:
    golden = np.load(shared / "restoration/golden" / f"{file}.npz")
    network = srlens.load_network(shared / "restoration/weights" / f"{file}.pth", dtype=torch.float64)
    assert (network.family, network.scale, network.colour) == (FILES[file], 1, "rgb")

    x = torch.from_numpy(golden["input"]).requires_grad_(True)
    y = network(x)
    top, left, side = golden["window"]
    detector = gradient_magnitude(y[..., top : top + side + 1, left : left + side + 1])
    (gradient,) = torch.autograd.grad(detector.sum(), x)

    # Both computed in float64: what is left is the order of summation.
    assert _relative(y.detach().numpy(), golden["output"]) <= 1e-9
    assert detector.item() == pytest.approx(float(golden["detector"]), rel=1e-9)
    assert _relative(gradient.numpy(), golden["detector_gradient"]) <= 1e-9


def _relative(ours: np.ndarray, golden: np.ndarray) -> float:
    return float(np.linalg.norm(ours - golden) / np.linalg.norm(golden))
