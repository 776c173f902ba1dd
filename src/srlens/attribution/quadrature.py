"""Rules for the line integral: where the gradient is taken, and how much of the path it stands for.

Every rule is in Stieltjes form, ``Σ g(γ(node)) ⊙ (γ(cell end) − γ(cell start))``, but for Gauss–Legendre, whose
weights belong to the derivative, ``Σ w g(γ(node)) ⊙ γ'(node)``. So a cell's share of the completeness sum is exact
whatever the parameterisation: a line integral does not depend on it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from srlens.naming import look_up

Floats = NDArray[np.float64]
Parameterisation = Literal["Laplacian arc length", "arc length", "uniform"]
PARAMETERISATIONS: tuple[Parameterisation, ...] = get_args(Parameterisation)


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
        name: its key in :data:`RULES`.
        parameterisation: of the path: equal arc length in image space, of the image's Laplacian or of the image itself,
            or uniform in the path's own parameter (see :class:`~srlens.attribution.reparameterisation.ArcLength`).
        nodes: the rule with n nodes.
        systematic: the errors of neighbouring cells add up (a one-sided rule) rather than being independent.
        default_steps: how many nodes if neither steps nor tolerance apply.
    """

    name: str
    parameterisation: Parameterisation
    nodes: Callable[[int], Nodes]
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


MIDPOINT = Rule("midpoint", "Laplacian arc length", _midpoint)
RIGHT_RIEMANN = Rule("right-riemann", "uniform", _right_riemann, systematic=True)
GAUSS_LEGENDRE = Rule("gauss-legendre", "uniform", _gauss_legendre)

#: Rules by name.
RULES: dict[str, Rule] = {rule.name: rule for rule in (MIDPOINT, RIGHT_RIEMANN, GAUSS_LEGENDRE)}


def find_rule(rule: str | Rule) -> Rule:
    """A rule by name, or the one given.

    Raises:
        SettingError: no rule has that name.
    """
    return rule if isinstance(rule, Rule) else look_up("quadrature rule", rule, RULES)


# The error estimates take the gradient along the path as a smooth curve plus a process of independent increments: it
# jumps where the path crosses kinks of the network (ReLU), and jumps do not know of each other. Then the variance of
# the jumps between u and u' is s |u − u'| say, and for a cell of width h
#   with its node in the middle    their squared error is 2·∫₀^(h/2) s v² dv = s h³/12;
#   with its node at the end       it is that of the trapezoidal rule, s h³/12, beside half the difference itself;
#   neighbouring nodes differ by s h, their second differences by 2 s h, times h² for what it makes in the map.
# Second differences hold no slope of the smooth part, and its curvature errs by a 24th of them, cell by cell with the
# same sign: that is added as a vector.
# Trisecting a cell changes its share by 2·s(h/3)³ = s h³·2/27; its squared error was s h³/12 and is a ninth of it,
# s h³/108, an eighth of the squared change. Where the smooth part rules this overestimates, threefold at most.
FROM_JUMPS = 12.0
FROM_BENDS = 24.0
CURVATURE = 24.0
FROM_TRISECTION = 8.0
