"""Quadrature: orders of convergence, error estimates, nested refinement that throws nothing away."""

import math
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as nnf

import srlens
from srlens.attribution.baseline import given_clean
from srlens.attribution.detector import DETECTORS
from srlens.attribution.evaluator import Evaluator
from srlens.attribution.image_path import ImagePath
from srlens.attribution.integrate import integrate_fixed, integrate_to_tolerance
from srlens.attribution.path import derivative, find_path, path_names
from srlens.attribution.quadrature import GAUSS_LEGENDRE, MIDPOINT, RIGHT_RIEMANN, RULES, Rule
from srlens.errors import ToleranceWarning
from srlens.windowed import Windowed

WINDOW = srlens.Window(8, 10, 7, 6)


class Counting:
    """Gradients with a record of where they were taken, and a limit on how many at once."""

    def __init__(self, gradients, limit: int = 1, *, detect) -> None:
        self._of, self.limit, self.detect = gradients, limit, detect
        self.seen: list[Tensor] = []
        self.expected = 0

    def gradients(self, images: Tensor) -> Tensor:
        assert len(images) <= self.limit
        self.seen += list(images)
        return self._of(images)

    def expect(self, evaluations: int) -> None:
        self.expected = evaluations


def problem(network: srlens.Network, image: Tensor, *, detector: str = "residual", limit: int = 1, path: str = ""):
    evaluator = Evaluator(
        network, DETECTORS[detector], [WINDOW], *image.shape[-2:], windowed=Windowed(network, wanted=False)
    )
    chosen = find_path(path or "progressive-blur")

    def curve(parameterisation: str) -> ImagePath:
        return ImagePath(chosen, image, parameterisation)

    return curve, Counting(evaluator.gradients, limit, detect=evaluator.values)


@pytest.fixture
def reference_problem(make_network, image):
    """A problem on a lively network with its reference by 405 nodes, made once for each activation."""

    def make(activation):
        if activation not in _REFERENCES:
            torch.manual_seed(0)
            network = make_network(activation, width=10, depth=4)
            curve, gradients = problem(network, image, detector="gradient", limit=27)
            _REFERENCES[activation] = curve, gradients, integrate_fixed(curve("arc length"), gradients, MIDPOINT, 405)
        return _REFERENCES[activation]

    return make


_REFERENCES: dict[object, tuple] = {}


def distance(a: srlens.Explanation, b: srlens.Explanation) -> float:
    return float((a.maps - b.maps).norm() / b.maps.norm())


def order(errors: list[float], steps: list[int]) -> float:
    return -float(np.polyfit(np.log(steps), np.log(errors), 1)[0])


@pytest.mark.parametrize(
    ("rule", "parameterisation", "least"),
    [(MIDPOINT, "arc length", 1.8), (MIDPOINT, "uniform", 1.9), (RIGHT_RIEMANN, "uniform", 0.95)],
    ids=["midpoint by arc length", "midpoint", "right Riemann"],
)
def test_order_on_a_smooth_network(make_network, image, rule: Rule, parameterisation: str, least: float) -> None:
    curve, gradients = problem(make_network(nn.Softplus), image)
    reference = integrate_fixed(curve("uniform"), gradients, GAUSS_LEGENDRE, 60)
    steps = [10, 20, 40, 80]
    errors = [distance(integrate_fixed(curve(parameterisation), gradients, rule, n), reference) for n in steps]
    assert least < order(errors, steps) < least + 0.4


def test_gauss_legendre_converges_beyond_any_order_on_a_smooth_network(make_network, image) -> None:
    curve, gradients = problem(make_network(nn.Softplus), image, path="linear-blur")
    reference = integrate_fixed(curve("uniform"), gradients, GAUSS_LEGENDRE, 30)
    errors = [distance(integrate_fixed(curve("uniform"), gradients, GAUSS_LEGENDRE, n), reference) for n in (2, 4, 8)]
    assert errors[2] < 1e-9 < errors[0]
    assert errors[1] < errors[0] / 50


@pytest.mark.parametrize(
    ("rule", "parameterisation"),
    [(MIDPOINT, "arc length"), (MIDPOINT, "uniform"), (RIGHT_RIEMANN, "uniform"), (GAUSS_LEGENDRE, "uniform")],
)
def test_order_is_one_on_a_relu_network(reference_problem, rule: Rule, parameterisation: str) -> None:
    curve, gradients, reference = reference_problem(nn.ReLU)
    steps = [9, 16, 27, 45, 81]
    errors = [distance(integrate_fixed(curve(parameterisation), gradients, rule, n), reference) for n in steps]
    assert 0.8 < order(errors, steps) < 1.7


@pytest.mark.parametrize("activation", [nn.ReLU, nn.GELU])
@pytest.mark.parametrize("steps", [3, 4, 7, 9, 16, 27, 50, 81])
def test_estimate_of_fixed_steps(reference_problem, activation, steps: int) -> None:
    curve, gradients, reference = reference_problem(activation)
    result = integrate_fixed(curve("arc length"), gradients, MIDPOINT, steps)
    assert 1 / 3 < result.errors[0] / distance(result, reference) < (3 if activation is nn.ReLU else 6)


def test_estimate_of_the_papers_rule(reference_problem) -> None:
    for activation in (nn.ReLU, nn.GELU):
        curve, gradients, reference = reference_problem(activation)
        for steps in (10, 50):
            result = integrate_fixed(curve("uniform"), gradients, RIGHT_RIEMANN, steps)
            assert 1 / 3 < result.errors[0] / distance(result, reference) < 3


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize("steps", [1, 2, 3, 5, 11])
def test_batches_change_nothing(make_network, image, rule: Rule, steps: int) -> None:
    network = make_network(nn.GELU)
    results = []
    for limit in (1, 2, 4, 64):
        curve, gradients = problem(network, image, limit=limit)
        results.append(integrate_fixed(curve(rule.parameterisation), gradients, rule, steps))
        assert len(gradients.seen) == steps == gradients.expected
    for other in results[1:]:
        assert torch.allclose(other.maps, results[0].maps, rtol=1e-12, atol=1e-14)
        assert (other.errors is None) == (steps == 1)
        assert other.errors is None or other.errors[0] == pytest.approx(results[0].errors[0], rel=1e-9)


def test_batches_change_nothing_in_refinement(make_network, image) -> None:
    network = make_network(nn.GELU)
    refined, evaluations = [], []
    for limit in (1, 5, 64):
        curve, gradients = problem(network, image, limit=limit)
        refined.append(integrate_to_tolerance(curve("arc length"), gradients, 0.01, 200))
        evaluations.append(len(gradients.seen))
        assert evaluations[-1] == evaluations[0] == gradients.expected
        assert torch.allclose(refined[-1].maps, refined[0].maps, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("activation", [nn.ReLU, nn.GELU])
@pytest.mark.parametrize("tolerance", [0.5, 0.1, 0.03, 0.01])
def test_refinement_throws_no_evaluation_away(make_network, image, activation, tolerance: float) -> None:
    curve, gradients = problem(make_network(activation, width=12), image, detector="gradient")
    result = integrate_to_tolerance(curve("arc length"), gradients, tolerance, 2000)
    assert result.converged
    assert result.errors[0] <= tolerance
    assert gradients.expected == len(gradients.seen) >= 9
    distinct = {point.numpy().tobytes() for point in gradients.seen}
    assert len(distinct) == len(gradients.seen)  # no node is evaluated twice


def test_refinement_equals_the_sum_over_its_final_partition() -> None:
    """On a made-up gradient, whose nodes can be read off, so that the partition can be rebuilt from them."""
    image = torch.ones(1, 1, 2, dtype=torch.float64)
    path = srlens.LinearFromBlack()  # γ(u) = u, the same at both pixels

    def g(images: Tensor) -> Tensor:
        u = images
        return torch.stack([(u[..., 0] > 0.37) * 1.0 + (u[..., 0] > 0.41) * 2.0, torch.exp(u[..., 1])], dim=-1)

    def detect(images: Tensor) -> Tensor:
        u, v = images.flatten(1).T
        return (nnf.relu(u - 0.37) + 2 * nnf.relu(u - 0.41) + torch.exp(v))[:, None]

    gradients = Counting(lambda images: g(images)[:, None], detect=detect)
    result = integrate_to_tolerance(ImagePath(path, image, "arc length"), gradients, 0.003, 500)
    nodes = np.sort([float(p[0, 0, 0]) for p in gradients.seen])
    assert len(nodes) == gradients.expected > 9
    # Neighbours in a partition by thirds: rebuild the cells from the left, each is centred on its node.
    edges = [0.0]
    for node in nodes:
        edges.append(2 * node - edges[-1])
    assert edges[-1] == pytest.approx(1, abs=1e-9)
    widths = np.diff(edges)
    assert (widths > 0).all()
    assert np.allclose(np.log(widths) / np.log(3), np.round(np.log(widths) / np.log(3)), atol=1e-6)
    values = g(torch.tensor(nodes)[:, None].expand(-1, 2))
    assert torch.allclose(result.maps[0, 0, 0], (values * torch.tensor(widths)[:, None]).sum(dim=0), atol=1e-12)
    assert abs(float(result.maps[0, 0, 0, 1]) - (math.e - 1)) < 0.01
    # It is refined where the jumps are and not elsewhere.
    near = (np.abs(nodes - 0.39) < 0.06).sum()
    assert near > 2 * 0.12 * len(nodes)


def test_refinement_weighs_every_gradient_with_its_own_increment() -> None:
    """On a path of uneven speed, γ = (α, α²), whose cells are told by the first pixel."""

    class Uneven:
        name = "uneven"

        def at(self, image: Tensor, alpha: Tensor) -> Tensor:
            return torch.stack([alpha, alpha**2], dim=-1).reshape(-1, *image.shape)

    image = torch.ones(1, 1, 2, dtype=torch.float64)
    path = Uneven()
    gradients = Counting(
        lambda images: torch.exp(2 * images)[:, None],
        detect=lambda images: torch.exp(2 * images).flatten(1).sum(1)[:, None] / 2,
    )
    result = integrate_to_tolerance(ImagePath(path, image, "uniform"), gradients, 0.004, 500)
    points = torch.stack(gradients.seen)[:, 0, 0]
    points = points[points[:, 0].argsort()]
    edges = [0.0]
    for node in points[:, 0].tolist():
        edges.append(2 * node - edges[-1])
    assert edges[-1] == pytest.approx(1, abs=1e-9)
    at_edges = path.at(image, torch.tensor(edges, dtype=torch.float64))[:, 0, 0]
    expected = (torch.exp(2 * points) * (at_edges[1:] - at_edges[:-1])).sum(dim=0)
    assert torch.allclose(result.maps[0, 0, 0], expected, rtol=1e-12)


@pytest.mark.parametrize("tolerance", [0.1, 0.03, 0.01])
def test_refinement_keeps_what_it_promises_on_relu_networks(reference_problem, tolerance: float) -> None:
    curve, gradients, reference = reference_problem(nn.ReLU)
    result = integrate_to_tolerance(curve("arc length"), gradients, tolerance, 2000)
    true = distance(result, reference)
    assert true < 2 * tolerance
    assert 1 / 3 < result.errors[0] / true < 3


@pytest.mark.parametrize("limit", [9, 10, 11, 25, 50])
def test_max_steps_is_kept_with_a_warning(make_network, image, limit: int) -> None:
    network = make_network(nn.ReLU, width=12, depth=4)
    with pytest.warns(ToleranceWarning, match=rf"above the tolerance of 0.001. Raise max_steps \(now {limit}\)"):
        result = srlens.attribute(network, image, WINDOW, tolerance=0.001, max_steps=limit)
    assert limit - 1 <= result.evaluations <= limit
    assert not result.converged
    assert result.map_error > 0.001
    assert result.map.any()


def test_no_warning_where_the_tolerance_is_reached(make_network, image) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = srlens.attribute(make_network(nn.Softplus), image, WINDOW, tolerance=0.9)
    assert (result.converged, result.evaluations, result.method.algorithm.steps) == (True, 9, None)


def test_tighter_tolerances_cost_more_and_err_less(make_network, image) -> None:
    network = make_network(nn.ReLU, width=12, depth=4)
    results = [srlens.attribute(network, image, WINDOW, tolerance=t) for t in (0.3, 0.1, 0.03, 0.01)]
    evaluations = [r.evaluations for r in results]
    assert evaluations == sorted(evaluations)
    assert evaluations[-1] > evaluations[0]
    for result, tolerance in zip(results, (0.3, 0.1, 0.03, 0.01), strict=True):
        assert result.map_error <= tolerance
        assert result.method.algorithm.tolerance == tolerance


@pytest.mark.parametrize(
    "keywords", [{"tolerance": 0.02}, {"steps": 13}, {"preset": "paper"}, {"rule": "gauss-legendre"}]
)
def test_progress_is_monotone_and_ends_at_all(make_network, image, keywords) -> None:
    calls: list[tuple[int, int]] = []
    result = srlens.attribute(
        make_network(nn.ReLU, width=12), image, WINDOW, progress=lambda *call: calls.append(call), **keywords
    )
    done = [call[0] for call in calls]
    assert done == sorted(set(done))
    assert all(d <= total for d, total in calls)
    assert calls[-1] == (result.evaluations, result.evaluations)
    totals = [call[1] for call in calls]
    assert totals == sorted(totals)


def test_weights_of_the_rules() -> None:
    for n in (1, 2, 7, 50):
        for rule in (MIDPOINT, RIGHT_RIEMANN):
            nodes = rule.nodes(n)
            assert len(nodes.at) == n
            assert (nodes.edges[0], nodes.edges[-1]) == (0, 1)
            assert np.allclose(np.diff(nodes.edges), 1 / n)
            assert ((nodes.edges[:-1] <= nodes.at) & (nodes.at <= nodes.edges[1:])).all()
        nodes = GAUSS_LEGENDRE.nodes(n)
        for power in range(2 * n if n < 10 else 15):  # exact up to degree 2n − 1
            assert (nodes.weights * nodes.at**power).sum() == pytest.approx(1 / (power + 1), rel=1e-10)


def known_path(name: str, image: torch.Tensor) -> srlens.Path:
    """The path of that name, with a clean picture where it starts from one."""
    path = find_path(name)
    return replace(path, baseline=given_clean(path.baseline, 0.5 * image, image))


@pytest.mark.parametrize("path", path_names())
def test_clock_by_arc_length_makes_equal_steps(image, path: str) -> None:
    chosen = known_path(path, image)
    length = ImagePath(chosen, image, "arc length")
    u = np.linspace(0, 1, 25)
    alpha = length.alpha(u)
    assert (float(alpha[0]), float(alpha[-1])) == (0, 1)
    points = chosen.at(image, alpha)
    lengths = (points[1:] - points[:-1]).flatten(1).norm(dim=1)
    assert float(lengths.max() / lengths.min()) < 1.05
    assert torch.isfinite(length.speed(u)).all()
    h = 1e-6
    inner = u[1:-1] + 1e-4  # not on the table's own points
    slope = (length.alpha(inner + h) - length.alpha(inner - h)) / (2 * h)
    assert torch.allclose(length.speed(inner), slope, rtol=1e-4)


def test_uniform_is_the_identity(image) -> None:
    length = ImagePath(srlens.ProgressiveBlur(), image, "uniform")
    u = np.array([0, 0.2, 0.7, 1])
    assert torch.equal(length.alpha(u), torch.from_numpy(u))
    assert torch.equal(length.speed(u), torch.ones(4, dtype=torch.float64))


@pytest.mark.parametrize("path", path_names())
def test_path_ends_and_derivative(image, path: str) -> None:
    chosen = known_path(path, image)
    ends = chosen.at(image, torch.tensor([0.0, 1.0], dtype=torch.float64))
    assert torch.allclose(ends[1], image, atol=1e-15)
    assert not torch.allclose(ends[0], image, atol=0.1)
    alpha = torch.tensor([0.1, 0.5, 0.93], dtype=torch.float64)
    h = 1e-6
    slope = (chosen.at(image, alpha + h) - chosen.at(image, alpha - h)) / (2 * h)
    assert torch.allclose(derivative(chosen, image, alpha), slope, atol=1e-7)


def test_blur_keeps_constants_and_is_symmetric() -> None:
    path = srlens.ProgressiveBlur(1.5, 11)
    alpha = torch.linspace(0, 1, 5, dtype=torch.float64)
    constant = torch.full((2, 9, 12), 0.3, dtype=torch.float64)
    assert torch.allclose(path.at(constant, alpha), constant.expand(5, -1, -1, -1), atol=1e-15)
    image = torch.rand(2, 13, 12, dtype=torch.float64)
    assert torch.allclose(path.at(image.flip(-1), alpha), path.at(image, alpha).flip(-1), atol=1e-14)
    assert torch.allclose(path.at(image.mT, alpha), path.at(image, alpha).mT, atol=1e-14)
    alone = torch.stack([path.at(channel[None], alpha)[:, 0] for channel in image], dim=1)
    assert torch.allclose(alone, path.at(image, alpha), atol=1e-14)
