"""The layout of every figure: blocks that know their size, put into grids of grids, and drawn last.

A figure is written down as it is read, in rows and columns; where its panels may grow, :func:`largest` tries how far.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate, zip_longest
from typing import Any, Concatenate, ParamSpec, TypeVar

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from srlens.figures.sheet import Sheet
from srlens.figures.style import PAGE_HEIGHT, PAGE_WIDTH, RULE_COLOUR, TEXT_SIZE, TITLE_SIZE, Look
from srlens.figures.typesetting import distinct, shorten, text_width, wrap
from srlens.imaging.terms import worded

#: Left and right of what a figure shows, in cm.
MARGIN = 0.05
#: What a figure across two columns can hold, in cm.
FULL_WIDTH = PAGE_WIDTH - 2 * MARGIN
_P = ParamSpec("_P")
_T = TypeVar("_T")
_BAND_GAP, _PAGE_GAP = 0.35, 0.2  # cm: between bands; between the parts of a page
_FINEST = 0.005  # cm: how finely sizes are tried
_SMALLEST = 0.2  # cm: what is drawn where nothing fits


@dataclass(frozen=True)
class Block:
    """A part of a figure, in cm.

    Attributes:
        width: room that it takes; what it draws may reach beyond.
        height: likewise.
        draw: called with the sheet and the place of the top left corner.
        across: where it stands in wider room: 0 at the left, 0.5 in the middle, 1 at the right.
        down: where it stands in higher room: 0 at the top, 0.5 in the middle, 1 at the bottom.
    """

    width: float
    height: float
    draw: Callable[[Sheet, float, float], None]
    across: float = 0.0
    down: float = 0.0

    def within(self, width: float | None = None, height: float | None = None) -> "Block":
        """The same in more room, or in less; from less it reaches out on the side away from where it stands."""
        wide, high = self.width if width is None else width, self.height if height is None else height
        right, lower = self.across * (wide - self.width), self.down * (high - self.height)
        return replace(
            self, width=wide, height=high, draw=lambda sheet, left, top: self.draw(sheet, left + right, top + lower)
        )

    def at(self, across: float = 0.0, down: float = 0.0) -> "Block":
        """The same, standing elsewhere in wider or higher room."""
        return replace(self, across=across, down=down)

    def padded(self, *, left: float = 0.0, top: float = 0.0, right: float = 0.0, bottom: float = 0.0) -> "Block":
        """The same with free space around it."""
        return replace(
            self,
            width=left + self.width + right,
            height=top + self.height + bottom,
            draw=lambda sheet, x, y: self.draw(sheet, x + left, y + top),
        )


def grid(cells: Sequence[Sequence[Block | None]], *, across: float = 0.0, down: float = 0.0) -> Block:
    """Blocks in rows and columns, each as wide and as high as its largest cell; rows may be of different length.

    Args:
        cells: row by row; None where there is nothing.
        across: free space between columns, in cm.
        down: free space between rows, in cm.
    """
    filled = [[cell or space() for cell in line] for line in cells]
    widths = [max(cell.width for cell in line) for line in zip_longest(*filled, fillvalue=space())]
    heights = [max((cell.height for cell in line), default=0.0) for line in filled]
    lefts = [0.0, *accumulate(width + across for width in widths)]
    tops = [0.0, *accumulate(height + down for height in heights)]

    def draw(sheet: Sheet, left: float, top: float) -> None:
        for line, height, y in zip(filled, heights, tops, strict=False):
            for cell, width, x in zip(line, widths, lefts, strict=False):
                cell.within(width, height).draw(sheet, left + x, top + y)

    return Block(max(lefts[-1] - across, 0.0), max(tops[-1] - down, 0.0), draw)


def in_rows(items: Sequence[_T], count: int) -> list[Sequence[_T]]:
    """Rows of ``count`` items each, the last one shorter where they run out."""
    return [items[first : first + count] for first in range(0, len(items), count)]


def row(*blocks: Block | None, gap: float = 0.0) -> Block:
    """Blocks beside one another, ``gap`` cm apart."""
    return grid([blocks], across=gap)


def column(*blocks: Block | None, gap: float = 0.0) -> Block:
    """Blocks below one another, ``gap`` cm apart."""
    return grid([[block] for block in blocks], down=gap)


def space(width: float = 0.0, height: float = 0.0) -> Block:
    """Nothing of that size, in cm."""
    return Block(width, height, lambda *_: None)


def panel(
    width: float,
    height: float,
    label: str,
    draw: Callable[Concatenate[Axes, _P], object],
    *arguments: _P.args,
    **options: _P.kwargs,
) -> Block:
    """Axes of that size in cm, found by their label, and what draws into them, with its arguments."""

    def place(sheet: Sheet, left: float, top: float) -> None:
        draw(sheet.axes(left, top, width, height, label), *arguments, **options)

    return Block(width, height, place)


def text(
    look: Look,
    words: str | Sequence[str],
    *,
    size: float = TEXT_SIZE,
    bold: bool = False,
    across: float = 0.0,
    most: float | None = None,
    lines: int = 1,
) -> Block:
    """Lines at a fixed pitch, so that texts side by side stand on common baselines.

    What is bold (names, numbers) is written as it is; all else in the words of the networks' scale.

    Args:
        look: the font.
        words: one text or several below one another.
        size: in pt.
        bold: whether they are bold.
        across: how they are aligned: 0 left, 0.5 centred, 1 right.
        most: width in cm within which each text must fit; it is cut off where need be.
        lines: how many lines a text may take then.
    """
    written = [words] if isinstance(words, str) else list(words)
    written = written if bold else [worded(line, look.scale) for line in written]
    if most is not None:
        fitted = [shorten(each, most, look.font, size, lines=lines, bold=bold) for each in written]
        written = [line for each in fitted for line in each or [""]]
    pitch = size * 1.25 / 72 * 2.54
    width = max((text_width(line, look.font, size, bold=bold) for line in written), default=0.0)
    style = {"size": size, "weight": "bold" if bold else "normal", "ha": ("left", "center", "right")[round(2 * across)]}

    def draw(sheet: Sheet, left: float, top: float) -> None:
        for number, line in enumerate(written, start=1):
            sheet.text(left + across * width, top + number * pitch - size / 100, line, **style)

    return Block(width, pitch * len(written), draw, across)


def title(look: Look, words: str | Sequence[str], **options: Any) -> Block:
    """What stands above a panel or a figure, with the distance to what is below; options are those of text."""
    return text(look, words, size=TITLE_SIZE, **options).padded(top=0.04, bottom=0.03)


def titles(
    look: Look, names: Sequence[str], *, most: float, lines: int = 1, bold: bool = False, **options: Any
) -> list[Block]:
    """A title each, told apart by numbers where names of at most that width would be shortened to the same."""
    apart = distinct(names, most, look.font, TITLE_SIZE, lines=lines, bold=bold)
    return [title(look, name, most=most, lines=lines, bold=bold, **options) for name in apart]


def paragraph(look: Look, words: str, width: float = FULL_WIDTH) -> Block:
    """Words in lines of at most that width in cm."""
    return text(look, wrap(worded(words, look.scale), width, look.font, TEXT_SIZE))


def rule(length: float) -> Block:
    """A thin horizontal line of that length in cm."""
    return Block(
        length, 0.0, lambda sheet, x, y: sheet.line(x, x + length, y, linewidth=0.5, color=RULE_COLOUR, zorder=1)
    )


def largest(
    make: Callable[[float], Block], most: float, width: float = FULL_WIDTH, height: float = math.inf
) -> tuple[float, Block]:
    """The largest size, up to ``most`` cm, whose block fits into ``width`` × ``height`` cm; the block grows with it."""
    low, high, size = _SMALLEST, most, most
    best = make(low)
    while high - low > _FINEST:
        tried = make(size)
        if tried.width <= width and tried.height <= height:
            low, best = size, tried
        else:
            high = size
        size = (low + high) / 2
    return low, best


def page(look: Look, *blocks: Block, width: float = PAGE_WIDTH) -> Figure:
    """The figure: blocks below one another. It is wider than ``width`` cm only if one of them is."""
    whole = column(*blocks, gap=_PAGE_GAP).padded(left=MARGIN, right=MARGIN, bottom=0.1)
    sheet = Sheet(max(width, whole.width), whole.height, look)
    whole.draw(sheet, 0.0, 0.0)
    return sheet.figure


def page_of_bands(
    look: Look,
    make: Callable[[Sequence[int], int, float], Block],
    count: int,
    sizes: tuple[float, float, float],
    *below: Block,
    width: float = PAGE_WIDTH,
) -> Figure:
    """A page of columns in the fewest bands that leave them comfortable; if none does, in those that make them largest.

    Args:
        look: the font.
        make: gives one band of the columns of these numbers, for so many columns a band, each of that size in cm.
        count: of columns in all.
        sizes: least, comfortable and largest size of a column, in cm; the page's height is exceeded rather than that
            they become smaller than the least.
        *below: what stands below the bands.
        width: of the page, in cm.
    """
    least, comfortable, most = sizes
    room = width - 2 * MARGIN, PAGE_HEIGHT - 0.1 - sum(block.height + _PAGE_GAP for block in below)

    def bands(columns: int, size: float) -> Block:
        return column(*(make(band, columns, size) for band in in_rows(range(count), columns)), gap=_BAND_GAP)

    choices = []
    for columns in dict.fromkeys(-(-count // number) for number in range(1, count + 1)):
        choice = largest(partial(bands, columns), most, *room)
        choices.append(choice if choice[0] >= least else largest(partial(bands, columns), least, room[0]))
    good = (choice for choice in choices if choice[0] >= comfortable)
    best = next(good, max(choices, key=lambda choice: round(choice[0], 1)))
    return page(look, best[1], *below, width=width)
