"""The path integral: a fixed number of nodes, or nested refinement until the estimated error is small enough."""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srlens.attribution.arc import Clock
from srlens.attribution.path import Path
from srlens.attribution.quadrature import CURVATURE, FROM_BENDS, FROM_JUMPS, FROM_TRISECTION, MIDPOINT, Rule
from srlens.errors import ToleranceWarning

Floats = NDArray[np.float64]


class Batched(Protocol):
    """Gradients of the detector at LR images, and how many are worth asking for at once."""

    limit: int

    def __call__(self, images: Tensor) -> Tensor:
        """N×C×h×w LR images to the gradients there, both float64 on the CPU."""
        ...


Progress = Callable[[int, int], None]
"""Called with (gradient evaluations done, evaluations expected); the second may grow."""


@dataclass(frozen=True)
class Integral:
    """A path integral and what is known of its error.

    Attributes:
        map: C×h×w, float64.
        error: estimated L2 error of the map relative to its L2 norm; None where one node cannot tell.
        steps: nodes used.
        converged: False if a tolerance was asked for and not reached.
    """

    map: Tensor
    error: float | None
    steps: int
    converged: bool


@dataclass(frozen=True)
class Curve:
    """A path through one image with its clock: everything in u, the parameter of the quadrature."""

    path: Path
    image: Tensor
    clock: Clock

    def points(self, u: Floats) -> Tensor:
        """γ at each u: N×C×h×w."""
        return self.path.at(self.image, self.clock.alpha(u))

    def increments(self, edges: Floats) -> Tensor:
        """Differences of γ between neighbouring edges: (len(edges) − 1)×C×h×w."""
        points = self.points(edges)
        return _without_rounding(points[1:] - points[:-1])

    def weighted_derivatives(self, u: Floats, weights: Floats) -> Tensor:
        """``w·dγ/du`` at each u: N×C×h×w."""
        factors = self.clock.speed(u) * torch.from_numpy(weights)
        return _without_rounding(self.path.derivative(self.image, self.clock.alpha(u)) * factors[:, None, None, None])


def _without_rounding(difference: Tensor) -> Tensor:
    """Zero where an image in [0, 1] differs by rounding alone, so that flat areas have exactly no part in the map."""
    return torch.where(difference.abs() > _ROUNDING, difference, 0.0)


_ROUNDING = 1e-14  # float64 keeps 1e-16, and a blurred pixel is a sum of 81 products


class FixedSum:
    """The sum over the nodes of a rule, taken in as they come, with an estimate of its error.

    The error is estimated from the second differences of neighbouring gradients, see ``quadrature``.

    Args:
        shape: C, h, w.
        rule: whose nodes they are.
    """

    def __init__(self, shape: torch.Size, rule: Rule) -> None:
        self._rule = rule
        self._total = torch.zeros(shape, dtype=torch.float64)
        self._bends = torch.zeros(shape, dtype=torch.float64)
        self._halves = torch.zeros(shape, dtype=torch.float64) if rule.systematic else None
        self._squares = 0.0
        self._steps = 0
        self._last: Tensor | None = None
        self._jump: Tensor | None = None
        self._first_square = 0.0

    def add(self, gradients: Tensor, increments: Tensor, before: Tensor | None) -> None:
        """Take in the next nodes.

        Args:
            gradients: N×C×h×w, float64.
            increments: of γ over the nodes' cells, N×C×h×w, float64.
            before: the increment of the cell before the first of them, C×h×w; None at the start.
        """
        self._total += (gradients * increments).sum(dim=0)
        previous, earlier = self._last, before
        for gradient, increment in zip(gradients, increments, strict=True):
            if previous is not None and earlier is not None:
                jump = gradient - previous
                if self._jump is None:
                    self._first_square = float((jump * (increment + earlier) / 2).square().sum())
                else:
                    bend = (jump - self._jump) * earlier
                    self._bends += bend
                    self._squares += float(bend.square().sum())
                if self._halves is not None:
                    self._halves += jump * increment / 2
                self._jump = jump
            previous, earlier = gradient, increment
        self._last = previous
        self._steps += len(gradients)

    def result(self) -> Integral:
        """The integral over the nodes taken in."""
        norm, steps = float(self._total.norm()), self._steps
        if steps <= 1 or norm == 0:
            return Integral(self._total, None, steps, converged=True)
        if steps == 2:
            variance = self._first_square / FROM_JUMPS * 2
        else:
            unseen = steps / (steps - 2)  # there are two cells more than there are second differences
            variance = self._squares / FROM_BENDS * unseen + float((self._bends / CURVATURE).square().sum()) * unseen**2
        if self._halves is not None:
            variance += float(self._halves.square().sum()) * (steps / (steps - 1)) ** 2
        return Integral(self._total, variance**0.5 / norm, steps, converged=True)


def nodes_of(curve: Curve, rule: Rule, steps: int, batch: Callable[[], int]) -> Iterator[tuple[Tensor, Tensor]]:
    """Points γ(node) and increments of γ over the nodes' cells, N×C×h×w each; ``batch`` tells how many come next."""
    nodes = rule.nodes(steps)
    stop = 0
    while stop < steps:
        start, stop = stop, min(stop + batch(), steps)
        u = nodes.at[start:stop]
        if nodes.edges is not None:
            yield curve.points(u), curve.increments(nodes.edges[start : stop + 1])
        else:
            assert nodes.weights is not None
            yield curve.points(u), curve.weighted_derivatives(u, nodes.weights[start:stop])


def integrate_fixed(
    curve: Curve, gradients: Batched, rule: Rule, steps: int, progress: Progress | None = None
) -> Integral:
    """Integrate with ``steps`` nodes of ``rule``."""
    total = FixedSum(curve.image.shape, rule)
    done, before = 0, None
    for points, increments in nodes_of(curve, rule, steps, lambda: gradients.limit):
        total.add(gradients(points), increments, before)
        before = increments[-1]
        done += len(points)
        if progress is not None:
            progress(done, steps)
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
    curve: Curve,
    gradients: Batched,
    tolerance: float,
    limit: int,
    progress: Progress | None = None,
) -> Integral:
    """Midpoint rule by the clock, refined where it errs until the estimated error is below ``tolerance``.

    Three cells at first, each trisected: the middle third's midpoint is the cell's own, so every gradient that was
    paid for stays in use. A trisection changes the cell's contribution by δ; the error that is left is taken as
    ‖δ‖/√8 (see ``quadrature.FROM_TRISECTION``), and errors of different cells as independent. Then the fewest cells
    whose refinement should reach the tolerance are trisected, and so on.
    """
    expected = 3 * _FIRST_CELLS
    done = 0

    def evaluate(u: Floats) -> list[Tensor]:
        nonlocal done
        result: list[Tensor] = []
        while len(result) < len(u):
            chunk = u[len(result) : len(result) + gradients.limit]
            result.extend(gradients(curve.points(chunk)))
            done += len(chunk)
            if progress is not None:
                progress(done, max(expected, done))
        return result

    first = MIDPOINT.nodes(_FIRST_CELLS)
    assert first.edges is not None
    cells = [
        _Cell(first.edges[k], first.edges[k + 1], gradient, np.inf) for k, gradient in enumerate(evaluate(first.at))
    ]
    total = torch.zeros_like(curve.image)
    for cell in cells:
        total += cell.gradient * curve.increments(np.array([cell.start, cell.stop]))[0]
    chosen = list(range(len(cells)))
    while True:
        _trisect(cells, chosen, total, curve, evaluate)
        norm = float(total.norm())
        squared = sum(cell.squared_error for cell in cells)
        error = squared**0.5 / norm if norm > 0 else 0.0
        if error <= tolerance:
            return Integral(total, error if norm > 0 else None, done, converged=True)
        chosen = _worth_refining(cells, (tolerance * norm) ** 2)
        room = (limit - done) // 2
        if room < 1:
            warnings.warn(
                f"After {done} gradient evaluations the estimated map error is {error:.3g}, above the tolerance of "
                f"{tolerance:g}. Raise max_steps (now {limit}) or the tolerance.",
                ToleranceWarning,
                stacklevel=2,
            )
            return Integral(total, error, done, converged=False)
        chosen = chosen[:room]
        expected = done + 2 * len(chosen)


def _trisect(
    cells: list[_Cell],
    chosen: list[int],
    total: Tensor,
    curve: Curve,
    evaluate: Callable[[Floats], list[Tensor]],
) -> None:
    """Trisect the chosen cells in place, and bring ``total`` up to date."""
    edges = {i: np.linspace(cells[i].start, cells[i].stop, 4) for i in chosen}
    u = np.concatenate([[(e[0] + e[1]) / 2, (e[2] + e[3]) / 2] for e in edges.values()])
    new = evaluate(u)
    for k, (i, e) in enumerate(edges.items()):
        cell = cells[i]
        delta = curve.increments(e)
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
