"""Published checkpoints in float32: regional evaluation is used, is the same, and computes less."""

import pytest
import torch
from torch.nn import functional as nnf

import srlens
from srlens.attribution.detector import DETECTORS
from srlens.attribution.evaluator import Evaluator
from srlens.networks.frozen import frozen
from srlens.windowed import Windowed

# File and largest share of multiply-adds that a window of 16 needs of LR 64×64.
CHECKPOINTS = {
    "bsrn-x4.pth": 0.85,
    "carn-m-multiscale.pth": 0.2,
    "fsrcnn-y-x4.pth": 0.05,
    "imdn-x4.pth": 0.9,
    "pan-x4.pth": 0.3,
    "rfdn-x4.pth": 0.9,
    "rlfn-x4.pth": 0.85,
    "smfanet-x4.pth": 0.85,
    "dctlsa-x4.pt": 0.9,
    "craft-x4.pth": 0.92,
}
HEAVY = {"dctlsa-x4.pt", "craft-x4.pth"}


@pytest.mark.shared
@pytest.mark.parametrize("file", [pytest.param(f, marks=pytest.mark.slow if f in HEAVY else ()) for f in CHECKPOINTS])
def test_a_published_network_is_evaluated_regionally(shared, file):
    network = srlens.load_network(shared / "weights" / file)
    rough = torch.rand(1, network.channels, 64, 64, dtype=torch.float64)
    image = nnf.avg_pool2d(nnf.pad(rough, (2, 2, 2, 2), mode="reflect"), 5, 1)
    window = srlens.Window.square(110, 150, 16)
    windowed = Windowed(network)
    evaluator = Evaluator(network, DETECTORS["gradient"], [window], 64, 64, expected=50, windowed=windowed)
    full_only = Windowed(network, wanted=False)
    reference = Evaluator(network, DETECTORS["gradient"], [window], 64, 64, windowed=full_only)
    with frozen(network.module):
        full = reference.gradients(image)[:, 0]
        regional = evaluator.gradients(image)[:, 0]
        x = image.float().requires_grad_(True)
        patch = window.grown(DETECTORS["gradient"].margin, 256, 256).crop(
            network(x.clone(memory_format=windowed._memory_format))
        )
        (same_format,) = torch.autograd.grad(DETECTORS["gradient"].measure(patch).sum(), x)
    assert evaluator.evaluation.startswith("regional (")
    assert int(evaluator.evaluation.split("(")[1].split("%")[0]) <= 100 * CHECKPOINTS[file]
    assert float((same_format - regional).norm()) <= 1e-4 * float(same_format.norm())
    # Channels last rounds otherwise, which flips a few rectifiers: BSRN differs by 4e-3 on some images, most by 1e-5.
    assert float((full - regional).norm()) <= 1e-2 * float(full.norm())
