"""Windowed evaluation: a network computed only where a window of its output needs it; same values, same gradients.

A window of 17×17 output pixels needs a small part of the enlarging tail of a network, and of a network without global
parts a small part of everything, the input included. From top to bottom:

``windowed``
    what is kept of one network between windows; the face of this package. ``shared``: many windows at once.
``regional``
    one window: records, plans, verifies, and falls back with a stated reason. ``confined``: within a bound on memory,
    in ``segments`` that are run again in the backward pass.
``records``
    what is known of a network at each shape of its input. ``proof``: a plan against the whole network.
``plan`` and ``program``
    the boxes that each operator must compute, from the output backwards; then the steps, forwards.
``rules`` and ``rules_*``
    per operator: which box of its inputs a box of its output needs, and how to compute just that (a ``restriction``).
    An operator without a rule takes its inputs in full, so a missing rule costs time, never correctness.
``recorder`` and ``graph``
    the operators that a network call runs (ATen, those in place rewritten), recorded while it runs; constants are kept
    by reference, so that weights are never copied.
"""

from srlens.windowed.bound import TooLargeError, bounded
from srlens.windowed.plan import Source
from srlens.windowed.proof import Differentiate, Result
from srlens.windowed.records import Callee
from srlens.windowed.regional import Regional
from srlens.windowed.shared import SharedForward, WholeForward
from srlens.windowed.windowed import Windowed

__all__ = [
    "Callee",
    "Differentiate",
    "Regional",
    "Result",
    "SharedForward",
    "Source",
    "TooLargeError",
    "WholeForward",
    "Windowed",
    "bounded",
]
