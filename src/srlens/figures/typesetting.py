"""Text of known width: measuring, wrapping and shortening, in centimetres."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import matplotlib
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties

#: Families, the first one first; another is taken for signs that those before it do not have.
Fonts = tuple[str, ...]
_DPI = 600  # fine enough that hinting hardly changes widths
_SAFETY = 1.005  # unhinted text differs by less than this between resolutions


@lru_cache(maxsize=1)
def _renderer() -> RendererAgg:
    return RendererAgg(1, 1, _DPI)  # type: ignore[no-untyped-call]


@lru_cache(maxsize=4096)
def text_width(text: str, font: Fonts, size: float, *, bold: bool = False) -> float:
    """Width of one line, in cm."""
    properties = FontProperties(family=font, size=size, weight="bold" if bold else "normal")
    with matplotlib.rc_context({"text.hinting": "no_hinting"}):
        width, _, _ = _renderer().get_text_width_height_descent(text, properties, False)  # type: ignore[no-untyped-call]
    return float(width) / _DPI * 2.54 * _SAFETY


def wrap(text: str, width: float, font: Fonts, size: float, *, bold: bool = False) -> list[str]:
    """Break a text into lines of at most ``width`` cm; wider words are broken, too.

    They break after -, _, / or . if they hold one. White space, line breaks included, counts as one blank each.
    """
    lines: list[str] = []
    line = ""
    for whole_word in text.split():
        word = whole_word
        joined = f"{line} {word}" if line else word
        if text_width(joined, font, size, bold=bold) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        while len(word) > 1 and text_width(word, font, size, bold=bold) > width:
            fits = next(
                (n for n in range(len(word) - 1, 1, -1) if text_width(word[:n], font, size, bold=bold) <= width), 1
            )
            seam = max(word[:fits].rfind(sign) for sign in "-_/.") + 1
            taken = seam or fits
            lines.append(word[:taken])
            word = word[taken:]
        line = word
    return [*lines, line] if line else lines


def shorten(text: str, width: float, font: Fonts, size: float, *, lines: int = 1, bold: bool = False) -> list[str]:
    """Wrap into at most so many lines; of what does not fit the middle gives way to an ellipsis.

    Names of networks differ at their ends as a rule.
    """
    wrapped = wrap(text, width, font, size, bold=bold)
    if len(wrapped) <= lines:
        return wrapped
    last = " ".join(text.split())
    for line in wrapped[: lines - 1]:
        last = last[len(line) :].lstrip()
    cut = (
        f"{last[: kept - kept // 2].rstrip()}…{last[len(last) - kept // 2 :].lstrip()}"
        for kept in range(len(last), -1, -1)
    )
    return [*wrapped[: lines - 1], next(c for c in cut if c == "…" or text_width(c, font, size, bold=bold) <= width)]


def distinct(texts: Sequence[str], width: float, font: Fonts, size: float, **options: Any) -> list[str]:
    """The texts, numbered where :func:`shorten` would leave the same of two; options are its own."""
    return numbered(texts, [shorten(text, width, font, size, **options) for text in texts])


def numbered(texts: Sequence[str], seen: Sequence[object]) -> list[str]:
    """The texts, with numbers from 1 where what is seen of two is the same."""
    return [f"{k} {text}" if seen.count(seen[k - 1]) > 1 else text for k, text in enumerate(texts, start=1)]
