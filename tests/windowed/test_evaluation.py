"""What the evaluator does with regional evaluation: when it uses it, when not, and that it says so."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as nnf

import srlens
from srlens.attribution.detector import DETECTORS
from srlens.attribution.evaluator import Evaluator
from srlens.errors import ModuleError
from srlens.imaging.window import Window
from srlens.networks.frozen import frozen
from srlens.windowed import Windowed

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
    options.setdefault("clean", nnf.interpolate(images[:1], scale_factor=2)[0].sqrt())
    evaluator = Evaluator(network, DETECTORS[detector], [window], *images.shape[-2:], expected=expected, **options)
    with frozen(network.module):
        gradients = [evaluator.gradients(images)[:, 0] for _ in range(rounds)]
    return evaluator, gradients


def in_full(network, images, **options):
    return evaluated(network, images, windowed=Windowed(network, wanted=False), rounds=1, **options)[1][0]


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


def test_the_detector_is_regional_too():
    network, images = network_with(), image(2)
    evaluator, _ = evaluated(network, images[:1])
    with frozen(network.module):
        values = evaluator.values(images)
        full = Evaluator(
            network, DETECTORS["gradient"], [WINDOW], SIZE, SIZE, windowed=Windowed(network, wanted=False)
        ).values(images)
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


def hooked(x: Tensor) -> Tensor:
    y = x * 2
    y.register_hook(lambda gradient: gradient * 2)
    return y


def overlapping(x: Tensor) -> Tensor:
    y = x * 1.5
    y[:, 0] = x[:, 1]
    return y + x


def by_value(x: Tensor) -> Tensor:
    return x * 2 if x.mean().item() > 0 else x * 3


def noisy(x: Tensor) -> Tensor:
    return x + 1e-3 * torch.rand_like(x)


def noisy_in_place(x: Tensor) -> Tensor:
    return x + 1e-3 * torch.zeros(1, dtype=x.dtype).uniform_()


class Counting:
    """Changes a constant behind the record's back, once it was used."""

    def __init__(self) -> None:
        self.offset = torch.ones(1, dtype=torch.float64)

    def __call__(self, x: Tensor) -> Tensor:
        y = x + self.offset
        self.offset.add_(1)
        return y


def swallowing(x: Tensor) -> Tensor:
    try:
        return x * float(x.mean())
    except Exception:  # as a network with a way out might
        return x * 2


def by_mask(x: Tensor) -> Tensor:
    return x + x[x > 0].mean()


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        (Rounded.apply, "stops the gradient (no_grad)"),
        (no_gradient, "stops the gradient (no_grad)"),
        (lambda x: x * x.detach().sigmoid(), "stops the gradient (detach)"),
        (lambda x: x * x.data.sigmoid(), "stops the gradient (data)"),
        (lambda x: x * float(np.asarray(x.detach()).mean()), "stops the gradient (detach)"),
        (lambda x: x * sum(x.mean((2, 3)).tolist()[0]), "takes values or gradients out of PyTorch (tolist)"),
        (hooked, "takes values or gradients out of PyTorch (register_hook)"),
        (overlapping, "overlapping views"),
        (by_value, "pixel values"),
        (by_mask, "pixel values"),
        (swallowing, "does not follow from the input by recorded operators"),
        (noisy, "random numbers"),
        (noisy_in_place, "random numbers"),
        (Counting(), "overwrites a constant"),
    ],
    ids=[
        "straight-through",
        "no_grad",
        "detach",
        "data",
        "NumPy",
        "list",
        "hook",
        "views",
        "values",
        "mask",
        "swallowed",
        "random",
        "random in place",
        "counter",
    ],
)
def test_what_cannot_be_repeated_is_evaluated_in_full(odd, reason):
    network, images = network_with(odd), image()
    windowed = Windowed(network)
    evaluator, (first, second) = evaluated(network, images, windowed=windowed)
    assert evaluator.evaluation.startswith("full (")
    assert reason in evaluator.evaluation
    assert evaluated(network, images, windowed=windowed)[0].evaluation == evaluator.evaluation
    if odd not in (noisy, noisy_in_place) and not isinstance(odd, Counting):
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

    with pytest.raises(ModuleError, match="ArithmeticError: no") as caught:
        evaluated(network_with(broken))
    assert isinstance(caught.value.__cause__, ArithmeticError)


def written(tail):
    with torch.no_grad():
        tail.trunk.weight.mul_(-1)


def replaced(tail):
    tail.trunk.weight = nn.Parameter(-tail.trunk.weight.detach())


def loaded(tail):
    tail.trunk.load_state_dict({"weight": -tail.trunk.weight, "bias": tail.trunk.bias + 1})


@pytest.mark.parametrize("change", [written, replaced, loaded, lambda tail: tail.gain.mul_(3)])
def test_a_network_whose_weights_change_is_recorded_anew(change):
    network, images = network_with(), image()
    network.module.register_buffer("gain", torch.ones(1, dtype=torch.float64))
    network.module.odd = lambda x: x * (network.module.gain + 1)  # not of the image: a constant of the record
    windowed = Windowed(network)
    evaluated(network, images, windowed=windowed)
    change(network.module)
    evaluator, (_, second) = evaluated(network, images, windowed=windowed)
    assert evaluator.evaluation.startswith("regional (")
    torch.testing.assert_close(second, in_full(network, images), rtol=1e-9, atol=1e-12)


def test_further_windows_are_not_verified_again():
    calls = []

    def counted(x):
        calls.append(1)
        return x

    network, images = network_with(counted), image()
    windowed = Windowed(network)
    evaluated(network, images, windowed=windowed)
    assert len(calls) == 2  # recorded; evaluated in full for comparison
    window = Window(0, 3, 8, 8)
    evaluator, (first, _) = evaluated(network, images, window=window, windowed=windowed)
    assert evaluator.evaluation.startswith("regional (")
    assert len(calls) == 2
    torch.testing.assert_close(first, in_full(network, images, window=window), rtol=1e-9, atol=1e-12)


def test_whether_a_window_is_the_first_changes_no_bit():
    network, other, images = network_with(dtype=torch.float32), network_with(dtype=torch.float32), image()
    other.module.load_state_dict(network.module.state_dict())
    windowed = Windowed(network)
    results = [
        evaluated(network, images, windowed=windowed),
        evaluated(network, images, windowed=windowed),
        evaluated(other, images),
    ]
    (first, gradients), *further = results
    for evaluator, others in further:
        assert evaluator.evaluation == first.evaluation
        torch.testing.assert_close(others, gradients, rtol=0, atol=0)


def test_weights_are_not_copied():
    network = network_with()
    windowed = Windowed(network)
    evaluated(network, image(), windowed=windowed)
    kept = list(windowed._kept.values())
    weights = {t.data_ptr() for t in network.module.parameters()}
    held = [a for record in kept for node in record.graph.nodes for a in node.args if isinstance(a, Tensor) and a.ndim]
    assert held
    assert {t.data_ptr() for t in held} <= weights  # by reference, never copied


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
