"""The path integral: a fixed number of nodes, or nested refinement until the estimated error is small enough."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srlens.attribution.path import Path, derivative
from srlens.attribution.quadrature import CURVATURE, FROM_BENDS, FROM_JUMPS, FROM_TRISECTION, MIDPOINT, Rule
from srlens.attribution.reparameterisation import ArcLength
from srlens.errors import ToleranceWarning

Floats = NDArray[np.float64]


class Batched(Protocol):
    """Gradients of one or several detectors at LR images, and how many images are worth asking for at once."""

    @property
    def limit(self) -> int:
        """Images at once."""
        ...

    def __call__(self, images: Tensor) -> Tensor:
        """N×C×h×w LR images to the gradients there, N×K×C×h×w for K detectors; both float64 on the CPU."""
        ...


@dataclass(frozen=True)
class Integral:
    """A path integral and what is known of its error.

    Attributes:
        maps: K×C×h×w, float64, for K detectors.
        errors: estimated L2 error of each map relative to its L2 norm; None where one node cannot tell.
        steps: nodes used.
        converged: False if a tolerance was asked for and not reached.
    """

    maps: Tensor
    errors: tuple[float | None, ...]
    steps: int
    converged: bool


@dataclass(frozen=True)
class ImagePath:
    """A path through one image: everything in u, the parameter of the quadrature."""

    path: Path
    image: Tensor
    length: ArcLength

    def points(self, u: Floats) -> Tensor:
        """γ at each u: N×C×h×w."""
        return self.path.at(self.image, self.length.alpha(u))

    def increments(self, edges: Floats) -> Tensor:
        """Differences of γ between neighbouring edges: (len(edges) − 1)×C×h×w."""
        points = self.points(edges)
        return _without_rounding(points[1:] - points[:-1])

    def weighted_derivatives(self, u: Floats, weights: Floats) -> Tensor:
        """``w·dγ/du`` at each u: N×C×h×w."""
        factors = self.length.speed(u) * torch.from_numpy(weights)
        return _without_rounding(derivative(self.path, self.image, self.length.alpha(u)) * factors[:, None, None, None])


def _without_rounding(difference: Tensor) -> Tensor:
    """Zero where an image in [0, 1] differs by rounding alone, so that flat areas have exactly no part in the map."""
    return torch.where(difference.abs() > _ROUNDING, difference, 0.0)


_ROUNDING = 1e-14  # float64 keeps 1e-16, and a blurred pixel is a sum of 81 products


class FixedSum:
    """The sums over the nodes of a rule, for K maps, taken in as they come, with an estimate of their errors.

    The errors are estimated from the second differences of neighbouring gradients, see ``quadrature``.

    Args:
        rule: whose nodes they are.
    """

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._total: Tensor = torch.zeros(())
        self._bends: Tensor = torch.zeros(())
        self._halves: Tensor = torch.zeros(())
        self._squares: Tensor = torch.zeros(())
        self._steps = 0
        self._last: tuple[Tensor, Tensor] | None = None
        self._jump: Tensor | None = None
        self._first_square: Tensor = torch.zeros(())

    def add(self, gradient: Tensor, increment: Tensor) -> None:
        """Take in the next node.

        Args:
            gradient: K×C×h×w, float64.
            increment: of γ over the node's cell, C×h×w, float64.
        """
        self._total = self._total + gradient * increment
        if self._last is not None:
            previous, earlier = self._last
            jump = gradient - previous
            if self._jump is None:
                self._first_square = _square(jump * (increment + earlier) / 2)
            else:
                bend = (jump - self._jump) * earlier
                self._bends = self._bends + bend
                self._squares = self._squares + _square(bend)
            if self._rule.systematic:
                self._halves = self._halves + jump * increment / 2
            self._jump = jump
        self._last = gradient, increment
        self._steps += 1

    def result(self) -> Integral:
        """The integrals over the nodes taken in."""
        norms, steps = _square(self._total).sqrt(), self._steps
        if steps <= 1:
            return Integral(self._total, (None,) * len(norms), steps, converged=True)
        if steps == 2:
            variance = self._first_square / FROM_JUMPS * 2
        else:
            unseen = steps / (steps - 2)  # there are two cells more than there are second differences
            variance = self._squares / FROM_BENDS * unseen + _square(self._bends / CURVATURE) * unseen**2
        if self._rule.systematic:
            variance = variance + _square(self._halves) * (steps / (steps - 1)) ** 2
        errors = tuple(
            float(square) ** 0.5 / float(norm) if norm > 0 else None
            for square, norm in zip(variance, norms, strict=True)
        )
        return Integral(self._total, errors, steps, converged=True)


def _square(maps: Tensor) -> Tensor:
    """Squared L2 norm of each of K maps, shape (K,)."""
    return maps.square().sum(dim=(-3, -2, -1))


def integrate_fixed(path: ImagePath, gradients: Batched, rule: Rule, steps: int) -> Integral:
    """Integrate with ``steps`` nodes of ``rule``."""
    nodes = rule.nodes(steps)
    total = FixedSum(rule)
    stop = 0
    while stop < steps:
        start, stop = stop, min(stop + gradients.limit, steps)
        u = nodes.at[start:stop]
        if nodes.edges is not None:
            increments = path.increments(nodes.edges[start : stop + 1])
        else:
            assert nodes.weights is not None
            increments = path.weighted_derivatives(u, nodes.weights[start:stop])
        for gradient, increment in zip(gradients(path.points(u)), increments, strict=True):
            total.add(gradient, increment)
    return total.result()


@dataclass
class _Cell:
    """A leaf of the refinement: an interval of u with the gradient at its middle."""

    start: float
    stop: float
    gradient: Tensor
    squared_error: float


_FIRST_CELLS = 3
_REFINED = 9.0  # a trisected cell's squared error falls to a ninth if errors fall like 1/n


def integrate_to_tolerance(
    path: ImagePath, gradients: Batched, tolerance: float, limit: int, expect: Callable[[int], None] = lambda _: None
) -> Integral:
    """Midpoint rule by arc length, refined where it errs until the estimated error is below ``tolerance``; K = 1.

    Three cells at first, each trisected: the middle third's midpoint is the cell's own, so every gradient that was
    paid for stays in use. A trisection changes the cell's contribution by δ; the error that is left is taken as
    ‖δ‖/√8 (see ``quadrature.FROM_TRISECTION``), and errors of different cells as independent. Then the fewest cells
    whose refinement should reach the tolerance are trisected, and so on. ``expect`` is told how many evaluations that
    makes.
    """
    done = 0
    expect(3 * _FIRST_CELLS)

    def evaluate(u: Floats) -> list[Tensor]:
        nonlocal done
        result: list[Tensor] = []
        while len(result) < len(u):
            chunk = u[len(result) : len(result) + gradients.limit]
            result.extend(gradients(path.points(chunk)))
            done += len(chunk)
        return result

    first = MIDPOINT.nodes(_FIRST_CELLS)
    assert first.edges is not None
    cells = [
        _Cell(first.edges[k], first.edges[k + 1], gradient, np.inf) for k, gradient in enumerate(evaluate(first.at))
    ]
    total = torch.zeros_like(cells[0].gradient)
    for cell in cells:
        total += cell.gradient * path.increments(np.array([cell.start, cell.stop]))[0]
    chosen = list(range(len(cells)))
    while True:
        _trisect(cells, chosen, total, path, evaluate)
        norm = float(total.norm())
        squared = sum(cell.squared_error for cell in cells)
        error = squared**0.5 / norm if norm > 0 else 0.0
        if error <= tolerance:
            return Integral(total, (error if norm > 0 else None,), done, converged=True)
        chosen = _worth_refining(cells, (tolerance * norm) ** 2)
        room = (limit - done) // 2
        if room < 1:
            warnings.warn(
                f"After {done} gradient evaluations the estimated map error is {error:.3g}, above the tolerance of "
                f"{tolerance:g}. Raise max_steps (now {limit}) or the tolerance.",
                ToleranceWarning,
                stacklevel=2,
            )
            return Integral(total, (error,), done, converged=False)
        chosen = chosen[:room]
        expect(done + 2 * len(chosen))


def _trisect(
    cells: list[_Cell],
    chosen: list[int],
    total: Tensor,
    path: ImagePath,
    evaluate: Callable[[Floats], list[Tensor]],
) -> None:
    """Trisect the chosen cells in place, and bring ``total`` up to date."""
    edges = {i: np.linspace(cells[i].start, cells[i].stop, 4) for i in chosen}
    u = np.concatenate([[(e[0] + e[1]) / 2, (e[2] + e[3]) / 2] for e in edges.values()])
    new = evaluate(u)
    for k, (i, e) in enumerate(edges.items()):
        cell = cells[i]
        delta = path.increments(e)
        left, right = new[2 * k], new[2 * k + 1]
        change = (left - cell.gradient) * delta[0] + (right - cell.gradient) * delta[2]
        total += change
        share = float(change.square().sum()) / FROM_TRISECTION / 3
        cells[i] = _Cell(e[1], e[2], cell.gradient, share)
        cells.append(_Cell(e[0], e[1], left, share))
        cells.append(_Cell(e[2], e[3], right, share))


def _worth_refining(cells: list[_Cell], allowed: float) -> list[int]:
    """The fewest cells, worst first, whose trisection should bring the squared error to 0.8 of ``allowed``."""
    left = sum(cell.squared_error for cell in cells)
    chosen: list[int] = []
    for i in sorted(range(len(cells)), key=lambda i: -cells[i].squared_error):
        if left <= 0.8 * allowed:
            break
        left -= cells[i].squared_error * (1 - 1 / _REFINED)
        chosen.append(i)
    return chosen
