"""Numbers and settings in words."""

import math
import re
from collections.abc import Sequence

from srlens.attribution.result import Attribution
from srlens.comparison.explained import Measurable
from srlens.comparison.measures import columns
from srlens.comparison.subject import Subject
from srlens.figures.scales import AREA_SCALE, MAP_SCALE
from srlens.figures.style import Look
from srlens.figures.typesetting import numbered
from srlens.figures.view import View
from srlens.imaging.degrade import psnr_channels
from srlens.imaging.terms import worded
from srlens.measures.density import Bandwidth

_LONGEST_NAME = 24  # characters in captions
_UNCONVERGED = "†"


def fact_table(rows: Sequence[Measurable | Attribution]) -> list[tuple[str, list[str]]]:
    """The measures of several networks in words, label by label, without those that no network has."""
    given = [Measurable.of(row) if isinstance(row, Attribution) else row for row in rows]
    size = "{}×{}".format(*given[0].result.lr_size)
    table = []
    for measure, values in columns(given, "caption"):
        texts = [worded(measure.text(value), row.result.scale) for row, value in zip(given, values, strict=True)]
        if measure.key == "map_error":
            daggers = ["" if row.result.converged else f" {_UNCONVERGED}" for row in given]
            texts = [text + dagger for text, dagger in zip(texts, daggers, strict=True)]
        table.append((measure.label_at(size), texts))
    return table


def conditions(results: Sequence[Attribution]) -> str:
    """Every setting: what the results share once, then what is each network's own."""
    parts, shared = _parts_and_shared(results)
    own = [
        f"{name}: {_joined([part for part in mine if part not in shared])}"
        for name, mine in zip(_briefs(results), parts, strict=True)
        if any(part not in shared for part in mine)
    ]
    return " ".join([_sentence(_joined(shared)), *([_sentence("; ".join(own), capital=False)] if own else [])])


def question(results: Sequence[Attribution]) -> str:
    """Which question the maps answer; empty where it is not one for all."""
    asked = {result.method.question for result in results}
    return f"Question: {asked.pop()}" if len(asked) == 1 else ""


def shared_conditions(results: Sequence[Attribution]) -> str:
    """The settings that all results have in common, but for the number of steps; no sentence."""
    return _joined([part for part in _parts_and_shared(results)[1] if not part.endswith(" steps")])


def weights(results: Sequence[Attribution]) -> str:
    """Which weights, by the first digits of their SHA-256."""
    listed = ", ".join(f"{a} {b.network_digest[:8]}" for a, b in zip(_briefs(results), results, strict=True))
    return f"Weights (SHA-256): {listed}."


def reading(look: Look, view: View, bandwidth: str, *, pictured: bool = True, summed: str = "channels") -> str:
    """How to read the panels; ``pictured`` says whether they show the LR image, ``summed`` over what maps are sums."""
    if look.normalised:
        sentences = [
            f"Attribution: absolute value after summing the {summed}, divided by its maximum.",
            f"Contribution area: Gaussian density of it, {bandwidth}, divided by its maximum."
            + (" Both half blended with the LR image." if pictured else ""),
        ]
    else:
        sentences = [
            f"Attribution: signed, {summed} summed, in units of the detector per LR pixel; the colour scale is a "
            f"{MAP_SCALE}.",
            f"Contribution area: Gaussian density of its absolute value, {bandwidth}, in percent per LR pixel; "
            f"the colour scale is a {AREA_SCALE}.",
        ]
    return " ".join([*sentences, *part_shown(view, pictured=pictured)])


def part_shown(view: View, *, pictured: bool = True) -> list[str]:
    """Which part of the LR image the maps show, where it is not the whole."""
    if view.whole:
        return []
    return [
        f"Maps show LR rows {view.top}–{view.bottom - 1} and columns {view.left}–{view.right - 1}"
        f"{' (dashed)' if pictured else ''}, which hold at least {math.floor(1000 * view.share) / 10:g} % of the "
        "absolute attribution."
    ]


def remarks(results: Sequence[Attribution]) -> str:
    """What a reader must know before trusting or comparing the numbers."""
    sentences = ["DI depends on the LR size."]
    shifted = [a for a, result in zip(_briefs(results), results, strict=True) if result.method.shifted_index]
    if shifted:
        whose = "" if len(shifted) == len(results) else f" of {', '.join(shifted)}"
        sentences.append(f"DI{whose} has the authors' shift of 1e-7 per pixel.")
    if not all(result.converged for result in results):
        sentences.append(f"{_UNCONVERGED} the step limit came before the tolerance.")
    return " ".join(sentences)


def provenance(subject: Subject | None, reference: Measurable | None) -> str:
    """How the LR image was made, and the PSNR of doing nothing about it, as far as they are known."""
    made = "" if subject is None else subject.made_in_words
    if reference is None or reference.psnr_image is None or math.isinf(reference.psnr_image):
        return made
    of_window = "" if reference.psnr_window is None else f", window {reference.psnr_window:.2f} dB"
    channels = psnr_channels(reference.result.scale)
    score = f"{reference.psnr_image:.2f} dB{of_window}"
    return f"{made} PSNR ({channels}) of doing nothing, {reference.reference_name}: {score}."


def map_caption(
    results: Sequence[Attribution],
    look: Look,
    view: View,
    bandwidth: Bandwidth,
    *,
    pictured: bool = True,
    made: str = "",
) -> str:
    """Everything that the panels and numbers of these results depend on; ``made`` is :func:`provenance`."""
    several = len(results) > 1
    sentences = [
        question(results),
        conditions(results),
        made,
        reading(look, view, bandwidth_text(bandwidth, shared=several), pictured=pictured, summed=_summed(results[0])),
        "Colour scales are common to all networks." if several and not look.normalised else "",
        remarks(results),
        weights(results),
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _summed(result: Attribution) -> str:
    return "channels" if result.frames is None else "channels and frames"


def bandwidth_text(bandwidth: Bandwidth, *, shared: bool) -> str:
    """A bandwidth as standard deviations in LR pixels."""
    (rows, both), (_, columns) = bandwidth.covariance
    down, across = math.sqrt(rows), math.sqrt(columns)
    width = f"σ = {down:.2g}" if down == across and both == 0 else f"σ = {down:.2g} (down) and {across:.2g} (across)"
    origin = "for all" if shared else "by Scott's rule" if bandwidth.rule == "scott" else ""
    return f"{width} LR pixels {origin}".rstrip()


def _parts_and_shared(results: Sequence[Attribution]) -> tuple[list[list[str]], list[str]]:
    """The settings of each result, and those that all have."""
    parts = [re.split(r", | (?=\()", result.conditions) for result in results]
    return parts, [part for part in parts[0] if all(part in other for other in parts)]


def _briefs(results: Sequence[Attribution]) -> list[str]:
    """Names that leave room for others, by begin and end; numbered where they are the same then."""
    half, names = _LONGEST_NAME // 2, [result.network for result in results]
    short = [name if len(name) <= _LONGEST_NAME else f"{name[:half]}…{name[-half:]}" for name in names]
    return numbered(short, short)


def _joined(parts: Sequence[str]) -> str:
    return re.sub(r", (?=\()", " ", ", ".join(parts))


def _sentence(text: str, *, capital: bool = True) -> str:
    return (text[:1].upper() + text[1:] if capital else text) + "." if text else ""
