"""Regional evaluation: the network computed only where the window needs it, with the same values and gradients.

A window of 17×17 SR pixels needs a small part of the enlarging tail of a network, and of a network without global
parts a small part of everything, the LR image included. From top to bottom:

``windowed``
    what is kept of one network between windows; the face of this package.
``regional``
    one window: plans, verifies, and falls back with a stated reason.
``record``
    the operators that a network call runs (ATen, in-place ones rewritten), recorded while it runs.
``graph``
    the record: values, nodes, constants by reference (weights are never copied).
``plan``
    the boxes that each node must compute, from the output backwards; then the steps, forwards.
``rules`` and ``rule_*``
    per operator: which box of its inputs a box of its output needs, and how to compute just that.
    An operator without a rule takes its inputs in full, so a missing rule costs time, never correctness.
``verify``
    full against regional, at the same input: values and gradient.
"""

from srlens.windowed.bound import TooLargeError, bounded
from srlens.windowed.plan import Source
from srlens.windowed.records import Callee
from srlens.windowed.regional import Differentiate, Regional
from srlens.windowed.shared import SharedForward, WholeForward
from srlens.windowed.verify import Result
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
