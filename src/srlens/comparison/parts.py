"""The bands of a picture, or the frames of a clip, as rows: what each network's map holds in each of them."""

from collections.abc import Sequence
from typing import Any

from srlens.attribution.result import Attribution
from srlens.measures.concentration import diffusion_index, effective_pixels

#: The columns of :func:`part_rows` and their types.
PART_COLUMNS: dict[str, type] = {
    "network": str,
    "part": str,
    "number": int,
    "share": float,
    "sum": float,
    "diffusion_index": float,
    "effective_pixels": float,
}


def part_rows(results: Sequence[Attribution]) -> list[dict[str, Any]]:
    """One row a network and band or frame, of those networks whose maps have such parts.

    Columns: the network; ``"band"`` or ``"frame"``; its number, from 1; its share of the map in [0, 1]
    (:attr:`Attribution.shares`); the sum of its map in units of the detector; diffusion index and effective number of
    LR pixels of its map. What a map that is zero everywhere lacks is None.
    """
    return [
        {
            "network": result.network,
            "part": result.part,
            "number": number,
            "share": None if result.shares is None else result.shares[number - 1],
            "sum": float(part.sum()),
            "diffusion_index": diffusion_index(part) if part.any() else None,
            "effective_pixels": effective_pixels(part) if part.any() else None,
        }
        for result in results
        if result.has_parts
        for number, part in enumerate(result.parts, start=1)
    ]


def shares_in_words(result: Attribution, most: int = 5) -> str:
    """The largest shares, in the order of bands or frames: ``"frame 2 97.1 %, frame 3 2.9 %; others 0.0 %"``."""
    if result.shares is None:
        return "none: the map is zero"
    largest = sorted(sorted(range(len(result.shares)), key=lambda k: -result.shares[k])[:most])  # type: ignore[index]
    words = ", ".join(f"{result.part} {k + 1} {result.shares[k]:.1%}" for k in largest)
    rest = 1 - sum(result.shares[k] for k in largest)
    others = f"; others {abs(rest):.1%}" if len(largest) < len(result.shares) else ""
    return f"{words}{others}".replace("%", " %")
