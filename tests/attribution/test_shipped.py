"""Accuracy for cost on the shipped networks: fewer evaluations than the paper's rule, honest errors."""

import numpy as np
import pytest
import torch

import srlens
from srlens.attribution.detector import DETECTORS
from srlens.attribution.evaluator import Evaluator
from srlens.attribution.image_path import ImagePath
from srlens.attribution.integrate import integrate_fixed, integrate_to_tolerance
from srlens.attribution.quadrature import MIDPOINT, RIGHT_RIEMANN
from srlens.imaging.samples import sample_image
from srlens.networks.frozen import frozen
from srlens.windowed import Windowed

REFERENCE_NODES = 405
PAPER_STEPS = 50


class Remembered:
    """Gradients along one path, each computed once."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.limit = 1
        self.expect = lambda _: None
        self.detect = evaluator.values
        self._evaluator = evaluator
        self._known: dict[bytes, torch.Tensor] = {}

    def gradients(self, images: torch.Tensor) -> torch.Tensor:
        key = (images * 2**40).round().numpy().tobytes()  # nodes that differ by rounding are one
        if key not in self._known:
            self._known[key] = self._evaluator.gradients(images)
        return self._known[key]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "picture", "top", "left"), [("plain", "hopper", 80, 96), ("nonlocal", "pagoda", 64, 60)]
)
def test_cost_and_error_on_shipped_networks(name: str, picture: str, top: int, left: int) -> None:
    network = srlens.load_default(name)
    image = srlens.make_lr(sample_image(picture), 4)[:, 14:54, 12:56].double()
    window = srlens.Window.square(top, left, 16)
    path = srlens.ProgressiveBlur()
    gradients = Remembered(
        Evaluator(network, DETECTORS["gradient"], [window], *image.shape[-2:], windowed=Windowed(network, wanted=False))
    )
    by_arc, uniform = (ImagePath(path, image, how) for how in ("arc length", "uniform"))

    with frozen(network.module):
        reference = integrate_fixed(by_arc, gradients, MIDPOINT, REFERENCE_NODES)

        def error(integral: srlens.Explanation) -> float:
            return float((integral.maps - reference.maps).norm() / reference.maps.norm())

        paper = integrate_fixed(uniform, gradients, RIGHT_RIEMANN, PAPER_STEPS)
        needed = next(
            n for n in range(3, 100) if error(integrate_fixed(by_arc, gradients, MIDPOINT, n)) <= error(paper)
        )
        assert needed <= PAPER_STEPS / 3

        assert 1 / 3 < paper.errors[0] / error(paper) < 3
        for n in (5, 9, 15, 27, 45, 81):
            fixed = integrate_fixed(by_arc, gradients, MIDPOINT, n)
            assert 1 / 3 < fixed.errors[0] / error(fixed) < 3, n
        for tolerance in (0.1, 0.05, 0.02):
            refined = integrate_to_tolerance(by_arc, gradients, tolerance, 400)
            assert refined.converged
            assert 1 / 3 < refined.errors[0] / error(refined) < 3, tolerance
            assert error(refined) < 1.5 * tolerance


def test_plain_network_sees_exactly_its_receptive_field() -> None:
    network = srlens.load_default("plain")
    side = 44
    image = srlens.make_lr(sample_image("pagoda"), 4)[:, :side, :side]
    window = srlens.Window.square(84, 88, 8)
    result = srlens.attribute(network, image, window, steps=4)
    rows, columns = np.nonzero((result.map != 0).any(axis=0))
    top, bottom = network.receptive_field.footprint(window.top, window.bottom + 1, 4, side)
    left, right = network.receptive_field.footprint(window.left, window.right + 1, 4, side)
    assert 0 < top < bottom < side
    assert 0 < left < right < side
    assert (top, left) == (rows.min(), columns.min())
    assert (bottom, right) == (rows.max() + 1, columns.max() + 1)


@pytest.mark.parametrize("name", ["channel", "nonlocal"])
def test_attention_networks_see_the_whole_image(name: str) -> None:
    network = srlens.load_default(name)
    image = srlens.make_lr(sample_image("pagoda"), 4)[:, :44, :44]
    result = srlens.attribute(network, image, srlens.Window.square(84, 88, 8), steps=2)
    assert (result.map != 0).any(axis=0).all()
    plain = srlens.attribute(srlens.load_default("plain"), image, srlens.Window.square(84, 88, 8), steps=2)
    assert result.diffusion_index > plain.diffusion_index
