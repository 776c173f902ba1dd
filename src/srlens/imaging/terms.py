"""What pictures are called: LR, SR and HR in super-resolution; input, output and clean where the size is kept."""

import re

_RESTORATION = {"LR": "input", "SR": "output", "HR": "clean"}


def worded(text: str, scale: int) -> str:
    """A text that speaks of LR, SR and HR, in the words of a network of that scale."""
    return text if scale > 1 else re.sub(r"\b(LR|SR|HR)\b", lambda found: _RESTORATION[found[1]], text)
