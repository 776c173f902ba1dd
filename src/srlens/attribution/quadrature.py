"""Rules for the line integral: where the gradient is taken, and how much of the path it stands for.

Every rule is in Stieltjes form, ``Σ g(γ(node)) ⊙ (γ(cell end) − γ(cell start))``, but for Gauss–Legendre, whose
weights belong to the derivative, ``Σ w g(γ(node)) ⊙ γ'(node)``. So a cell's share of the completeness sum is exact
whatever the parameterisation: a line integral does not depend on it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from srlens.errors import SettingError

Floats = NDArray[np.float64]
Parameterisation = Literal["arc length", "uniform"]


@dataclass(frozen=True)
class Nodes:
    """Nodes of one rule on the unit interval.

    Attributes:
        at: the n nodes, ascending.
        edges: the n + 1 cell edges (Stieltjes rules), or None.
        weights: the n weights of the derivative (Gauss–Legendre), or None.
    """

    at: Floats
    edges: Floats | None = None
    weights: Floats | None = None


@dataclass(frozen=True)
class Rule:
    """A quadrature rule.

    Attributes:
        name: for records and captions.
        parameterisation: of the path: equal arc length in image space, or uniform in the path's own parameter.
        nodes: the rule with n nodes.
        group: how many neighbouring nodes make one cell of the coarser rule from which the error is estimated.
        representative: which of them is the coarser rule's node.
        systematic: errors of neighbouring cells add up (a one-sided rule) rather than being independent.
        default_steps: how many nodes if neither steps nor tolerance apply.
    """

    name: str
    parameterisation: Parameterisation
    nodes: Callable[[int], Nodes]
    group: int
    representative: int
    systematic: bool = False
    default_steps: int = 50


def _midpoint(n: int) -> Nodes:
    edges = np.linspace(0.0, 1.0, n + 1)
    return Nodes(at=(edges[1:] + edges[:-1]) / 2, edges=edges)


def _right_riemann(n: int) -> Nodes:
    edges = np.linspace(0.0, 1.0, n + 1)
    return Nodes(at=edges[1:], edges=edges)


def _gauss_legendre(n: int) -> Nodes:
    at, weights = np.polynomial.legendre.leggauss(n)
    return Nodes(at=(at + 1) / 2, weights=weights / 2)


MIDPOINT = Rule("midpoint", "arc length", _midpoint, group=3, representative=1)
RIGHT_RIEMANN = Rule("right Riemann", "uniform", _right_riemann, group=2, representative=1, systematic=True)
GAUSS_LEGENDRE = Rule("Gauss–Legendre", "uniform", _gauss_legendre, group=3, representative=1)

RULES: dict[str, Rule] = {
    "midpoint": MIDPOINT,
    "right-riemann": RIGHT_RIEMANN,
    "gauss-legendre": GAUSS_LEGENDRE,
}
"""Rules by the names that the command line and study files use."""


def find_rule(rule: str | Rule) -> Rule:
    """A rule by name, or the one given.

    Raises:
        SettingError: no rule has that name.
    """
    if isinstance(rule, Rule):
        return rule
    if not isinstance(rule, str) or rule not in RULES:
        raise SettingError(f"No quadrature rule is called {rule!r}; known: {', '.join(RULES)}.")
    return RULES[rule]


# If a cell's error falls like 1/n with a random sign (ReLU kinks), the errors of the coarse and of the three times
# finer rule are independent, so their difference has √(3² + 1²) times the size of the finer one's error. On smooth
# networks (order 2) the same figure overestimates, by a factor of 8/√10 at most.
INDEPENDENT = 10.0
