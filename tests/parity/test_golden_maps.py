"""The paper preset against maps that the authors' own code made."""

from pathlib import Path

import numpy as np
import pytest

import srlens

CHECKPOINTS = {
    "bsrn": "bsrn-x4.pth",
    "carn-m": "carn-m-multiscale.pth",
    "craft": "craft-x4.pth",
    "dctlsa": "dctlsa-x4.pt",
    "imdn": "imdn-x4.pth",
    "pan": "pan-x4.pth",
    "rfdn": "rfdn-x4.pth",
}
WINDOWS = (("7", 110, 150), ("1", 100, 100), ("3", 120, 120))


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize("network_name", CHECKPOINTS)
@pytest.mark.parametrize(("image", "top", "left"), WINDOWS)
def test_paper_preset_equals_the_authors_map(network_name: str, image: str, top: int, left: int, shared: Path) -> None:
    golden = np.load(shared / f"golden/maps/{network_name}_{image}_{top}_{left}.npz")
    network = srlens.load_network(shared / "weights" / CHECKPOINTS[network_name])
    lr = srlens.make_lr(srlens.read_image(shared / f"images/demo/{image}.png"), 4, "pil")

    result = srlens.attribute(network, lr, srlens.Window(top, left, 16, 16), preset="paper")

    error = np.linalg.norm(result.map - golden["map"]) / np.linalg.norm(golden["map"])
    print(f"\n{network_name} {image} ({top}, {left}): error {error:.2e}, DI {result.diffusion_index:.3f}", end=" ")
    print(f"golden {float(golden['diffusion_index']):.3f}", end=" ")
    assert error <= 1e-2
    assert abs(result.diffusion_index - float(golden["diffusion_index"])) <= 0.05
    assert result.detector_at_image == pytest.approx(float(golden["detector_at_image"]), rel=1e-4)
