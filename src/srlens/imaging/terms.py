"""What pictures are called: LR, SR and HR in super-resolution; input, output and clean where the size is kept."""

import re

_RESTORATION = {"LR": "input", "SR": "output", "HR": "clean"}


# Whole words, and no part of a path or of a name: not "data/HR/a.png", not "my-SR-net".
_WORDS = re.compile(r"(?<![\w/\\.-])(LR|SR|HR)(?![\w/\\]|[.-]\w)")


def worded(text: str, scale: int) -> str:
    """A text that speaks of LR, SR and HR, in the words of a network of that scale; paths and names stay."""
    return text if scale > 1 else _WORDS.sub(lambda found: _RESTORATION[found[1]], text)


def shown_size(scale: int, height: int, width: int) -> str:
    """What networks of that scale are shown, for conditions: ``"×4, LR 64×64"``, ``"input 64×64"``."""
    return f"×{scale}, LR {height}×{width}" if scale > 1 else f"input {height}×{width}"
