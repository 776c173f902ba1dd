"""The report's figures, from blocks and findings."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from srlens.comparison.measures import MEASURES
from srlens.imaging.files import read_image
from srlens.measures.concentration import absolute_map
from srlens.records.archive import load
from srlens.study.blocks import INDEX, Array, Blocks
from srlens.study.report.page import number
from srlens.study.seal import is_whole
from srlens.study.store import Store
from srlens.study.uncertainty import Estimate, mean_interval
from srlens.study.verdicts import LIMITS, QUALITIES, Findings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Windows in each gallery.
GALLERY = 8
_OF_ONE = 2


def chart_figures(blocks: Blocks, findings: Findings) -> "dict[str, Figure]":
    """Charts by the name of their file."""
    from srlens.figures.study_charts import distribution_figure, reach_figure, texture_figure

    index = blocks.index
    figures = {}
    if QUALITIES[0] in findings.correlations:
        figures["psnr-against-di"] = _scatter(blocks, findings)
    figures["diffusion-index"] = distribution_figure(
        blocks.labels, blocks.kinds, index, "diffusion index of each window (box: quartiles, whiskers: 5–95 %)"
    )
    if findings.used:
        kinds, fields = (dict(zip(blocks.labels, of, strict=True)) for of in (blocks.kinds, blocks.fields))
        figures["receptive-field-used"] = reach_figure(
            [
                (label, kinds[label], fields[label], *_drawn(use.share), use.reference)
                for label, use in findings.used.items()
            ]
        )
    known = {name: found for name, found in findings.textures.items() if np.isfinite(found.spearman.value)}
    if known:
        figures["texture"] = texture_figure(
            [
                (MEASURES[n].label.replace(" of the ", ", "), blocks.textures[n], f"ρ = {number(found.spearman.value)}")
                for n, found in known.items()
            ],
            np.exp(np.log(index).mean(axis=0)),
            blocks.images,
        )
    return figures


def _drawn(mean: Estimate) -> tuple[float, float, float]:
    """The value and its interval; where there is none, an interval of no length."""
    low, high = (end if np.isfinite(end) else mean.value for end in (mean.low, mean.high))
    return mean.value, low, high


def _scatter(blocks: Blocks, findings: Findings) -> "Figure":
    from srlens.figures.study_charts import Mark, scatter_figure

    index, quality = blocks.index, blocks.values[QUALITIES[0]]
    known = np.isfinite(quality).all(axis=0)
    marks = [
        Mark(label, kind, *(_drawn(mean_interval(values, blocks.clusters[known])) for values in of))
        for label, kind, *of in zip(blocks.labels, blocks.kinds, index[:, known], quality[:, known], strict=True)
    ]
    found, paper = findings.correlations[QUALITIES[0]], LIMITS[QUALITIES[0]]
    return scatter_figure(
        marks,
        x_label="mean diffusion index (logarithmic), with the 95 % interval over pictures",
        y_label="mean PSNR of the LR crops, dB",
        notes=(
            "",
            f"Pearson {found.pearson.value:.3f} (paper {paper['pearson']:.3f})",
            f"Spearman {found.spearman.value:.3f} (paper {paper['spearman']:.3f})",
            f"{found.networks} networks, {int(known.sum())} windows",
        ),
    )


def gallery_figures(rows: list[dict[str, Any]], blocks: Blocks, store: Store, scale: int) -> "dict[str, Figure]":
    """The most and the least noticed windows; ``rows`` are those of :func:`window_rows`."""
    from srlens.figures.window_sheet import window_sheet

    half = len(rows) // 2
    most, least = _varied(rows[:half]), _varied(rows[: len(rows) - half - 1 : -1])
    if not most:
        return {}
    note = (
        "Left: the picture with the window. Right: mean over networks of the map's mass (cube root), from none "
        f"(grey) to most (yellow). Regularity and coherence are of the surroundings. At most {_OF_ONE} windows of a "
        "picture are shown."
    )
    figures = {}
    for name, chosen in (("most-noticed", most), ("least-noticed", least)):
        title = f"{name.replace('-', ' ').capitalize()} windows"
        tiles = [_tile(row, blocks, store, scale) for row in chosen]
        figures[name] = window_sheet(tiles, title=title, columns=4, note=note)
    return figures


def _varied(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first rows, but no picture more than twice: a gallery of one façade shows nothing."""
    chosen: list[dict[str, Any]] = []
    for row in rows:
        if sum(one["image"] == row["image"] for one in chosen) < _OF_ONE:
            chosen.append(row)
    return chosen[:GALLERY]


def _tile(row: dict[str, Any], blocks: Blocks, store: Store, scale: int) -> Any:
    from srlens.figures.window_sheet import Tile

    file = store.place(row["place"])
    picture = read_image(file) if is_whole(file) else None  # it says so in its place
    place = blocks.places.index(row["place"])
    shown = {key: float(blocks.values[key][0, place]) for key in ("lr_top", "lr_left", "lr_height")}
    caption = [
        f"#{row['rank']} {row['image']}",
        f"DI {row[INDEX]:.1f}" + (f", {row['psnr_window']:.1f} dB" if row["psnr_window"] is not None else ""),
        f"regularity {row['around_peak_share']:.2f}, coherence {row['around_coherence']:.2f}",
    ]
    mass = _mean_mass(map(store.map, blocks.jobs[place]))
    drawn = mass if picture is None else picture  # of a study on LR images the picture is LR, as the mass always is
    factor = 1.0 if drawn is None else drawn.shape[-2] / (shown["lr_height"] * scale)
    corner = row["top"] - shown["lr_top"] * scale, row["left"] - shown["lr_left"] * scale
    top, left, height, width = (factor * side for side in (*corner, row["height"], row["width"]))
    return Tile(picture, (top, left, height, width), caption, mass)


def _mean_mass(files: Iterable[Path]) -> Array | None:
    """Sum of the unit-mass maps that are there; None where there is none."""
    total: Array | None = None
    for file in filter(is_whole, files):
        mass = absolute_map(load(file).map)
        mass = mass / mass.sum()
        total = mass if total is None else total + mass
    return total
