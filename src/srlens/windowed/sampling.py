"""Rules for operators that choose or mix elements along rows and columns: slices, rolls, pads, enlargement."""

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor
from torch._ops import OpOverload

from srlens.windowed.axes import Restriction, Rule
from srlens.windowed.box import Box
from srlens.windowed.graph import Node, Shapes


def choosing(node: Node, asked: Box, shapes: Shapes) -> Restriction | None:
    """Slices, rolls and pads: along each axis, an output element is one of the input or that of a constant border."""
    shape, middle = shapes[node.inputs[0]], [size // 2 for size in shapes[node.outputs[0]]]
    border = node.bound.get("value", 0.0)
    call = node.call if "value" not in node.bound else Node(node.operator, (*node.args[:2], -1.0), {}, ()).call
    wanted: list[tuple[int, int]] = []
    around: list[int] = []
    selections: list[tuple[int, Tensor]] = []
    for axis, size in enumerate(shape):
        # The operator itself tells where a line of its output comes from.
        line = torch.arange(size, dtype=torch.float64).reshape([-1 if k == axis else 1 for k in range(len(shape))])
        index = call([line.expand(shape)])[(*middle[:axis], slice(*asked[axis]), *middle[axis + 1 :])].long()
        within = (index >= 0).nonzero().flatten()
        if not len(within):
            return None
        around[:0] = int(within[0]), len(index) - 1 - int(within[-1])
        index = index[within]
        low, high = int(index.min()), int(index.max()) + 1
        wanted.append((low, high))
        if (index.diff() != 1).any():
            selections.append((axis, index - low))

    def run(tensors: Sequence[Tensor]) -> Tensor:
        result = tensors[0]
        for axis, index in selections:
            result = result.index_select(axis, index.to(result.device))
        return torch.constant_pad_nd(result, around, border) if any(around) else result

    return Restriction(asked, (tuple(wanted),), run)


def shuffling(node: Node, asked: Box, shapes: Shapes) -> Restriction | None:
    """Pixel shuffle: whole input pixels, all channels."""
    factor = node.bound["upscale_factor"]
    batch, *image = asked
    if len(image) != 3:
        return None
    pixels = [(first // factor, -(-stop // factor)) for first, stop in image[1:]]
    produced = (batch, (0, shapes[node.outputs[0]][1]), *((a * factor, b * factor) for a, b in pixels))
    return Restriction(produced, ((batch, (0, shapes[node.inputs[0]][1]), *pixels),), node.call)


def interpolating(node: Node, asked: Box, shapes: Shapes) -> Restriction | None:
    """Separable enlargement of any factor, as two small matrices that the operator itself supplies."""
    bound, wanted = node.bound, list(asked)
    weights: list[Tensor] = []
    for axis, scale in ((2, "scales_h"), (3, "scales_w")):
        sizes = shapes[node.inputs[0]][axis], shapes[node.outputs[0]][axis]
        rows = _matrix(node.operator, *sizes, bound.get("align_corners"), bound[scale])[slice(*asked[axis])]
        used = (rows != 0).any(dim=0).nonzero()
        wanted[axis] = low, high = int(used.min()), int(used.max()) + 1
        weights.append(rows[:, low:high])
    vertical, horizontal = weights[0].contiguous(), weights[1].t().contiguous()

    def run(tensors: Sequence[Tensor]) -> Tensor:
        x = tensors[0]
        return torch.matmul(vertical.to(x), torch.matmul(x, horizontal.to(x)))

    return Restriction(asked, (tuple(wanted),), run)


@lru_cache(maxsize=64)
def _matrix(operator: OpOverload, size: int, enlarged: int, corners: bool | None, scale: float | None) -> Tensor:
    """What each input element contributes to each output element of one axis: enlarged×size, float64, CPU."""
    # One basis vector a channel, four columns wide: with one, the operators for anti-aliasing mistake the layout.
    unit = torch.eye(size, dtype=torch.float64)[None, :, :, None].repeat(1, 1, 1, 4)
    options = [] if corners is None else [corners]  # nearest neighbours have none
    with torch.no_grad():
        result: Tensor = operator(unit, [enlarged, 4], *options, scale, None)
    return result[0, :, :, 0].t().contiguous()


_CHOOSING = ("slice", "roll", "constant_pad_nd", "reflection_pad2d", "replication_pad2d")
_ENLARGING = ("nearest2d", "_nearest_exact2d", "bilinear2d", "bicubic2d", "_bilinear2d_aa", "_bicubic2d_aa")
RULES: dict[str, Rule] = {
    "pixel_shuffle": shuffling,
    **dict.fromkeys(_CHOOSING, choosing),
    **{("_upsample" if "_" in kind else "upsample_") + kind: interpolating for kind in _ENLARGING},
}
