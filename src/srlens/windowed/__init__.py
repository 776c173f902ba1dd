"""Windowed evaluation: a network computed only where a window of its output needs it; same values, same gradients.

A window of 17×17 output pixels needs a small part of the enlarging tail of a network, and of a network without global
parts a small part of everything, the input included. From top to bottom:

``regional``
    windows of one network: plans, verifies, evaluates, and falls back with a stated reason; the face of this package.
``windowed`` and ``proof``
    what is known of a network at each shape of its input; a plan against the whole network.
``shared`` and ``memory``
    many windows at once, what they have in common computed once; a bound on what is kept for the backward pass, and
    plans in segments that are run again there.
``plan`` and ``program``
    the boxes that each operator must compute, from the output backwards; then the steps, forwards.
``rules``
    by operator: which box of its inputs a box of its output needs, and how to compute just that.
    An operator without a rule takes its inputs in full, so a missing rule costs time, never correctness.
``recorder`` and ``graph``
    the operators that a network call runs (ATen, those in place rewritten), recorded while it runs; constants are kept
    by reference, so that weights are never copied.
"""

from srlens.windowed.memory import TooLargeError as TooLargeError
from srlens.windowed.memory import bounded as bounded
from srlens.windowed.proof import Result as Result
from srlens.windowed.regional import Regional as Regional
from srlens.windowed.shared import Forward as Forward
from srlens.windowed.windowed import Windowed as Windowed
