"""The path integral: a fixed number of nodes, or nested refinement until the estimated error is small enough."""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from srlens.attribution.image_path import Floats, ImagePath
from srlens.attribution.quadrature import CURVATURE, FROM_BENDS, FROM_JUMPS, FROM_TRISECTION, MIDPOINT, Rule
from srlens.attribution.scene import Explanation, Scene
from srlens.errors import ToleranceWarning


class FixedSum:
    """The sums over the nodes of a rule, for K maps, taken in as they come, with an estimate of their errors.

    The errors are estimated from the second differences of neighbouring gradients, see ``quadrature``.

    Args:
        rule: whose nodes they are.
    """

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._steps = 0
        self._total = self._bends = self._halves = self._squares = self._first_square = torch.zeros(())
        self._last: tuple[Tensor, Tensor] | None = None
        self._jump: Tensor | None = None

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

    def result(self) -> Explanation:
        """The integrals over the nodes taken in."""
        norms, steps = _square(self._total).sqrt(), self._steps
        if steps <= 1:
            return Explanation(self._total)
        if steps == 2:
            variance = self._first_square / FROM_JUMPS * 2
        else:
            unseen = steps / (steps - 2)  # there are two cells more than there are second differences
            variance = self._squares / FROM_BENDS * unseen + _square(self._bends / CURVATURE) * unseen**2
        if self._rule.systematic:
            variance = variance + _square(self._halves) * (steps / (steps - 1)) ** 2
        found = zip(variance.tolist(), norms.tolist(), strict=True)
        errors = tuple(square**0.5 / norm if norm > 0 else None for square, norm in found)
        return Explanation(self._total, errors=errors)


def _square(maps: Tensor) -> Tensor:
    """Squared L2 norm of each of K maps, shape (K,)."""
    return maps.square().sum(dim=(-3, -2, -1))


def integrate_fixed(path: ImagePath, scene: Scene, rule: Rule, steps: int) -> Explanation:
    """Integrate with ``steps`` nodes of ``rule``: the maps and their estimated errors (none by one node)."""
    scene.expect(steps)
    nodes = rule.nodes(steps)
    total = FixedSum(rule)
    stop = 0
    while stop < steps:
        start, stop = stop, min(stop + scene.limit, steps)
        u = nodes.at[start:stop]
        if nodes.edges is not None:
            increments = path.increments(nodes.edges[start : stop + 1])
        else:
            assert nodes.weights is not None
            increments = path.weighted_derivatives(u, nodes.weights[start:stop])
        for gradient, increment in zip(scene.gradients(path.points(u)), increments, strict=True):
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
_ROUNDING = 1e-5  # of the detector, in float32: a smaller change cannot be compared
_ENOUGH = 81  # evaluations, after which sums that are off all along the path will remain so
_NARROWEST = 1e-5  # of the path; where a cell of that width holds a jump of the detector, no gradient will see it


def integrate_to_tolerance(path: ImagePath, scene: Scene, tolerance: float, limit: int) -> Explanation:
    """Midpoint rule by arc length, refined where it errs until it is known to ``tolerance``; one window.

    Three cells at first, each trisected: the middle third's midpoint is the cell's own, so every gradient that was
    paid for stays in use. A trisection changes the cell's contribution by δ; the error that is left is taken as
    ‖δ‖/√8 (see ``quadrature.FROM_TRISECTION``), and errors of different cells as independent. Then the fewest cells
    whose refinement should reach the tolerance are trisected, and so on.

    What happens between all nodes no gradient tells, but the detector's values do: as long as the map's sum is off the
    detector's change by more than the tolerance (of that change, or of the sum of the absolute map where the change
    cancels), those cells are trisected whose sums are off their own changes.
    """
    done = 3 * _FIRST_CELLS
    scene.expect(done)
    first = MIDPOINT.nodes(_FIRST_CELLS)
    assert first.edges is not None
    gradients, increments = _gradients(path, scene, first.at), path.increments(first.edges)
    cells = [_Cell(*cell, np.inf) for cell in zip(first.edges[:-1], first.edges[1:], gradients, strict=True)]
    total = (torch.cat(gradients) * increments).sum(dim=0, keepdim=True)
    chosen = list(range(len(cells)))
    values: dict[float, float] = {}
    while True:
        _trisect(cells, chosen, total, path, scene)
        norm = float(total.norm())
        error = sum(cell.squared_error for cell in cells) ** 0.5 / norm if norm > 0 else 0.0
        gap = 0.0
        if error <= tolerance:
            _detect(path, scene, [0.0, 1.0], values)
            change = values[1.0] - values[0.0]
            of = max(abs(change), float(total.abs().sum()))
            off = abs(float(total.sum()) - change)
            if norm > 0 and off > max(tolerance * of, _ROUNDING * abs(values[1.0])):
                gap = off / of
                chosen = _off_their_change(cells, path, scene, values, tolerance * of / 2)
        else:
            chosen = _worth_refining(cells, (tolerance * norm) ** 2)
        chosen = chosen[: (limit - done) // 2]
        converged = error <= tolerance and gap == 0
        off_everywhere = gap > 0 and done >= _ENOUGH and sum(cells[i].stop - cells[i].start for i in chosen) > 0.5
        if converged or not chosen or off_everywhere:
            if not converged:
                found = f"error is {error:.3g}" + (f", but its gap {gap:.3g}" if gap else "")
                cause = f"Raise max_steps (now {limit}) or the tolerance."
                if off_everywhere:
                    cause = "The gradient is not that of the detector: a detached branch, or values that diverge."
                elif done + 2 <= limit:
                    cause = "The detector jumps on the path, where no gradient sees it."
                warnings.warn(
                    f"After {done} gradient evaluations the estimated map {found}, above the tolerance of "
                    f"{tolerance:g}. {cause}",
                    ToleranceWarning,
                    stacklevel=2,
                )
            ends = torch.tensor([[values[1.0]], [values[0.0]]], dtype=torch.float64) if values else None
            return Explanation(total, errors=(error if norm > 0 else None,), values=ends, converged=converged)
        done += 2 * len(chosen)
        scene.expect(done)


def _detect(path: ImagePath, scene: Scene, at: Iterable[float], values: dict[float, float]) -> None:
    """Add the detector's values at these u."""
    for u in at:
        if u not in values:
            point = path.points(np.array([u])) if u < 1 else path.image[None]  # exactly
            values[u] = float(scene.detect(point)[0, 0])


def _off_their_change(
    cells: list[_Cell], path: ImagePath, scene: Scene, values: dict[float, float], allowed: float
) -> list[int]:
    """The fewest cells, worst first, without which the sums are off the detector's changes by ``allowed`` at most."""
    _detect(path, scene, (edge for cell in cells for edge in (cell.start, cell.stop)), values)
    off = []
    for cell in cells:
        increment = path.increments(np.array([cell.start, cell.stop]))[0]
        off.append(abs(float((cell.gradient * increment).sum()) - (values[cell.stop] - values[cell.start])))
    left, chosen = sum(off), []
    for i in sorted(range(len(cells)), key=lambda i: -off[i]):
        if left <= allowed:
            break
        left -= off[i]
        if cells[i].stop - cells[i].start > _NARROWEST:
            chosen.append(i)
    return chosen


def _gradients(path: ImagePath, scene: Scene, u: Floats) -> list[Tensor]:
    """Gradients at each u, in batches that the scene likes."""
    result: list[Tensor] = []
    while len(result) < len(u):
        result.extend(scene.gradients(path.points(u[len(result) : len(result) + scene.limit])))
    return result


def _trisect(cells: list[_Cell], chosen: list[int], total: Tensor, path: ImagePath, scene: Scene) -> None:
    """Trisect the chosen cells in place, and bring ``total`` up to date."""
    edges = {i: np.linspace(cells[i].start, cells[i].stop, 4) for i in chosen}
    u = np.concatenate([[(e[0] + e[1]) / 2, (e[2] + e[3]) / 2] for e in edges.values()])
    new = _gradients(path, scene, u)
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
