"""One network explained: image, window, attribution map, contribution area, numbers, settings."""

from collections.abc import Sequence
from functools import partial

import torch
from matplotlib.figure import Figure
from torch import Tensor

from srlens.attribution.result import Attribution
from srlens.comparison.explained import Explained
from srlens.comparison.subject import Subject
from srlens.figures.blocks import (
    FULL_WIDTH,
    Block,
    column,
    grid,
    in_rows,
    largest,
    page,
    panel,
    paragraph,
    row,
    text,
    title,
)
from srlens.figures.caption import fact_table, map_caption, provenance
from srlens.figures.causal_effect import effect_caption, effect_panels
from srlens.figures.checks import check_pictures
from srlens.figures.panels import bar_below, draw_crop, draw_lr, draw_shading
from srlens.figures.shading import Shading, shade
from srlens.figures.style import Look, Style, styled
from srlens.figures.view import View, choose_view
from srlens.imaging.eye import eye_rule, for_eye
from srlens.measures.density import Bandwidth
from srlens.trust.reach_result import reach_in_words

_GAP, _BELOW = 0.35, 0.1  # cm: between columns and rows
_TALLEST, _FLATTEST = 10.0, 4.5  # cm: panels at most, beside and below one another
_COMFORTABLE = 3.0  # cm: panels that are lower than this are put into fewer columns
_WINDOW_ROW, _WIDEST_WINDOW = 3.2, 5.0  # cm: height of windows in a row of their own, width beside tall images


def explain_figure(
    explained: Explained | Attribution,
    subject: Subject | None = None,
    *,
    style: Style = "default",
    bandwidth: float | Bandwidth | None = None,
) -> Figure:
    """Picture one network's attribution, 17 cm wide, with every setting below.

    Args:
        explained: what to show; of a bare attribution there is no SR image.
        subject: the LR image and, if it is known, HR; without it the LR image is the one that the result holds.
        style: ``"default"``, or ``"paper"`` for the look of Gu & Dong's figures.
        bandwidth: of the contribution area; see :func:`srlens.measures.density.contribution_density`.

    Raises:
        ImageError: an image does not have the size that belongs to the result.
        SettingError: an unknown style, or a bandwidth that is not above 0.
    """
    result = explained if isinstance(explained, Attribution) else explained.result
    with styled(style, result.scale) as look:
        lr, bands = (subject.picture, subject.bands) if subject is not None else (_kept(result), None)
        hr = for_eye(subject.hr, bands) if subject is not None and subject.hr is not None else None
        crops = [] if isinstance(explained, Attribution) else [("SR", for_eye(explained.sr, bands))]
        check_pictures([result], lr, hr, [image for _, image in crops])
        crops += [("HR", hr)] if hr is not None else []
        view = choose_view([result])
        made = provenance(subject, explained.as_reference if isinstance(explained, Explained) else None)
        panels, caption = _maps(result, subject, lr, look, view, bandwidth, made)
        window = result.window
        edges, ratio = (window.top, window.left, window.bottom, window.right), window.width / window.height
        aspect = result.lr_size[1] / result.lr_size[0]
        head = title(look, "").height
        numbers = [(label, values[0]) for label, values in fact_table([explained])]

        def in_columns(count: int, height: float) -> Block:
            """LR image, windows, map and area in rows of so many, all but the windows of that height in cm."""
            width = height * aspect
            beside = count > 2
            parts = []
            if lr is not None:
                drawn = panel(width, height, "lr", draw_lr, lr, view)
                parts.append(column(title(look, "LR {}×{}".format(*result.lr_size)), drawn))
            if crops:
                room = (height - head) / 2 if beside and len(crops) == 2 else height if count > 1 else _WINDOW_ROW
                widest = _WIDEST_WINDOW if count != 2 else (width - _GAP * (len(crops) - 1)) / len(crops)
                high = min(room, widest / ratio)
                windows = []
                for name, image in crops:
                    drawn = panel(high * ratio, high, f"{name.lower()} window", draw_crop, image, edges)
                    windows.append(column(title(look, f"{name} window"), drawn).within(height=head + room))
                parts.append(column(*windows) if beside else row(*windows, gap=_GAP))
            left = len(parts)
            for name, label, shading in panels:
                drawn = panel(width, height, label, draw_shading, shading, view, thin=label == "map")
                bar = bar_below(look, width, f"{label} bar", shading)
                parts.append(column(title(look, name), drawn, bar))
            if not beside or not left:
                rows = grid(in_rows(parts, count), across=_GAP, down=_BELOW)
                return column(rows, _facts(look, numbers, FULL_WIDTH), gap=_BELOW)
            gap = max(_GAP, (FULL_WIDTH - sum(part.width for part in parts)) / (len(parts) - 1))
            room = sum(part.width + gap for part in parts[:left])
            facts = _facts(look, numbers, room).padded(top=0.15).within(width=0.0)
            return row(column(parts[0].within(height=head + height), facts), *parts[1:], gap=gap)

        sizes = ((4, _TALLEST), (2, _TALLEST), (1, _FLATTEST))
        choices = [largest(partial(in_columns, count), most) for count, most in sizes]
        best = next((c for c in choices if c[0] >= _COMFORTABLE), max(choices, key=lambda choice: choice[0]))
        name = title(look, result.network, bold=True, most=FULL_WIDTH)
        if subject is not None:
            caption = f"{eye_rule(subject.lr.shape[-3], subject.bands)} {caption}".strip()
        if isinstance(explained, Explained):
            caption = f"{caption} {reach_in_words([explained.reach])}".rstrip()
        return page(look, column(name, best[1]), paragraph(look, caption))


def _kept(result: Attribution) -> Tensor | None:
    """The LR image that a result holds, for the eye; of a network of luma or grey that is one channel."""
    return for_eye(torch.from_numpy(result.image.copy())) if result.image is not None else None


def _maps(
    result: Attribution,
    subject: Subject | None,
    lr: Tensor | None,
    look: Look,
    view: View,
    bandwidth: float | Bandwidth | None,
    made: str,
) -> tuple[list[tuple[str, str, Shading]], str]:
    """Name, label and shading of the map's two panels, and the caption of the figure."""
    if result.interval is not None and result.blocks is not None:
        return effect_panels(result, subject), effect_caption(result, subject, view)
    (shown,), (area,), used = shade([result], lr, look, bandwidth)
    panels = [("Attribution map", "map", shown), ("Contribution area", "area", area)]
    return panels, map_caption([result], look, view, used, pictured=lr is not None, made=made)


def _facts(look: Look, numbers: Sequence[tuple[str, str]], width: float) -> Block:
    """The numbers in as few lines as that width in cm allows."""
    for lines in range(1, len(numbers) + 1):
        lists = [
            row(text(look, [label for label, _ in part]), text(look, [value for _, value in part], bold=True), gap=0.1)
            for part in in_rows(numbers, lines)
        ]
        block = row(*lists, gap=0.25)
        if block.width <= width:
            break
    return block
