"""A comparison as HTML: a table of numbers, and the pictures of each network side by side on shared scales."""

from collections.abc import Sequence
from html import escape

from torch import Tensor

from srlens.comparison.compare import Comparison, Explained
from srlens.comparison.explained import Measurable
from srlens.comparison.formats import MISSING, decibels, index
from srlens.comparison.measure import Measure, Value
from srlens.comparison.measures import columns
from srlens.web.choices import Style
from srlens.web.paint import Bar, grey_uri, paint_maps, picture_uri
from srlens.web.progress import Step

#: Class of results that are not of the picture that is chosen.
OLD = "srl-old"
#: Stands where results will be.
EMPTY = (
    '<div class="srl-empty"><p><b>Click the picture to place a window, then press Run.</b></p>'
    "<p>You will see which pixels of the LR image each network used to make that window, how widely they spread, and "
    "how far the answer can be trusted.</p></div>"
)


def results_html(comparison: Comparison, style: Style, notes: Sequence[str] = ()) -> str:
    """The whole answer; every text from outside is escaped."""
    maps = paint_maps([row.result for row in comparison.rows], style)
    columns = [
        _column(row, comparison, signed, area)
        for row, signed, area in zip(comparison.rows, maps.signed, maps.areas, strict=True)
    ]
    return (
        '<section class="srl-results" aria-label="Results">'
        + "".join(f'<p class="srl-note" role="status">{escape(note)}</p>' for note in notes)
        + _table(comparison)
        + f'<div class="srl-given">{_given(comparison)}</div>'
        + f'<div class="srl-networks">{"".join(columns)}</div>'
        + f'<div class="srl-bars">{bar_html(maps.map_bar)}{bar_html(maps.area_bar)}</div>'
        + _conditions(comparison)
        + "</section>"
    )


def step_html(step: Step) -> str:
    """The progress of a run, for eyes and screen readers."""
    percent = round(100 * step.fraction)
    return (
        f'<div class="srl-status" role="status"><progress max="100" value="{percent}" aria-label="Progress">'
        f"</progress><span>{escape(step.network)} ({step.index} of {step.count}): gradient {step.done} of about "
        f"{step.expected}</span></div>"
    )


def message_html(text: str, kind: str = "info") -> str:
    """One sentence: ``"info"``, or ``"error"``, which screen readers announce at once."""
    role = "alert" if kind == "error" else "status"
    return f'<div class="srl-status srl-{kind}" role="{role}">{escape(text)}</div>' if text else ""


def _table(comparison: Comparison) -> str:
    shown = columns(comparison.rows, "page")
    lines = zip(*([_cell(measure, value) for value in values] for measure, values in shown), strict=True)
    rows = "".join(f"<tr>{''.join(cells)}</tr>" for cells in lines)
    if (reference := comparison.reference) is not None:
        cells = (f"<td>{m.text(m.value(reference)) if m.of_picture else MISSING}</td>" for m, _ in shown[1:])
        rows += f'<tr class="srl-faint"><th scope="row">{comparison.rows[0].reference_name}</th>{"".join(cells)}</tr>'
    size = "{}×{}".format(*comparison.rows[0].result.lr_size)
    caption = f"{comparison.subject.name}, {comparison.window} of the SR image, LR {size}"
    return (
        f'<p class="srl-caption">{escape(caption)}</p><div class="srl-scroll" tabindex="0" role="region" '
        'aria-label="Numbers"><table class="srl-table"><thead><tr>'
        + "".join(f'<th scope="col">{escape(measure.title)}</th>' for measure, _ in shown)
        + f"</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _cell(measure: Measure, value: Value | None) -> str:
    """A cell with the exact value beside the shown one; the network's name heads its row."""
    text = escape(measure.text(value))
    if measure.key == "network":
        return f'<th scope="row">{text}</th>'
    name = escape(measure.name, quote=True)
    return f'<td class="srl-{name}" data-{name}="{escape(repr(value), quote=True)}">{text}</td>'


def _given(comparison: Comparison) -> str:
    lr, frame = picture_uri(comparison.subject.lr), _frame(comparison)
    height, width = comparison.rows[0].result.lr_size
    shown = [_figure(f"LR, {height}×{width}", f"LR image of {comparison.subject.name}", lr, frame)]
    if comparison.subject.hr is not None:
        shown.append(_crop("HR window", comparison.subject.hr, comparison))
    first = comparison.rows[0]
    if first.reference is not None and first.reference_name is not None:
        caption = f"{first.reference_name[:1].upper()}{first.reference_name[1:]} window"
        shown.append(_crop(_captioned(caption, comparison.reference), first.reference, comparison))
    return "".join(shown)


def _column(row: Explained, comparison: Comparison, signed: str, area: str) -> str:
    name, frame = row.network.name, _frame(comparison)
    lr, grey = picture_uri(comparison.subject.lr), grey_uri(comparison.subject.lr)
    about = " · ".join(part for part in (row.network.family, row.network.kind) if part)
    sr = _captioned("SR window", row)
    over = f'<img class="srl-map" src="{signed}" alt="">'
    spread = f'<img src="{area}" alt="">'
    return (
        f'<article class="srl-network" aria-label="{escape(name, quote=True)}"><div><h3>{escape(name)}</h3>'
        f'<p class="srl-about">{escape(about)}</p>'
        f'<p class="srl-big"><span>DI</span> {index(row.result.diffusion_index)}</p></div>'
        f'<div class="srl-pictures">{_crop(sr, row.sr, comparison)}'
        + _figure("Attribution map", f"Signed attribution map of {name} over the LR image", lr, over + frame)
        + _figure("Contribution area", f"Contribution area of {name} over the LR image", grey, spread + frame)
        + "</div></article>"
    )


def _figure(caption: str, alt: str, source: str, layers: str = "") -> str:
    return (
        f'<figure><div class="srl-stack"><img src="{source}" alt="{escape(alt, quote=True)}">{layers}</div>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _captioned(caption: str, row: Measurable | None) -> str:
    """With the PSNR of the window where HR is known."""
    return caption if row is None or row.psnr_window is None else f"{caption}, {decibels(row.psnr_window)}"


def _crop(caption: str, image: Tensor, comparison: Comparison) -> str:
    return _figure(caption, caption, picture_uri(comparison.window.crop(image)))


def _frame(comparison: Comparison) -> str:
    """The window over a picture of the whole image."""
    height, width = comparison.rows[0].result.lr_size
    top, left, bottom, right = comparison.window.on_lr(comparison.rows[0].result.scale)
    box = (100 * top / height, 100 * left / width, 100 * (bottom - top) / height, 100 * (right - left) / width)
    return '<span class="srl-frame" style="top:{:.4f}%;left:{:.4f}%;height:{:.4f}%;width:{:.4f}%"></span>'.format(*box)


def bar_html(bar: Bar) -> str:
    """A colour bar with its labels and caption."""
    labels = "".join(f'<span style="left:{100 * at:.2f}%">{escape(text)}</span>' for at, text in bar.labels)
    return (
        f'<figure class="srl-bar"><img src="{bar.uri}" alt="Colour bar: {escape(bar.caption, quote=True)}">'
        f'<div class="srl-ticks">{labels}</div><figcaption>{escape(bar.caption)}</figcaption></figure>'
    )


def _conditions(comparison: Comparison) -> str:
    made = comparison.subject.degradation
    origin = "LR as given, HR unknown" if comparison.subject.hr is None else f"LR made from HR by {made} bicubic"
    texts = [f"Window: {comparison.window_choice}. {origin}.", *(f"{line}." for line in comparison.conditions)]
    listed = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f'<details class="srl-conditions"><summary>Conditions of these numbers</summary><ul>{listed}</ul></details>'
