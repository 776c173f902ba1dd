"""Networks that are no function of their input, that mix a batch, overwrite what they need, or checkpoint."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as nnf
from torch.utils.checkpoint import checkpoint

import srlens
from srlens.attribution.detector import DETECTORS
from srlens.attribution.evaluator import Evaluator
from srlens.attribution.windows import Windows
from srlens.errors import ToleranceWarning, UnsteadyNetworkWarning
from srlens.networks.frozen import frozen

WINDOW = srlens.Window(8, 8, 8, 8)


class Body(nn.Module):
    """A convolution, something odd, and a pixel shuffle."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.other = nn.Conv2d(4, 4, 3, padding=1)
        self.last = nn.Conv2d(8, 12, 3, padding=1)
        self.hidden: Tensor | float = 0.0
        self.double()

    def odd(self, y: Tensor) -> Tensor:
        return y

    def forward(self, x: Tensor) -> Tensor:
        return nnf.pixel_shuffle(self.last(self.odd(self.first(x))), 2)


class Noisy(Body):
    def odd(self, y: Tensor) -> Tensor:
        return y + 0.1 * torch.randn_like(y)


class Gumbel(Body):
    def odd(self, y: Tensor) -> Tensor:
        return y * nnf.gumbel_softmax(y, dim=1)


class AlwaysDropping(Body):
    def odd(self, y: Tensor) -> Tensor:
        return nnf.dropout(y, 0.3, training=True)


class Stateful(Body):
    def odd(self, y: Tensor) -> Tensor:
        result = y + self.hidden
        self.hidden = y.mean().detach() + self.hidden
        return result


@pytest.fixture
def image() -> Tensor:
    return torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(6), dtype=torch.float64)


@pytest.mark.parametrize("kind", [Noisy, Gumbel, AlwaysDropping, Stateful])
@pytest.mark.parametrize("steps", [1, 8])
def test_a_network_that_is_no_function_is_told(kind: type[Body], steps: int, image: Tensor) -> None:
    network = srlens.Network.wrap(kind().eval(), scale=2)
    with pytest.warns(UnsteadyNetworkWarning, match=rf"{kind.__name__} gives other values each time .* seed=0"):
        result = srlens.attribute(network, image, WINDOW, steps=steps)
    assert not result.converged


@pytest.mark.parametrize("kind", [Noisy, Gumbel, AlwaysDropping])
def test_a_seed_makes_it_one(kind: type[Body], image: Tensor) -> None:
    network = srlens.Network.wrap(kind().eval(), scale=2)
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    one, same, other = (srlens.attribute(network, image, WINDOW, steps=40, seed=seed) for seed in (3, 3, 4))
    assert torch.equal(torch.rand(1), expected)  # the process's own numbers are as they were
    assert one.completeness_gap < 0.1
    assert one.facts["seed"] == 3
    assert (one.map == same.map).all()
    assert (one.map != other.map).any()


class Normalised(Body):
    def odd(self, y: Tensor) -> Tensor:
        return (y - y.mean()) / y.std()


class OneAtATime(Body):
    def odd(self, y: Tensor) -> Tensor:
        assert len(y) == 1
        return y


@pytest.mark.parametrize(("kind", "limit"), [(Body, 8), (Normalised, 1), (OneAtATime, 1)])
def test_an_image_has_the_same_gradient_in_a_batch_or_batches_end(kind: type[Body], limit: int, image: Tensor) -> None:
    network = srlens.Network.wrap(kind().eval(), scale=2)
    images = image * torch.linspace(0.1, 1, 8)[:, None, None, None]
    with frozen(network.module):
        evaluator = Evaluator(network, DETECTORS["gradient"], [WINDOW], 16, 16)
        alone = torch.cat([evaluator.gradients(one[None]) for one in images])
        scene = Windows(evaluator, None, image, {}, None)
        scene.limit = 8
        together = scene.gradients(images)
    assert scene.limit == limit
    torch.testing.assert_close(together, alone, rtol=1e-9, atol=1e-12)


class WritingParts(Body):
    def odd(self, y: Tensor) -> Tensor:
        y[:, :4] = torch.sigmoid(self.other(y[:, :4]))
        return y


class WritingGate(Body):
    def odd(self, y: Tensor) -> Tensor:
        gate = torch.sigmoid(y)
        gate *= y
        return gate


class Parts(Body):
    def odd(self, y: Tensor) -> Tensor:
        return torch.cat([torch.sigmoid(self.other(y[:, :4])), y[:, 4:]], dim=1)


class Gate(Body):
    def odd(self, y: Tensor) -> Tensor:
        return torch.sigmoid(y) * y


class Checkpointed(Body):
    def odd(self, y: Tensor) -> Tensor:
        result: Tensor = checkpoint(lambda z: torch.sigmoid(z) * z, y, use_reentrant=True)
        return result


@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")  # values are asked for without gradient
@pytest.mark.parametrize("method", ["lam", "gradient"])
@pytest.mark.parametrize(("odd", "plain"), [(WritingParts, Parts), (WritingGate, Gate), (Checkpointed, Gate)])
def test_what_it_overwrites_or_recomputes_makes_no_difference(
    odd: type[Body], plain: type[Body], method: str, image: Tensor
) -> None:
    settings = {"steps": 8} if method == "lam" else {}
    one, other = (
        srlens.attribute(srlens.Network.wrap(kind().eval(), scale=2), image, WINDOW, method, **settings)
        for kind in (odd, plain)
    )
    np.testing.assert_allclose(one.map, other.map, rtol=1e-9, atol=1e-12)
    windows = [WINDOW, srlens.Window(0, 0, 6, 6)]
    several = srlens.Explainer(srlens.Network.wrap(odd().eval(), scale=2), image, method, **settings).windows(windows)
    np.testing.assert_allclose(next(iter(several)).map, other.map, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_in_the_error(dtype: torch.dtype, image: Tensor) -> None:
    network = srlens.Network.wrap(Gate().eval(), scale=2)
    truth = srlens.attribute(network, image, WINDOW, steps=60)
    half = srlens.attribute(network.to(dtype=dtype), image, WINDOW, steps=60)
    error = np.linalg.norm(half.map - truth.map) / np.linalg.norm(truth.map)
    assert half.map_error > 2 * truth.map_error
    assert error / 4 < half.map_error < 30 * error


def test_a_tolerance_below_rounding_is_told(image: Tensor) -> None:
    network = srlens.Network.wrap(Gate().eval(), scale=2).to(dtype=torch.bfloat16)
    rounding = pytest.warns(ToleranceWarning, match="Rounding in bfloat16 alone makes an error")
    with rounding, pytest.warns(ToleranceWarning, match="Raise max_steps"):
        result = srlens.attribute(network, image, WINDOW, tolerance=0.002, max_steps=9)
    assert not result.converged
