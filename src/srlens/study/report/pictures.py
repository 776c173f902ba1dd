"""The report's figures, from blocks and findings."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from srlens.comparison.interest import AREA
from srlens.comparison.measures import MEASURES
from srlens.imaging.files import read_image
from srlens.measures.concentration import absolute_map
from srlens.records.archive import load
from srlens.study.blocks import INDEX, Array, Blocks
from srlens.study.report.interest import Interest
from srlens.study.report.page import number
from srlens.study.store import Kept
from srlens.study.uncertainty import Estimate, mean_interval
from srlens.study.verdicts import LIMITS, QUALITIES, Findings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Windows in each gallery.
GALLERY = 8


def chart_figures(blocks: Blocks, findings: Findings, scale: int) -> "dict[str, Figure]":
    """Charts by the name of their file, in the words of networks of that scale."""
    from srlens.figures.study_charts import Reach, distribution_figure, reach_figure, texture_figure

    index = blocks.index
    figures = {}
    if QUALITIES[0] in findings.correlations:
        figures["psnr-against-di"] = _scatter(blocks, findings, scale)
    figures["diffusion-index"] = distribution_figure(
        blocks.labels, blocks.kinds, index, "diffusion index of each window (box: quartiles, whiskers: 5–95 %)"
    )
    if findings.used:
        kinds, fields = (dict(zip(blocks.labels, of, strict=True)) for of in (blocks.kinds, blocks.fields))
        figures["receptive-field-used"] = reach_figure(
            [
                Reach(
                    label,
                    kinds[label],
                    fields[label],
                    _drawn(use.share),
                    use.reference,
                    use.random.value if use.random else None,
                )
                for label, use in findings.used.items()
            ],
            scale=scale,
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


def _scatter(blocks: Blocks, findings: Findings, scale: int) -> "Figure":
    from srlens.figures.study_charts import Mark, scatter_figure

    index, quality = blocks.index, blocks.once(QUALITIES[0])
    known = np.isfinite(blocks.values[QUALITIES[0]]).all(axis=0)
    clusters, common = blocks.clusters[known], quality[:, known].mean(axis=0)
    # What pictures do to all networks alike tells nothing between them.
    apart = [mean_interval(values - common, clusters, plain=True) for values in quality[:, known]]
    moved = [Estimate(*(float(np.nanmean(common)) + x for x in (one.value, one.low, one.high))) for one in apart]
    spread = [mean_interval(values, clusters) for values in index[:, known]]
    marks = [
        Mark(label, kind, _drawn(x), _drawn(y))
        for label, kind, x, y in zip(blocks.labels, blocks.kinds, spread, moved, strict=True)
    ]
    found, paper = findings.correlations[QUALITIES[0]], LIMITS[QUALITIES[0]] if scale > 1 else {}
    beside = {kind: f" (paper, ×4: {value:.3f})" for kind, value in paper.items()}
    return scatter_figure(
        marks,
        x_label="mean diffusion index (logarithmic). Bars: 95 % intervals over pictures; vertical ones of the "
        "difference from the networks' mean at the same window",
        y_label="mean PSNR of the LR crops, dB",
        notes=(
            "",
            f"Pearson {number(found.pearson.value, 3)}{beside.get('pearson', '')}",
            f"Spearman {number(found.spearman.value, 3)}{beside.get('spearman', '')}",
            f"{found.networks} networks, {int(known.sum())} windows",
        ),
        scale=scale,
    )


def gallery_figures(
    rows: list[dict[str, Any]], blocks: Blocks, interest: Interest, kept: Kept, scale: int
) -> "dict[str, Figure]":
    """The most and the least noticed windows, and the area of interest; ``rows`` are those of :func:`window_rows`."""
    from srlens.figures.window_sheet import window_sheet

    count = min(GALLERY, len(rows) // 2)
    if not count:
        return {}
    kind = "HR" if np.isfinite(blocks.values["psnr_window"]).any() else "LR"
    note = (
        f"Left: the {kind} picture with the window. Right: mean over networks of the map's mass (cube root), from none "
        "(grey) to most (yellow). Regularity and coherence are of the surroundings."
    )
    figures = {}
    for name, chosen in (("most-noticed", rows[:count]), ("least-noticed", rows[: -count - 1 : -1])):
        title = f"{name.replace('-', ' ').capitalize()} windows: ranks {_ranks(chosen)} of {len(rows)}"
        tiles = [_tile(row, blocks, kept, scale) for row in chosen]
        figures[name] = window_sheet(tiles, title=title, columns=4, note=note, scale=scale)
    common = [row for row in rows if blocks.places.index(row["place"]) in interest.users]
    if common and len(blocks.labels) > 1:
        spread = np.unique(np.linspace(0, len(common) - 1, GALLERY).round().astype(int))
        tiles = [_tile(common[k], blocks, kept, scale, interest) for k in spread]
        note = (
            f"Left: the {kind} picture with the window. Right: how many of the {len(blocks.labels)} networks have a "
            f"pixel in the smallest area that holds {AREA:.0%} of their map's mass, from none (grey) to all (yellow). "
            "Windows from the most to the least noticed, in even steps of their ranks."
        ).replace("%", " %")
        figures["area-of-interest"] = window_sheet(tiles, title="Area of interest", columns=4, note=note, scale=scale)
    return figures


def _ranks(rows: list[dict[str, Any]]) -> str:
    first, last = sorted((rows[0]["rank"], rows[-1]["rank"]))
    return f"{first} to {last}"


def _tile(row: dict[str, Any], blocks: Blocks, kept: Kept, scale: int, interest: Interest | None = None) -> Any:
    """A window beside the networks' mean mass; with ``interest``, beside the share of the networks that use a pixel."""
    from srlens.figures.window_sheet import Tile

    file = kept.store.place(row["place"])
    picture = read_image(file) if kept.whole(file) else None  # it says so in its place
    place = blocks.places.index(row["place"])
    shown = {key: float(blocks.values[key][0, place]) for key in ("lr_top", "lr_left", "lr_height")}
    told = [
        f"DI {row[INDEX]:.1f}" + (f", {row['psnr_window']:.1f} dB" if row["psnr_window"] is not None else ""),
        f"regularity {row['around_peak_share']:.2f}, coherence {row['around_coherence']:.2f}",
    ]
    mass = (
        _mean_mass(filter(kept.whole, map(kept.store.map, blocks.jobs[place])))
        if interest is None
        else interest.users[place]
    )
    if interest is not None:
        told = [f"used by most: {row['area_of_most']:.0f} LR px", f"shared mass: {100 * row['shared_mass']:.0f} %"]
    drawn = mass if picture is None else picture  # of a study on LR images the picture is LR, as the mass always is
    factor = 1.0 if drawn is None else drawn.shape[-2] / (shown["lr_height"] * scale)
    corner = row["top"] - shown["lr_top"] * scale, row["left"] - shown["lr_left"] * scale
    top, left, height, width = (factor * side for side in (*corner, row["height"], row["width"]))
    caption = [f"#{row['rank']} {row['image']}", *told]
    return Tile(picture, (top, left, height, width), caption, mass, linear=interest is not None)


def _mean_mass(files: Iterable[Path]) -> Array | None:
    """Sum of the unit-mass maps in these files; None for no file."""
    total: Array | None = None
    for file in files:
        mass = absolute_map(load(file).map)
        mass = mass / mass.sum()
        total = mass if total is None else total + mass
    return total
