"""What pictures are called: LR, SR and HR in super-resolution; input, output and clean where the size is kept."""

import re

_RESTORATION = {"LR": "input", "SR": "output", "HR": "clean"}


# Whole words, and no part of a path or of a name: not "data/HR/a.png", not "my-SR-net".
_WORDS = re.compile(r"(?<![\w/\\.-])(LR|SR|HR)(?![\w/\\]|[.-]\w)")


def worded(text: str, scale: int) -> str:
    """A text that speaks of LR, SR and HR, in the words of a network of that scale; paths and names stay."""
    if scale > 1:
        return text
    return _WORDS.sub(lambda found: _begun(_RESTORATION[found[1]], text[: found.start()]), text)


def _begun(word: str, before: str) -> str:
    """The word with a capital where it begins a sentence within a text; a text may be a part of one itself."""
    return word.capitalize() if before.endswith(". ") else word


def shown_size(scale: int, height: int, width: int) -> str:
    """What networks of that scale are shown, for conditions: ``"×4, LR 64×64"``, ``"input 64×64"``."""
    return f"×{scale}, LR {height}×{width}" if scale > 1 else f"input {height}×{width}"
