"""Every operator that can be restricted to a box of its output."""

import torch

from srlens.windowed import axes, neighbours, sampling
from srlens.windowed.axes import Rule, pointwise
from srlens.windowed.graph import Node

_BY_NAME = {**axes.RULES, **neighbours.RULES, **sampling.RULES}


def rule_of(node: Node) -> Rule | None:
    """The rule of an operator; None where it takes its inputs in full."""
    return pointwise if torch.Tag.pointwise in node.operator.tags else _BY_NAME.get(node.name)
