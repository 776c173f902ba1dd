"""Parts of the LR image that are replaced, and what the detectors say then: what occlusion and causal effects share."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, product

import torch
from torch import Tensor

from srlens.attribution.making import Making
from srlens.attribution.scene import Scene

#: Rows and columns of a block.
Block = tuple[slice, slice]


def partition(height: int, width: int, side: int) -> list[Block]:
    """Blocks of side×side LR pixels, row by row, that cover each pixel once; the last ones are cut at the border."""
    rows, columns = ([slice(k, min(k + side, size)) for k in range(0, size, side)] for size in (height, width))
    return list(product(rows, columns))


def pixels(block: Block) -> int:
    """Its number of LR pixels."""
    rows, columns = block
    return int((rows.stop - rows.start) * (columns.stop - columns.start))


def within_reach(blocks: Sequence[Block], scene: Scene) -> list[bool]:
    """Whether some window of the scene can depend on it, of each block."""
    edges = scene.reach
    return [
        any(
            rows.start < bottom and top < rows.stop and columns.start < right and left < columns.stop
            for top, left, bottom, right in edges
        )
        for rows, columns in blocks
    ]


def replaced_values(
    scene: Scene, replacements: Iterable[tuple[Block, Tensor]], making: Making | None = None
) -> Iterator[Tensor]:
    """The detectors' values (K, float64) at the image with one block replaced, for each (block, C×h×w pixels) in turn.

    As many images at once as the scene is worth asking for. With ``making``, the block of the clean picture is
    replaced, and the image made of it anew.
    """
    picture = scene.image if making is None else making.clean
    remaining = iter(replacements)
    while some := list(islice(remaining, scene.limit)):
        changed = picture.repeat(len(some), 1, 1, 1)
        for one, ((rows, columns), content) in zip(changed, some, strict=True):
            one[:, rows, columns] = content
        yield from scene.values(changed if making is None else torch.stack([making.observe(one) for one in changed]))


def stays_inside(block: Block, making: Making) -> bool:
    """Whether the image changes within a block alone where the clean picture is replaced by its negative there."""
    rows, columns = block
    changed = making.clean.clone()
    changed[:, rows, columns] = 1 - changed[:, rows, columns]
    difference = making.observe(changed) - making.observe(making.clean)
    difference[:, rows, columns] = 0
    return not difference.any()
