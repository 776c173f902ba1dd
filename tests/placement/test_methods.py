"""Every method, path, detector and rule on another device, through the whole of srlens; and the other device itself."""

from typing import Any

import numpy as np
import pytest
import torch

import srlens
from srlens.attribution.path import path_names
from srlens.imaging.samples import sample_image
from srlens.networks.device import float32_exact

DEVICE = "meta"  # see conftest
WINDOW = srlens.Window(40, 40, 8, 8)
HR = sample_image("pagoda").double()[:, 96:192, 96:192]
LR = srlens.make_lr(HR, 4)
# float64, so that images lie in memory alike and both devices take the same kernels.
PLAIN = srlens.load_default("plain").to(dtype=torch.float64)


def agree(here: srlens.Attribution, there: srlens.Attribution) -> None:
    assert there.evaluation == here.evaluation
    assert there.facts == here.facts
    assert there.map_error == (None if here.map_error is None else pytest.approx(here.map_error, rel=1e-6))
    assert there.detector_at_image == pytest.approx(here.detector_at_image, rel=1e-12)
    assert np.abs(there.map - here.map).max() <= 1e-12 * np.abs(here.map).max()


def test_a_mixture_is_an_error_on_this_device(elsewhere: Any) -> None:
    """Convolution and indexing too, which real meta tensors let pass; forward and backward."""
    far, here = torch.rand(1, 3, 8, 8).to(DEVICE), torch.rand(3, 3, 3, 3)
    for mixed in (
        lambda: torch.nn.functional.conv2d(far, here),
        lambda: far[..., torch.arange(3)],
        lambda: far.index_select(1, torch.arange(2)),
        lambda: far + torch.ones(8),
        lambda: torch.cat([far, torch.ones(1, 3, 8, 8)]),
    ):
        with pytest.raises(RuntimeError, match="two devices"):
            mixed()
    assert torch.equal((far * 2).cpu(), far.cpu() * 2)
    assert elsewhere.waits == {"_to_copy to the device": 1, "_to_copy to the CPU": 2}
    leaf = far.clone().requires_grad_()
    leaf.square().sum().backward()
    assert leaf.grad is not None
    assert leaf.grad.device.type == DEVICE


@pytest.mark.parametrize("name", list(srlens.METHODS))
@pytest.mark.parametrize("regional", [True, False])
def test_methods(elsewhere: Any, name: str, regional: bool) -> None:
    few: dict[str, dict[str, Any]] = {"occlusion": {"block": 6}, "causal-effect": {"block": 6, "draws": 2}}
    options: dict[str, Any] = {"regional": regional, **few.get(name, {})}
    here, there = (srlens.attribute(one, LR, WINDOW, name, **options) for one in (PLAIN, PLAIN.to(DEVICE)))
    agree(here, there)


@pytest.mark.parametrize("path", path_names())
def test_paths(elsewhere: Any, path: str) -> None:
    options: dict[str, Any] = {"path": path, "steps": 8}
    network, window = PLAIN, WINDOW
    if path == "linear-clean":  # of restoration
        torch.manual_seed(0)
        layer = torch.nn.Conv2d(3, 3, 5, padding=2, dtype=torch.float64)
        network, window = srlens.Network.wrap(layer, scale=1), srlens.Window(8, 8, 8, 8)
        options["clean"] = 0.5 * LR
    agree(*(srlens.attribute(one, LR, window, **options) for one in (network, network.to(DEVICE))))


@pytest.mark.parametrize("rule", ["right-riemann", "gauss-legendre"])
def test_rules(elsewhere: Any, rule: str) -> None:
    agree(*(srlens.attribute(one, LR, WINDOW, rule=rule, steps=8) for one in (PLAIN, PLAIN.to(DEVICE))))


@pytest.mark.parametrize("detector", list(srlens.DETECTORS))
def test_detectors(elsewhere: Any, detector: str) -> None:
    options = {"detector": detector, "steps": 8, "clean": HR}
    agree(*(srlens.attribute(one, LR, WINDOW, **options) for one in (PLAIN, PLAIN.to(DEVICE))))


@pytest.mark.parametrize("detector", list(srlens.DETECTORS))
def test_detectors_and_plans_keep_what_they_need_there(elsewhere: Any, detector: str) -> None:
    """A further node copies its image to the device and nothing else: matrices, indices and filters are there."""
    copies = []
    for steps in (8, 16):
        explainer = srlens.Explainer(PLAIN.to(DEVICE), LR, detector=detector, steps=steps, clean=HR)
        explainer.window(WINDOW)
        before = elsewhere.waits["_to_copy to the device"]
        assert explainer.window(WINDOW).evaluation.startswith("regional")
        copies.append(elsewhere.waits["_to_copy to the device"] - before)
    assert copies[1] - copies[0] == 8


def test_a_field(elsewhere: Any) -> None:
    here, there = (srlens.field(one, LR, size=16, stride=40, steps=4) for one in (PLAIN, PLAIN.to(DEVICE)))
    assert there.evaluation == here.evaluation
    np.testing.assert_allclose(there.grid(), here.grid(), rtol=1e-9)


@pytest.mark.parametrize("colour", ["y", "grey"])
def test_networks_of_one_channel_and_pictures(elsewhere: Any, colour: Any) -> None:
    body = torch.nn.Sequential(torch.nn.Conv2d(1, 16, 3, padding=1), torch.nn.PixelShuffle(4)).double()
    network = srlens.Network.wrap(body, scale=4, channels=1, colour=colour)
    far = network.to(DEVICE)
    agree(*(srlens.attribute(one, LR, WINDOW, steps=8) for one in (network, far)))
    torch.testing.assert_close(far.upscale(LR), network.upscale(LR), rtol=0, atol=1e-12)
    assert far.digest == network.digest


def test_an_enlarged_input_and_a_padded_one(elsewhere: Any) -> None:
    body = torch.nn.Conv2d(3, 3, 5, padding=2).double()
    for options in ({"pre_upsampled": True, "scale": 2}, {"multiple": 7, "scale": 1}):
        network = srlens.Network.wrap(body, **options)
        window = srlens.Window(8, 8, 8, 8)
        agree(*(srlens.attribute(one, LR, window, steps=8, seed=3) for one in (network, network.to(DEVICE))))


def test_convolutions_do_without_tf32_unless_it_is_asked_for() -> None:
    cudnn = torch.backends.cudnn
    assert cudnn.allow_tf32, "PyTorch's default"
    seen = []
    network = srlens.Network.wrap(torch.nn.Conv2d(3, 3, 3, padding=1), scale=1)
    watched = srlens.Network.wrap(
        network.module, scale=1, forward=lambda module, x: [seen.append(cudnn.allow_tf32), module(x)][1]
    )
    srlens.attribute(watched, LR.float(), srlens.Window(4, 4, 8, 8), steps=3)
    assert seen
    assert not any(seen)
    assert cudnn.allow_tf32
    with float32_exact(), float32_exact():  # two threads at a time: the last one out sets it back
        assert not cudnn.allow_tf32
    assert cudnn.allow_tf32
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    try:
        with float32_exact():
            assert cudnn.allow_tf32
    finally:
        torch.set_float32_matmul_precision(before)


def test_interventions(elsewhere: Any) -> None:
    """Not on the CPU several images are computed at once, and the last batch is filled up."""
    fills = ("mean", "patches")
    here, there = (srlens.reach(one, LR, WINDOW, HR, fills=fills, nearer=False) for one in (PLAIN, PLAIN.to(DEVICE)))
    assert there.passes == here.passes
    assert there.by_fill == here.by_fill
    for one, other in zip(here.curves, there.curves, strict=True):
        assert [p.rmse for p in other.farther] == pytest.approx([p.rmse for p in one.farther], rel=1e-9)
        assert [p.psnr_change for p in other.farther] == pytest.approx([p.psnr_change for p in one.farther], abs=1e-6)
