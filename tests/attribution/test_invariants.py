"""What holds for every network, image and window: nothing of the caller's is changed, results cannot be changed."""

import copy
import dataclasses
import json

import hypothesis
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck
from hypothesis import strategies as st
from torch import Tensor, nn

import srlens
from srlens.errors import IncompleteWarning, NotFiniteError, SrlensError

WINDOW = srlens.Window(8, 10, 7, 6)


class Living(nn.Module):
    """In training mode, with batch statistics, dropout, and mixed flags."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.drop = nn.Dropout(0.5)
        self.tail = nn.Conv2d(8, 12, 3, padding=1)
        self.head.weight.requires_grad_(False)
        self.train()
        self.norm.eval()  # a common way to fine-tune
        self.norm.running_mean.uniform_(-0.1, 0.1)
        self.fail = False

    def forward(self, x: Tensor) -> Tensor:
        y = self.drop(self.norm(self.head(x)).relu())
        if self.fail and torch.is_grad_enabled():
            y = y * float("nan")
        return nn.functional.pixel_shuffle(self.tail(y), 2)

    def train(self, mode: bool = True):
        """As re-parameterised networks do: evaluation mode merges branches for good."""
        if not mode and hasattr(self, "norm"):
            with torch.no_grad():
                self.head.bias.add_(1)
        return super().train(mode)


def state_of(module: nn.Module) -> tuple:
    return (
        {key: value.clone() for key, value in module.state_dict().items()},
        {key: p.requires_grad for key, p in module.named_parameters()},
        {key: m.training for key, m in module.named_modules()},
        {key: p.grad for key, p in module.named_parameters()},
    )


def assert_same(a: tuple, b: tuple) -> None:
    assert a[0].keys() == b[0].keys()
    assert all(torch.equal(a[0][key], b[0][key]) for key in a[0])
    assert a[1:] == b[1:]


@pytest.mark.parametrize("fail", [False, True])
@pytest.mark.parametrize("regional", [False, True])
def test_module_is_left_as_it_was_also_after_an_error(image, fail: bool, regional: bool) -> None:
    module = Living()
    module.norm.eval()
    before = state_of(module)
    network = srlens.Network.wrap(module, scale=2)
    module.fail = fail
    if fail:
        with pytest.raises(NotFiniteError):
            srlens.attribute(network, image, WINDOW, regional=regional)
    else:
        first = srlens.attribute(network, image, WINDOW, steps=4, regional=regional)
        again = srlens.attribute(network, image, WINDOW, steps=4, regional=regional)
        assert np.array_equal(first.map, again.map)  # dropout was off
    assert_same(state_of(module), before)


def test_module_is_left_as_it_was_when_progress_raises(image) -> None:
    module = Living()
    before = state_of(module)

    def stop(done: int, expected: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        srlens.attribute(srlens.Network.wrap(module, scale=2), image, WINDOW, progress=stop)
    assert_same(state_of(module), before)


def test_upscaling_leaves_batch_statistics_alone() -> None:
    module = nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 12, 1), nn.Dropout(0.5), nn.PixelShuffle(2)).train()
    before = state_of(module)
    network = srlens.Network.wrap(module, scale=2)
    image = torch.rand(3, 6, 6)
    assert torch.equal(network.upscale(image), network.upscale(image))
    assert_same(state_of(module), before)


def test_weights_changed_between_two_calls_change_the_map(make_network, image) -> None:
    network = make_network(nn.GELU)
    first = srlens.attribute(network, image, WINDOW, steps=20)
    with torch.no_grad():
        network.module[0].weight.mul_(-1)
    second = srlens.attribute(network, image, WINDOW, steps=20)
    fresh = srlens.Network.wrap(copy.deepcopy(network.module), scale=2)
    expected = srlens.attribute(fresh, image, WINDOW, steps=20, regional=False)
    assert first.network_digest != second.network_digest
    assert np.allclose(second.map, expected.map, rtol=1e-6, atol=1e-9)
    assert not np.allclose(second.map, first.map, rtol=1e-2)


def test_course_that_depends_on_pixel_values_is_followed_at_every_node(image) -> None:
    """A branch that flips along the path must not be frozen at its first outcome."""

    class Branch(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.GELU(), nn.PixelShuffle(2))

        def forward(self, x: Tensor) -> Tensor:
            y = self.body(x)
            return y * 3 if x.std() > 0.25 else y

    network = srlens.Network.wrap(Branch().double(), scale=2)
    with pytest.warns(IncompleteWarning, match="Branch: .* gap of .*%"):  # the jump is no part of the integral
        full, regional = (
            srlens.attribute(network, image, WINDOW, steps=12, regional=regional) for regional in (False, True)
        )
    assert np.allclose(full.map, regional.map, rtol=1e-9, atol=1e-12)
    assert full.completeness_gap > 0.1


def test_counts_every_gradient_of_the_network(image) -> None:
    backwards = forwards = 0

    class Counted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.ReLU(), nn.PixelShuffle(2)).double()

        def forward(self, x: Tensor) -> Tensor:
            nonlocal forwards
            forwards += 1
            y = self.body(x)
            if y.requires_grad:
                y.register_hook(count)
            return y

    def count(gradient: Tensor) -> None:
        nonlocal backwards
        backwards += 1

    result = srlens.attribute(srlens.Network.wrap(Counted(), scale=2), image, WINDOW, tolerance=0.004, regional=False)
    assert result.evaluations == backwards > 9
    assert forwards == backwards + 3  # the detector at both ends, and at the image again
    assert result.evaluation.startswith("full")


def test_no_weight_gradients_are_computed(image) -> None:
    module = nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.PixelShuffle(2))
    asked = []
    module[0].weight.register_hook(asked.append)
    srlens.attribute(srlens.Network.wrap(module, scale=2), image, WINDOW, steps=2, detector="residual", regional=False)
    assert asked == []
    assert module[0].weight.grad is None


def test_result_cannot_be_changed(make_network, image) -> None:
    result = srlens.attribute(make_network(), image, WINDOW, steps=3)
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.evaluations = 1
    with pytest.raises(ValueError, match="read-only"):
        result.map[0, 0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        result.absolute[0, 0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.window.top = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.method.name = "gradient"


def test_record_is_plain_and_complete(make_network, image) -> None:
    network = make_network()
    result = srlens.attribute(network, image, WINDOW, steps=3, path=srlens.LinearFromBlur(1.0, 7), detector="intensity")
    record = json.loads(json.dumps(result.record(), allow_nan=False))
    assert record["weights_sha256"] == network.digest
    assert record["window"] == {"top": 8, "left": 10, "height": 7, "width": 6, "unit": "SR pixels"}
    assert record["lr_size"] == [14, 16]
    method = record["method"]
    assert {name: method[name] for name in ("path", "sigma", "kernel")} == {
        "path": "linear-blur",
        "sigma": 1.0,
        "kernel": 7,
    }
    assert (method["detector"], method["steps"], method["tolerance"]) == ("intensity", 3, None)
    assert record["completeness_gap"] == result.completeness_gap
    for text in ("window 7×6 at (top 8, left 10)", "×2", "LR 14×16", "intensity", "σ 1.0", "kernel 7", "3 steps"):
        assert text in result.conditions


def test_same_call_same_bits(make_network, image) -> None:
    network = make_network(dtype=torch.float32)
    a, b = (srlens.attribute(network, image, WINDOW) for _ in range(2))
    assert np.array_equal(a.map, b.map)
    assert a.record() == b.record()


@st.composite
def problems(draw) -> tuple[srlens.Network, Tensor, srlens.Window, dict]:
    """Tiny networks, images and windows: inside, at borders, one pixel high."""
    scale = draw(st.integers(1, 4))
    channels = draw(st.sampled_from([1, 2, 3]))
    height, width = draw(st.integers(3, 12)), draw(st.integers(3, 12))
    torch.manual_seed(draw(st.integers(0, 99)))
    activation = draw(st.sampled_from([nn.ReLU, nn.GELU, nn.Softplus, nn.Tanh]))
    module = nn.Sequential(
        nn.Conv2d(channels, 4, 3, padding=1), activation(), nn.Conv2d(4, channels * scale**2, 3, padding=1),
        nn.PixelShuffle(scale),
    ).double()  # fmt: skip
    network = srlens.Network.wrap(
        module,
        scale=scale,
        channels=channels,
        value_range=draw(st.sampled_from([1.0, 255.0])),
        multiple=draw(st.sampled_from([1, 1, 4])),
    )
    levels = draw(st.sampled_from([2, 3, 256]))
    image = torch.randint(levels, (channels, height, width)) / (levels - 1)
    top, left = draw(st.integers(0, height * scale)), draw(st.integers(0, width * scale))
    rows, columns = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    keywords = {
        "detector": draw(st.sampled_from(list(srlens.DETECTORS))),
        "path": draw(
            st.sampled_from(
                ["progressive-blur", "linear-black", srlens.ProgressiveBlur(0.6, 5), srlens.LinearFromBlur(0.6, 5)]
            )
        ),
        "steps": draw(st.sampled_from([None, 1, 6])),
        "rule": draw(st.sampled_from([None, "midpoint", "right-riemann"])),
        "max_steps": 99,
        "clean": torch.rand(channels, height * scale, width * scale),
    }
    return network, image.double(), srlens.Window(top, left, rows, columns), keywords


@pytest.mark.filterwarnings("ignore:After .* gradient evaluations:srlens.errors.ToleranceWarning")
@pytest.mark.filterwarnings("ignore:.* completeness gap .* after [16] evaluations:srlens.errors.IncompleteWarning")
@hypothesis.settings(deadline=None, max_examples=80, derandomize=True, suppress_health_check=list(HealthCheck))
@hypothesis.given(problem=problems())
def test_a_named_error_or_a_finite_consistent_map(problem) -> None:
    network, image, window, keywords = problem
    digest = network.digest
    try:
        result = srlens.attribute(network, image, window, **keywords)
    except SrlensError as error:
        hypothesis.event(type(error).__name__)
        return
    finally:
        assert network.digest == digest
    hypothesis.event("map")
    assert result.map.shape == image.shape
    assert np.isfinite(result.map).all()
    assert result.map.any()
    # The gap cannot exceed what the map's error allows: |Σ e| ≤ √n ‖e‖ (Cauchy and Schwarz). A kink before the first
    # node or after the last is seen by no estimate: hence the 0.1.
    gap = abs(result.map.sum() - result.detector_change)
    if result.map_error is not None and result.evaluations >= 6:
        bound = (5 * result.map_error + 0.1) * np.linalg.norm(result.map) * np.sqrt(result.map.size)
        assert gap <= bound + 1e-9 * (1 + abs(result.detector_at_image))
    assert result.completeness_gap == pytest.approx(gap / abs(result.detector_change))
    assert 0 <= result.gini < 1
    assert 0 < result.diffusion_index <= 100
    assert result.effective_pixels >= 1 - 1e-12
    assert result.effective_pixels <= image[0].numel() * (1 + 1e-12)
