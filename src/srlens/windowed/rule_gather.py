"""Rules for operators that only choose elements along axes: slices, flips, rolls, reflection, nearest enlargement."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srlens.windowed.box import Box, Interval
from srlens.windowed.graph import Node, Ref
from srlens.windowed.rule import Local, Rule, Shapes

Indices = NDArray[np.int64]


def gathered(asked: Box, sources: dict[int, Indices]) -> Local:
    """Output index j on an axis is input index ``sources[axis][j]``; other axes pass."""
    wanted: list[Interval] = list(asked)
    selections: list[tuple[int, Tensor]] = []
    for axis, source in sources.items():
        chosen = source[asked[axis][0] : asked[axis][1]]
        low, high = int(chosen.min()), int(chosen.max()) + 1
        wanted[axis] = (low, high)
        if len(chosen) != high - low or not np.array_equal(chosen, np.arange(low, high)):
            selections.append((axis, torch.from_numpy(chosen - low)))

    def run(tensors: Sequence[Tensor]) -> Tensor:
        result = tensors[0]
        for axis, index in selections:
            result = result.index_select(axis, index.to(result.device))
        return result

    return Local(asked, (tuple(wanted),), run)


def slicing(node: Node, asked: Box, shapes: Shapes) -> Local | None:
    """``x[..., start:end:step, ...]``."""
    b = node.bound
    axis = b["dim"] % len(asked)
    size = shapes[node.inputs[0]][axis]
    return gathered(asked, {axis: np.arange(size)[slice(b["start"], b["end"], b["step"])]})


def selecting(node: Node, asked: Box, shapes: Shapes) -> Local | None:
    """``x[..., index, ...]``: the axis vanishes."""
    shape = shapes[node.inputs[0]]
    axis = node.bound["dim"] % len(shape)
    index = node.bound["index"] % shape[axis]
    wanted = (*asked[:axis], (index, index + 1), *asked[axis:])
    return Local(asked, (wanted,), lambda tensors: tensors[0].squeeze(axis))


def index_selecting(node: Node, asked: Box, _: Shapes) -> Local | None:
    """``x.index_select(dim, index)`` with an index that does not depend on the image."""
    index = node.bound["index"]
    if isinstance(index, Ref):
        return None
    return gathered(asked, {node.bound["dim"] % len(asked): _as_indices(index, 1)})


def indexing(node: Node, asked: Box, shapes: Shapes) -> Local | None:
    """``x[:, :, index]`` with one constant list of positions."""
    indices = node.bound["indices"]
    shape = shapes[node.inputs[0]]
    used = [(axis, index) for axis, index in enumerate(indices) if index is not None]
    if len(used) != 1 or not isinstance(node.args[0], Ref) or isinstance(used[0][1], Ref):
        return None
    axis, index = used[0]
    if index.ndim != 1 or index.dtype in (torch.bool, torch.uint8):
        return None
    return gathered(asked, {axis: _as_indices(index, shape[axis])})


def flipping(node: Node, asked: Box, shapes: Shapes) -> Local | None:
    """Axes reversed."""
    shape = shapes[node.inputs[0]]
    axes = [axis % len(shape) for axis in node.bound["dims"]]
    return gathered(asked, {axis: np.arange(shape[axis])[::-1] for axis in axes})


def rolling(node: Node, asked: Box, shapes: Shapes) -> Local | None:
    """Axes shifted cyclically."""
    shape = shapes[node.inputs[0]]
    axes = [axis % len(shape) for axis in node.bound["dims"]]
    if not axes or len(set(axes)) != len(axes):
        return None
    shifts = node.bound["shifts"]
    return gathered(
        asked,
        {axis: (np.arange(shape[axis]) - shift) % shape[axis] for axis, shift in zip(axes, shifts, strict=True)},
    )


def reflecting(node: Node, asked: Box, shapes: Shapes) -> Local | None:
    """Border reflected, edge not repeated."""
    return _padding(node, asked, shapes, "reflect")


def replicating(node: Node, asked: Box, shapes: Shapes) -> Local | None:
    """Border pixel repeated."""
    return _padding(node, asked, shapes, "edge")


def _padding(node: Node, asked: Box, shapes: Shapes, mode: str) -> Local | None:
    shape = shapes[node.inputs[0]]
    pads = node.bound["padding"]
    if min(pads) < 0:
        return None
    sources = {}
    for k in range(len(pads) // 2):
        axis = len(shape) - 1 - k
        sources[axis] = np.pad(np.arange(shape[axis]), (pads[2 * k], pads[2 * k + 1]), mode=mode)  # type: ignore[call-overload]
    return gathered(asked, sources)


def _as_indices(index: Tensor, size: int) -> Indices:
    values = index.detach().cpu().numpy().astype(np.int64)
    return np.where(values < 0, values + size, values)


def padding_by_constant(node: Node, asked: Box, shapes: Shapes) -> Local | None:
    """Border of a constant value; negative amounts crop."""
    b = node.bound
    shape = shapes[node.inputs[0]]
    pads = b["pad"]
    wanted: list[Interval] = list(asked)
    around: list[int] = []
    surplus: list[tuple[int, int, int]] = []
    for k in range(len(pads) // 2):
        axis = len(shape) - 1 - k
        first, stop = asked[axis][0] - pads[2 * k], asked[axis][1] - pads[2 * k]
        low = min(max(first, 0), shape[axis] - 1)
        high = max(min(stop, shape[axis]), low + 1)
        wanted[axis] = (low, high)
        around += [max(low - first, 0), max(stop - high, 0)]
        if first > low or high > stop:  # wholly inside the padding: one pixel was taken all the same
            surplus.append((axis, max(first - low, 0), stop - first))
    value = b["value"]

    def run(tensors: Sequence[Tensor]) -> Tensor:
        result = torch.constant_pad_nd(tensors[0], around, value) if any(around) else tensors[0]
        for axis, start, length in surplus:
            result = result.narrow(axis, start, length)
        return result

    return Local(asked, (tuple(wanted),), run)


RULES: dict[str, Rule] = {
    "slice": slicing,
    "select": selecting,
    "index_select": index_selecting,
    "index": indexing,
    "flip": flipping,
    "roll": rolling,
    "reflection_pad1d": reflecting,
    "reflection_pad2d": reflecting,
    "replication_pad1d": replicating,
    "replication_pad2d": replicating,
    "constant_pad_nd": padding_by_constant,
}
