"""Samplers as networks: noise that stands still, steps that are recomputed, and a linear sampler with a known map."""

import pytest
import torch
from torch import Tensor, nn

import srlens
from srlens.attribution.detector import squares
from srlens.errors import SettingError
from srlens.networks.clamps import watched
from srlens.networks.sampled import SampledModule, last_steps
from srlens.networks.sampler import Condition, Noise, Sampler
from srlens.networks.zoo.smalldiffusion import SmallDiffusion

torch.set_num_threads(1)


class LinearSampler(Sampler):
    """x ← Ax + B·LR + noise, a few times: affine in the LR picture, so that maps are known in closed form."""

    def __init__(self, steps: int = 3) -> None:
        super().__init__()
        self.steps = steps
        random = torch.Generator().manual_seed(5)
        self.mix = nn.Parameter(0.3 * torch.randn(3, 3, 3, 3, generator=random, dtype=torch.float64))
        self.read = nn.Parameter(0.3 * torch.randn(3, 3, 3, 3, generator=random, dtype=torch.float64))

    def condition(self, image: Tensor, noise: Noise) -> Condition:
        return (image,)

    def begin(self, condition: Condition, noise: Noise) -> Tensor:
        return noise(0, condition[0])

    def step(self, latent: Tensor, index: int, condition: Condition, noise: Noise) -> Tensor:
        mixed = nn.functional.conv2d(latent, self.mix, padding=1)
        read = nn.functional.conv2d(condition[0], self.read, padding=1)
        return mixed + read + 0.1 * noise(1 + index, latent)

    def end(self, latent: Tensor, condition: Condition) -> Tensor:
        return latent


@pytest.fixture(scope="module")
def image() -> Tensor:
    return torch.rand(3, 10, 12, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.fixture(scope="module")
def diffusion() -> SmallDiffusion:
    """With random weights where it would start from zeros, so that every step reads everything."""
    torch.manual_seed(2)
    sampler = SmallDiffusion().double()
    for parameter in sampler.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.05)
    return sampler.requires_grad_(False)


WINDOW = srlens.Window(top=2, left=3, height=5, width=4)


def affine(network: srlens.Network, image: Tensor) -> tuple[Tensor, Tensor]:
    """F(x) = Mx + n of the window: M (pixels × inputs) and n."""
    one = image[None]
    rows = torch.autograd.functional.jacobian(lambda x: network(x)[0, :, 2:7, 3:7].flatten(), one)
    matrix = rows.flatten(1)
    return matrix, network(one)[0, :, 2:7, 3:7].flatten() - matrix @ one.flatten()


def test_the_map_of_a_linear_sampler_is_the_closed_form(image: Tensor) -> None:
    network = srlens.Network.from_sampler(LinearSampler(), scale=1, seed=7)
    matrix, noise = affine(network, image)
    assert noise.abs().max() > 0.1  # the noise is there, and the map below depends on it
    result = srlens.attribute(
        network, image, WINDOW, "ig-black", steps=1, detector=srlens.Detector("half-squares", squares)
    )
    # Of D = ½|Mx + n|² along αI the integral of the gradient is Mᵀ(½MI + n).
    expected = (matrix.T @ (0.5 * matrix @ image.flatten() + noise)) * image.flatten()
    torch.testing.assert_close(torch.from_numpy(result.map.copy()).flatten(), expected, rtol=1e-9, atol=1e-9)


def test_the_gradient_of_the_last_steps_is_the_closed_form(image: Tensor) -> None:
    whole = srlens.Network.from_sampler(LinearSampler(), scale=1, seed=7)
    last = last_steps(whole, 1)
    assert torch.equal(whole(image[None]), last(image[None]))
    matrix, _ = affine(last, image)
    one_read = torch.autograd.functional.jacobian(
        lambda x: nn.functional.conv2d(x, whole.module.sampler.read, padding=1)[0, :, 2:7, 3:7].flatten(), image[None]
    )
    torch.testing.assert_close(matrix, one_read.flatten(1), rtol=1e-12, atol=1e-12)


def test_two_evaluations_are_bit_equal_alone_and_in_a_batch(image: Tensor) -> None:
    network = srlens.Network.from_sampler(LinearSampler(), scale=1, seed=7)
    first = network(image[None])
    torch.rand(3)  # what else draws does not matter
    assert torch.equal(network(image[None]), first)
    assert torch.equal(network(image.expand(3, -1, -1, -1))[2:], first)
    assert not torch.equal(network.seeded(8)(image[None]), first)


def test_a_function_that_draws_is_seeded_at_every_call(image: Tensor) -> None:
    network = srlens.Network.from_sampler(lambda x: x + torch.randn_like(x), scale=1, seed=3)
    state = torch.get_rng_state()
    first = network(image.expand(2, -1, -1, -1))
    assert torch.equal(first[0], first[1])
    assert torch.equal(network(image[None])[0], first[0])
    assert torch.equal(torch.get_rng_state(), state)


def gradient(module: SampledModule, image: Tensor) -> Tensor:
    x = image[None].clone().requires_grad_(True)
    return torch.autograd.grad(module(x)[..., 8:24, 8:24].square().sum(), x)[0]


def test_recomputed_steps_give_the_same_gradient(diffusion: SmallDiffusion, image: Tensor) -> None:
    kept, recomputed = (gradient(SampledModule(diffusion, 4, checkpointed=on), image) for on in (False, True))
    assert kept.abs().max() > 0.01
    torch.testing.assert_close(recomputed, kept, rtol=1e-12, atol=1e-12)


def peak(steps: int, image: Tensor) -> int:
    """Most bytes that a gradient through so many steps holds at once."""
    torch.manual_seed(2)
    sampler = SmallDiffusion(steps).double().requires_grad_(False)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        gradient(SampledModule(sampler), image)
    assert profile.profiler is not None
    assert profile.profiler.kineto_results is not None
    events = [event for event in profile.profiler.kineto_results.events() if event.name() == "[memory]"]
    held, most = 0, 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        held += event.nbytes()
        most = max(most, held)
    return most


def test_twenty_steps_hold_at_most_twice_the_memory_of_two() -> None:
    image = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    two, twenty = peak(2, image), peak(20, image)
    assert two > 10 * image.nbytes  # it counts
    assert twenty <= 2 * two


def test_clamps_that_bind_are_found_with_their_share() -> None:
    values = torch.tensor([[-2.0, 0.0, 0.5, 3.0]])
    with watched() as watch:
        values.clamp(-1, 1)
        watch.stage = "step 1"
        values.clamp_min(0)
        nn.functional.hardtanh(values, -1, 4)
    assert [(one.stage, one.low, one.high, one.share) for one in watch.found] == [
        ("condition", -1, 1, 0.5), ("step 1", 0, None, 0.25), ("step 1", -1, 4, 0.25)
    ]  # fmt: skip
    assert str(watch.found[0]) == "condition: clamp to [-1, 1] stops the gradient at 50.0% of the values"


def test_what_does_not_sample_is_refused(image: Tensor) -> None:
    network = srlens.Network.wrap(nn.Identity(), scale=1)
    with pytest.raises(SettingError, match="from_sampler"):
        last_steps(network, 1)
    with pytest.raises(SettingError, match="last must be a whole number of at least 1, got 0"):
        srlens.Network.from_sampler(LinearSampler(), scale=1, last=0)
