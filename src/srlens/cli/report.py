"""What a verb prints when it is done: a table, the conditions, where the files are."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Literal

from rich.table import Table

from srlens.attribution.field import Field
from srlens.cli.console import console, say, table
from srlens.comparison.compare import Comparison
from srlens.comparison.field_of_view import FieldOfView
from srlens.comparison.formats import MISSING, count, fixed, index, percent
from srlens.comparison.measures import columns
from srlens.comparison.sweep import Sweep
from srlens.imaging.degrade import psnr_channels
from srlens.imaging.terms import worded


def print_comparison(comparison: Comparison, files: Sequence[Path]) -> None:
    """Print one row a network, then every condition of the numbers, then the files written."""
    drawn = [(m, [m.number(v) for v in values]) for m, values in columns(comparison.rows, "terminal")]
    scale = comparison.rows[0].result.scale
    of_psnr = f"PSNR: {psnr_channels(scale)}. " if comparison.reference else ""
    size = worded("LR {}×{}".format(*comparison.rows[0].result.lr_size), scale)
    shown = table(
        f"{comparison.subject.name}, {comparison.window}, {size}", f"{of_psnr}Map error: estimated, relative L2."
    )
    for measure, _ in drawn:
        word = measure.kind is str
        justify: Literal["left", "right"] = "left" if word else "right"
        heading = worded(f"{measure.title} {measure.unit}".strip(), scale).replace(" ", "\n")  # as narrow as it can be
        shown.add_column(heading, justify=justify, overflow="fold", no_wrap=not word, min_width=8 if word else None)
    for row in zip(*(texts for _, texts in drawn), strict=True):
        shown.add_row(*row)
    if (reference := comparison.reference) is not None:
        cells = [m.number(m.value(reference)) if m.of_picture else MISSING for m, _ in drawn]
        shown.add_row(comparison.rows[0].reference_name, *cells[1:], style="dim")
    asked = dict.fromkeys(f"Question: {row.result.method.question}" for row in comparison.rows)
    _print(shown, [f"Window: {comparison.window_choice}.", *asked], comparison.conditions, files)


def print_field(found: Field, files: Sequence[Path]) -> None:
    """Print how the diffusion index spreads over the image, and the files written."""
    known = [point.diffusion_index for point in found.points if point.diffusion_index is not None]
    spread = f"median {median(known):.2f}, from {min(known):.2f} to {max(known):.2f}" if known else "none: all are flat"
    height, width = found.lr_size
    flat = f" ({len(found.points) - len(known)} flat)" if len(known) < len(found.points) else ""
    console().print(
        f"{found.network}: {len(found.points)} windows{flat}, {worded('LR', found.scale)} {height}×{width}; "
        f"diffusion index {spread}. "
        f"{found.method.described(found.evaluations)}. {found.evaluation}."
    )
    say("Written: " + ", ".join(map(str, files)))


def print_sweep(swept: Sweep, files: Sequence[Path]) -> None:
    """Print the diffusion index of each network at each value, with ranks if they change, then what that means."""
    ranked = bool(swept.moved)
    first = next(iter(swept.points.values()))[0].result
    size = worded("LR {}×{}".format(*first.lr_size), first.scale)
    shown = table(f"Sweep of {swept.setting}: DI{' (rank)' if ranked else ''}, {size}")
    shown.add_column("Network", overflow="fold")
    for value in swept.values:
        shown.add_column(f"{value:g}", justify="right")
    for name, points in swept.points.items():
        ranks = [f" ({point.rank})" if ranked else "" for point in points]
        shown.add_row(name, *(index(p.result.diffusion_index) + rank for p, rank in zip(points, ranks, strict=True)))
    _print(shown, [swept.summary], (), files)


def print_fields_of_view(fields: Sequence[FieldOfView], files: Sequence[Path]) -> None:
    """Print one row a network, in LR pixels, then the conditions and the files written."""
    first = fields[0]
    shown = table(
        worded(f"Fields of view in LR pixels, LR {first.side}×{first.side}", first.network.scale),
        "RF: theoretical, the paper's count (true side). σ, radii: of the effective field, the latter holding "
        "50/90/95 %. LAM: what holds 95 % of the map of one hard window.",
    )
    shown.add_column("Network", overflow="fold")
    for column in ["RF", "support", "σ", "radii", "LAM\narea", "LAM\nradius", "of RF", "DI"]:
        shown.add_column(column, justify="right")
    for field in fields:
        reach, share = field.network.receptive_field, field.lam_share
        shown.add_row(
            field.network.name,
            f"{reach.paper} ({reach.true:g})" if reach.paper is not None else str(reach),
            "whole" if field.support.is_whole_image else "×".join(map(str, field.support_size)),
            fixed(1)(field.effective.sigma),
            "/".join(f"{radius:.0f}" for radius in field.effective.radii.values()),
            count(field.lam_area),
            fixed(1)(field.lam_radius),
            MISSING if share is None else percent(share),
            index(field.attribution.diffusion_index),
        )
    lines = [f"Effective field: mean over {first.effective.images} places."]
    _print(shown, lines, dict.fromkeys(field.attribution.conditions for field in fields), files)


def _print(shown: Table, lines: Iterable[str], conditions: Iterable[str], files: Sequence[Path]) -> None:
    out = console()
    out.print(shown)
    for line in lines:
        out.print(line)
    for text in conditions:
        out.print(f"Conditions: {text}.", style="dim")
    say("Written: " + ", ".join(map(str, files)))
