"""On a real CUDA device; ``benchmarks/gpu.sh`` runs these. What can be known without one is tested in ``placement``."""

from typing import Any

import numpy as np
import pytest
import torch

import srlens
from srlens.imaging.samples import sample_image
from srlens.networks.catalog import SHIPPED_FOR
from srlens.networks.device import device_in_words
from srlens.networks.frozen import frozen

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")]

WINDOW = srlens.Window(110, 150, 16, 16)
HR = sample_image("pagoda").double()
LR = srlens.make_lr(HR, 4)
# Rectifiers amplify what kernels round differently: between 1e-5 and 2e-3 of a map in float32, 1e-12 in float64.
TOLERANCE = {torch.float32: 1e-2, torch.float64: 1e-6}


def both(name: str, dtype: torch.dtype = torch.float32) -> tuple[srlens.Network, srlens.Network]:
    return srlens.load_default(name, dtype=torch.float64), srlens.load_default(name, device="cuda", dtype=dtype)


def agree(here: srlens.Attribution, there: srlens.Attribution, tolerance: float = 1e-2) -> None:
    assert np.linalg.norm(there.map - here.map) <= tolerance * np.linalg.norm(here.map)
    assert there.detector_at_image == pytest.approx(here.detector_at_image, rel=1e-4)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", SHIPPED_FOR["sr"])
@pytest.mark.parametrize("regional", [True, False])
def test_maps_are_those_of_the_cpu(name: str, regional: bool, dtype: torch.dtype) -> None:
    here, there = (srlens.attribute(one, LR, WINDOW, steps=8, regional=regional) for one in both(name, dtype))
    agree(here, there, TOLERANCE[dtype])
    assert there.facts.get("tf32") == (False if dtype == torch.float32 else None)


@pytest.mark.parametrize("name", list(srlens.METHODS))
def test_methods(name: str) -> None:
    few: dict[str, Any] = {"draws": 5} if name == "causal-effect" else {}
    agree(*(srlens.attribute(one, LR, WINDOW, name, **few) for one in both("plain", torch.float64)), tolerance=1e-6)


@pytest.mark.parametrize("detector", list(srlens.DETECTORS))
def test_detectors(detector: str) -> None:
    options: dict[str, Any] = {"detector": detector, "clean": HR, "steps": 6}
    agree(*(srlens.attribute(one, LR, WINDOW, **options) for one in both("channel", torch.float64)), tolerance=1e-6)


def test_nodes_run_in_batches_that_are_measured_once() -> None:
    _, network = both("plain")
    explainer = srlens.Explainer(network, LR, steps=16)
    first = explainer.window(WINDOW)
    assert explainer._kept["limit"] > 1
    assert explainer._kept["compared"]
    agree(first, explainer.window(WINDOW), 1e-4)


def test_nothing_waits_within_a_batch_of_nodes() -> None:
    _, network = both("nonlocal")
    explainer = srlens.Explainer(network, LR, steps=4, regional=False)
    explainer.window(WINDOW)
    with frozen(network.module):
        evaluator = explainer._evaluator([WINDOW], 4)
        x = torch.stack([LR] * 4).to("cuda", torch.float32)
        torch.cuda.set_sync_debug_mode("error")
        try:
            evaluator._differentiate(lambda: None, x, evaluator._regional._full)
        finally:
            torch.cuda.set_sync_debug_mode("default")


def test_too_large_a_batch_is_halved() -> None:
    """The memory of this process is bounded to what a few nodes take."""
    _, network = both("channel")
    explainer = srlens.Explainer(network, LR, steps=32, regional=False)
    expected = explainer.window(WINDOW)
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.empty_cache()
    explainer._kept |= {"limit": 64}
    try:
        torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_allocated() + 2**28) / total)
        found = explainer.window(WINDOW)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    agree(expected, found, 1e-4)


def test_a_bound_on_memory_holds() -> None:
    _, network = both("nonlocal")
    bound = 2**29
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    result = srlens.attribute(network, LR, WINDOW, steps=32, memory=bound)
    assert torch.cuda.max_memory_allocated() - before <= bound
    assert result.map.any()


def test_a_field_is_made_of_maps_of_its_windows() -> None:
    _, network = both("channel")
    field = srlens.field(network, LR, size=16, stride=80, steps=4)
    for point in field.points:
        alone = srlens.attribute(network, LR, point.window, steps=4)
        assert point.diffusion_index == pytest.approx(alone.diffusion_index, rel=1e-2)


def test_the_device_is_named() -> None:
    assert torch.cuda.get_device_name() in device_in_words(torch.device("cuda"))
