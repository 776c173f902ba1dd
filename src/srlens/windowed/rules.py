"""Every operator that can be restricted to a box of its output."""

import torch

from srlens.windowed import rules_axes, rules_neighbours, rules_sampling
from srlens.windowed.graph import Node
from srlens.windowed.restriction import Rule

_BY_NAME = {**rules_axes.RULES, **rules_neighbours.RULES, **rules_sampling.RULES}


def rule_of(node: Node) -> Rule | None:
    """The rule of an operator; None where it takes its inputs in full."""
    return rules_axes.pointwise if torch.Tag.pointwise in node.operator.tags else _BY_NAME.get(node.name)
