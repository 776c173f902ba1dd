"""What the evaluator does with regional evaluation: when it uses it, when not, and that it says so."""

import gc

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import srlens
from srlens.attribution.detector import DETECTORS
from srlens.attribution.gradient import Evaluator
from srlens.imaging.window import Window
from srlens.networks.frozen import frozen
from srlens.windowed.capture import _captures
from srlens.windowed.fingerprint import fingerprint

SIZE = 20
WINDOW = Window(14, 20, 8, 8)


class Tail(nn.Module):
    """A global trunk and a local tail, with something odd in between."""

    def __init__(self, odd=lambda x: x):
        super().__init__()
        self.odd = odd
        self.trunk = nn.Conv2d(3, 8, 3, padding=1)
        self.tail = nn.Sequential(
            nn.Conv2d(8, 32, 3, padding=1),
            nn.PixelShuffle(2),
            nn.LeakyReLU(0.1, inplace=True),
            nn.Conv2d(8, 3, 3, padding=1),
        )

    def forward(self, x):
        y = self.trunk(x)
        return self.tail(self.odd(y * y.mean((2, 3), keepdim=True).sigmoid()))


def network_with(odd=lambda x: x, dtype=torch.float64, **options):
    return srlens.Network.wrap(Tail(odd).to(dtype).eval(), scale=2, **options)


def image(count=1, size=SIZE):
    return torch.rand(count, 3, size, size, dtype=torch.float64)


def evaluated(network, images=None, *, expected=50, rounds=2, window=WINDOW, detector="gradient", **options):
    images = image() if images is None else images
    evaluator = Evaluator(network, DETECTORS[detector], window, *images.shape[-2:], expected=expected, **options)
    with frozen(network.module):
        gradients = [evaluator.gradients(images) for _ in range(rounds)]
    return evaluator, gradients


def in_full(network, images, **options):
    return evaluated(network, images, regional=False, rounds=1, **options)[1][0]


@pytest.mark.parametrize("detector", sorted(DETECTORS))
@pytest.mark.parametrize("count", [1, 3])
def test_it_is_regional_and_the_same(detector, count):
    network, images = network_with(), image(count)
    window = Window(14, 20, 12, 12)
    evaluator, (first, second) = evaluated(network, images, detector=detector, window=window)
    assert evaluator.evaluation.startswith("regional (")
    expected = in_full(network, images, detector=detector, window=window)
    torch.testing.assert_close(first, expected, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(second, first, rtol=0, atol=0)  # whether an evaluation was the first does not show
    assert evaluator.evaluations == 2 * count


def test_the_detector_is_regional_too():
    network, images = network_with(), image(2)
    evaluator, _ = evaluated(network, images[:1])
    with frozen(network.module):
        values = evaluator.detect(images)
        full = Evaluator(network, DETECTORS["gradient"], WINDOW, SIZE, SIZE, regional=False).detect(images)
    torch.testing.assert_close(values, full, rtol=1e-12, atol=0)


def test_attribute_says_how_it_evaluated():
    network, picture = network_with(), image()[0]
    regional = srlens.attribute(network, picture, WINDOW, steps=20)
    full = srlens.attribute(network, picture, WINDOW, steps=20, regional=False)
    assert regional.evaluation.startswith("regional (")
    assert regional.evaluation.endswith("% of the multiply-adds)")
    assert full.evaluation == "full (as asked)"
    np.testing.assert_allclose(regional.map, full.map, rtol=1e-8, atol=1e-12)
    assert regional.evaluations == full.evaluations == 20


def test_few_evaluations_do_not_repay_it():
    assert "few evaluations" in evaluated(network_with(), expected=1)[0].evaluation
    assert "few evaluations" in evaluated(network_with(), image(10), expected=20)[0].evaluation


def test_a_window_that_needs_everything_is_evaluated_in_full():
    evaluator, _ = evaluated(network_with(), window=Window(0, 0, 2 * SIZE, 2 * SIZE))
    assert evaluator.evaluation == "full (the window needs 100% of the multiply-adds)"


class Rounded(torch.autograd.Function):
    """A straight-through estimator: its gradient is not that of what it computes."""

    @staticmethod
    def forward(_, x):
        return (x * 64).round() / 64

    @staticmethod
    def backward(_, gradient):
        return gradient


def no_gradient(x: Tensor) -> Tensor:
    with torch.no_grad():
        gate = x.sigmoid()
    return x * gate


def overlapping(x: Tensor) -> Tensor:
    y = x * 1.5
    y[:, 0] = x[:, 1]
    return y + x


def by_value(x: Tensor) -> Tensor:
    return x * 2 if x.mean().item() > 0 else x * 3


def noisy(x: Tensor) -> Tensor:
    return x + 1e-3 * torch.rand_like(x)


def by_mask(x: Tensor) -> Tensor:
    return x + x[x > 0].mean()


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        (Rounded.apply, "rejected: its gradient differs"),
        (no_gradient, "rejected: its gradient differs"),
        (lambda x: x * x.detach().sigmoid(), "rejected: its gradient differs"),
        (overlapping, "overlapping views"),
        (by_value, "pixel values"),
        (by_mask, "pixel values"),
        (noisy, "random numbers"),
    ],
    ids=["straight-through", "no_grad", "detach", "views", "values", "mask", "random"],
)
def test_what_cannot_be_repeated_is_evaluated_in_full(odd, reason):
    network, images = network_with(odd), image()
    evaluator, (first, second) = evaluated(network, images)
    assert evaluator.evaluation.startswith("full (")
    assert reason in evaluator.evaluation
    assert evaluated(network, images)[0].evaluation.startswith("full (")
    if odd is not noisy:
        torch.testing.assert_close(first, second, rtol=0, atol=0)
        torch.testing.assert_close(first, in_full(network, images), rtol=0, atol=0)


def test_a_network_that_writes_into_its_input_is_regional():
    class Writing(Tail):
        def forward(self, x):
            return super().forward(x.mul_(2).sub_(1))

    network, images = srlens.Network.wrap(Writing().double().eval(), scale=2), image()
    evaluator, (_, second) = evaluated(network, images, detector="residual")
    assert evaluator.evaluation.startswith("regional (")
    torch.testing.assert_close(second, in_full(network, images, detector="residual"), rtol=1e-9, atol=1e-12)


def test_errors_of_the_network_are_its_own():
    def broken(_):
        raise ArithmeticError("no")

    with pytest.raises(ArithmeticError, match="no"):
        evaluated(network_with(broken))


def test_a_changed_network_is_recorded_anew():
    network, images = network_with(), image()
    evaluated(network, images)
    with torch.no_grad():
        network.module.trunk.weight.mul_(-1)  # seen by its version
    evaluator, (_, second) = evaluated(network, images)
    assert evaluator.evaluation.startswith("regional (")
    torch.testing.assert_close(second, in_full(network, images), rtol=1e-9, atol=1e-12)
    network.module.odd = torch.tanh  # seen by the attributes of its layers
    evaluator, (_, second) = evaluated(network, images)
    assert evaluator.evaluation.startswith("regional (")
    torch.testing.assert_close(second, in_full(network, images), rtol=1e-9, atol=1e-12)


def test_further_windows_are_not_verified_again():
    calls = []

    def counted(x):
        calls.append(1)
        return x

    network, images = network_with(counted), image()
    evaluated(network, images)
    assert len(calls) == 2  # recorded without gradient; evaluated in full for comparison
    window = Window(0, 3, 8, 8)
    evaluator, (first, _) = evaluated(network, images, window=window)
    assert evaluator.evaluation.startswith("regional (")
    assert len(calls) == 2
    torch.testing.assert_close(first, in_full(network, images, window=window), rtol=1e-9, atol=1e-12)


def test_whether_a_window_is_the_first_changes_no_bit():
    picture, networks = image()[0], [network_with(dtype=torch.float32)] * 2 + [network_with(dtype=torch.float32)]
    networks[2].module.load_state_dict(networks[0].module.state_dict())
    first, again, other = (srlens.attribute(network, picture, WINDOW, steps=12) for network in networks)
    assert first.evaluation == again.evaluation == other.evaluation
    np.testing.assert_array_equal(first.map, again.map)
    np.testing.assert_array_equal(first.map, other.map)


@pytest.mark.parametrize(
    "change",
    [
        lambda tail: setattr(tail, "odd", torch.tanh),
        lambda tail: setattr(tail.trunk, "padding", (2, 2)),
        lambda tail: tail.trunk.register_forward_hook(lambda *_: None),
        lambda tail: setattr(tail, "trunk", nn.Conv2d(3, 8, 3, padding=1)),
        lambda tail: tail.tail.append(nn.Identity()),
        lambda tail: tail.trunk.weight.data.copy_(tail.trunk.weight.data * 2),
        lambda tail: tail.trunk.load_state_dict(nn.Conv2d(3, 8, 3, padding=1).state_dict()),
    ],
    ids=["attribute", "padding", "hook", "layer", "append", "data", "state"],
)
def test_a_change_of_the_module_changes_its_fingerprint(change):
    module = Tail().eval()
    before = fingerprint(module)
    assert fingerprint(module) == before
    change(module)
    assert fingerprint(module) != before


def test_records_go_with_the_network():
    network = network_with()
    before = set(_captures)
    evaluated(network)
    (identity,) = set(_captures) - before
    for size in range(21, 27):
        evaluated(network, image(size=size))
    assert len(_captures[identity]) <= 4
    weights = {t.data_ptr() for t in network.module.parameters()}
    graph = next(iter(_captures[identity].values())).graph
    held = [a for node in graph.nodes for a in node.args if isinstance(a, Tensor) and a.ndim]
    assert {t.data_ptr() for t in held} <= weights  # by reference, never copied
    del network, graph, held
    gc.collect()
    assert identity not in _captures


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-4), (torch.bfloat16, 0.2)])
def test_other_types(dtype, tolerance):
    network, images = network_with(dtype=dtype), image()
    evaluator, (_, second) = evaluated(network, images)
    assert evaluator.evaluation.startswith("regional (")
    expected = in_full(network, images)
    assert float((second - expected).norm()) <= tolerance * float(expected.norm())


@pytest.mark.parametrize("options", [{"value_range": 255.0}, {"multiple": 8}, {"pre_upsampled": True}])
def test_conventions_of_networks(options):
    module = Tail().double().eval()
    if options.get("pre_upsampled"):
        module = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 3, 3, padding=1)).double()
    network, images = srlens.Network.wrap(module, scale=2, **options), image(size=19)
    evaluator, (_, second) = evaluated(network, images, window=Window(29, 29, 8, 8))
    assert evaluator.evaluation.startswith("regional (")
    torch.testing.assert_close(second, in_full(network, images, window=Window(29, 29, 8, 8)), rtol=1e-9, atol=1e-12)


def test_inside_inference_mode():
    network, images = network_with(), image()
    with torch.inference_mode():
        evaluator, (_, second) = evaluated(network, images)
    assert evaluator.evaluation.startswith("regional (")
    torch.testing.assert_close(second, in_full(network, images), rtol=1e-9, atol=1e-12)
