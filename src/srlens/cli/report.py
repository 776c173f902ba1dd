"""What a verb prints when it is done: a table, the conditions, where the files are."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Literal

from rich.table import Table

from srlens.attribution.field import Field
from srlens.cli.console import console, say, table
from srlens.comparison.compare import Comparison
from srlens.comparison.compare_methods import MethodComparison
from srlens.comparison.field_of_view import FieldOfView
from srlens.comparison.formats import MISSING, count, fixed, index, percent
from srlens.comparison.measures import columns
from srlens.comparison.parts import shares_in_words
from srlens.comparison.seeds import SeedComparison
from srlens.comparison.sweep import Sweep
from srlens.imaging.degrade import psnr_channels
from srlens.imaging.terms import worded
from srlens.trust.numbers import NUMBERS
from srlens.trust.reach_result import reach_in_words
from srlens.trust.verification import Verification


def print_comparison(comparison: Comparison, files: Sequence[Path]) -> None:
    """Print one row a network, then every condition of the numbers, then the files written."""
    drawn = [(m, [m.number(v) for v in values]) for m, values in columns(comparison.rows, "terminal")]
    first = comparison.rows[0]
    scale = first.result.scale
    of = f"PSNR: {psnr_channels(scale, first.sr.shape[0])}. " if comparison.reference else ""
    told = f"{of}Map error: estimated, relative L2. {reach_in_words(row.reach for row in comparison.rows)}".rstrip()
    size = worded("LR {}×{}".format(*first.result.lr_size), scale)
    shown = table(f"{comparison.subject.name}, {comparison.window}, {size}", told)
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
    shares = [
        f"Shares of {row.result.part}s, {row.result.network}: {shares_in_words(row.result)}."
        for row in comparison.rows
        if row.result.has_parts
    ]
    asked = dict.fromkeys(f"Question: {row.result.method.question}" for row in comparison.rows)
    _print(shown, [f"Window: {comparison.window_choice}.", *asked, *shares], comparison.conditions, files)


def print_method_comparison(comparison: MethodComparison, files: Sequence[Path]) -> None:
    """Print one row a method, then every condition of the numbers, then the files written."""
    size = worded("LR {}×{}".format(*comparison.results[0].lr_size), comparison.network.scale)
    shown = table(f"{comparison.network.name}, {comparison.subject.name}, {comparison.window}, {size}", "")
    shown.add_column("Method", overflow="fold")
    columns = comparison.columns()
    for heading, _ in columns:
        named = worded(heading, comparison.network.scale)
        shown.add_column(named.replace(" ", "\n"), justify="right", overflow="fold")
    for name, *texts in zip(comparison.names, *(texts for _, texts in columns), strict=True):
        shown.add_row(name, *texts)
    conditions = [result.conditions for result in comparison.results]
    _print(shown, [f"Window: {comparison.window_choice}."], conditions, files)


def print_field(found: Field, files: Sequence[Path]) -> None:
    """Print how the diffusion index spreads over the image, and the files written."""
    known = [point.diffusion_index for point in found.points if point.diffusion_index is not None]
    spread = f"median {median(known):.2f}, from {min(known):.2f} to {max(known):.2f}" if known else "none: all are flat"
    height, width = found.lr_size
    flat = f" ({len(found.points) - len(known)} flat)" if len(known) < len(found.points) else ""
    console().print(
        f"{found.network}: {len(found.points)} windows{flat}, {worded('LR', found.scale)} {height}×{width}; "
        f"diffusion index {spread}. "
        f"{worded(found.method.described(found.evaluations), found.scale)}. {found.evaluation}."
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
        "50/90/95 %. LAM: what holds 95 % of the map of one hard window. "
        + reach_in_words(field.explained.reach for field in fields),
    )
    shown.add_column("Network", overflow="fold")
    for column in ["RF", "support", "σ", "radii", "LAM\narea", "LAM\nradius", "of RF", "reach", "DI"]:
        shown.add_column(column, justify="right")
    for field in fields:
        reach, share = field.network.receptive_field, field.lam_share
        shown.add_row(
            field.network.name,
            f"{reach.paper} ({reach.true:g})" if reach.paper is not None else reach.in_words(field.network.scale),
            "whole" if field.support.is_whole_image else "×".join(map(str, field.support_size)),
            fixed(1)(field.effective.sigma),
            "/".join(f"{radius:.0f}" for radius in field.effective.radii.values()),
            count(field.lam_area),
            fixed(1)(field.lam_radius),
            MISSING if share is None else percent(share),
            MISSING if (found := field.explained.reach) is None else str(found.radius),
            index(field.attribution.diffusion_index),
        )
    lines = [f"Effective field: mean over {first.effective.images} places."]
    _print(shown, lines, dict.fromkeys(field.attribution.conditions for field in fields), files)


def print_verification(found: Verification, files: Sequence[Path]) -> None:
    """Print what was found of one map in words, every number with its direction and meaning, and the files written."""
    result = found.attribution
    size = worded("LR {}×{}".format(*result.lr_size), result.scale)
    shown = table(f"{result.method.name} of {result.network}, {result.window}, {size}")
    for column, justify in (("Number", "left"), ("Value", "right"), ("Good", "left"), ("Meaning", "left")):
        shown.add_column(column, justify=justify, no_wrap=column != "Meaning", overflow="fold")  # type: ignore[arg-type]
    for number in NUMBERS:
        shown.add_row(number.label, number.text(found), number.direction, number.meaning_for(found))
    _print(shown, found.words, (found.conditions,), files)


def print_seeds(comparison: SeedComparison, files: Sequence[Path]) -> None:
    """Print one row a seed, their mean and spread, then what holds over all of them, then the files written."""
    drawn = [(measure, values) for measure, values in columns(comparison.rows, "terminal") if measure.key != "network"]
    result, over = comparison.rows[0].result, comparison.over_seeds
    told = f"Map error: estimated, relative L2. {reach_in_words(comparison.reaches)}".rstrip()
    size = worded("LR {}×{}".format(*result.lr_size), result.scale)
    shown = table(f"{result.network}, {result.window}, {size}", told)
    for measure, _ in drawn:
        heading = worded(f"{measure.title} {measure.unit}".strip(), result.scale)
        shown.add_column(heading.replace(" ", "\n"), justify="right")
    for row in zip(*([measure.number(value) for value in values] for measure, values in drawn), strict=True):
        shown.add_row(*row)
    shown.add_section()
    means = {key: one.mean for key, one in over.items()}
    deviations = {key: one.deviation for key, one in over.items()}
    for name, numbers in (("mean", means), ("± SD", deviations)):
        shown.add_row(*(name if m.key == "seed" else m.number(numbers.get(m.key)) for m, _ in drawn), style="dim")
    stable = comparison.maps.stable_share
    lines = [f"One sign in all seeds: {MISSING if stable is None else percent(stable)} of the maps' mass."]
    if (together := comparison.rank_correlation) is not None:
        lines.append(f"Rank correlation of mean map and attention: {fixed(2)(together)}.")
    _print(shown, [f"Window: {comparison.window_choice}.", *lines], comparison.conditions, files)


def _print(shown: Table, lines: Iterable[str], conditions: Iterable[str], files: Sequence[Path]) -> None:
    out = console()
    out.print(shown)
    for line in lines:
        out.print(line)
    for text in conditions:
        out.print(f"Conditions: {text}.", style="dim")
    say("Written: " + ", ".join(map(str, files)))
