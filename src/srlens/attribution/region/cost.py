"""Multiply-adds of a node: what the saving of a regional evaluation is measured in."""

from math import prod

from srlens.attribution.region.graph import Node
from srlens.attribution.region.rule import Shapes, size_of

_PRODUCTS = {"mm": "self", "bmm": "self", "addmm": "mat1", "baddbmm": "batch1"}


def multiply_adds(node: Node, shapes: Shapes) -> int:
    """Of the node in full; 0 for anything but convolutions and matrix products."""
    bound = node.bound
    if node.name == "convolution":
        # Each element of the smaller side meets the weights of one channel on the other side.
        weight = size_of(bound["weight"], shapes)
        side = size_of(bound["input"], shapes) if bound["transposed"] else shapes[node.outputs[0]]
        return prod(side) * prod(weight[1:])
    if node.name in _PRODUCTS:
        return prod(shapes[node.outputs[0]]) * size_of(bound[_PRODUCTS[node.name]], shapes)[-1]
    return 0
