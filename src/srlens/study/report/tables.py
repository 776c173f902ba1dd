"""The report's tables, as lists of rows that CSV and the page share."""

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from srlens.atomic import replacing
from srlens.study.blocks import Array, Blocks
from srlens.study.statistics import RESAMPLES, Pair, bootstrap_weights, interval
from srlens.study.verdicts import LOOK_NAMES, PAPER_PEARSON, PAPER_SPEARMAN, Findings

Row = dict[str, Any]


def network_rows(blocks: Blocks, *, seed: int = 0) -> list[Row]:
    """One row a network, the largest mean diffusion index first; intervals by drawing windows anew."""
    weights = bootstrap_weights(len(blocks.places), None, RESAMPLES, seed)
    rows = []
    for k, label in enumerate(blocks.labels):
        values = {name: matrix[k] for name, matrix in blocks.values.items()}
        index = values["diffusion_index"]
        span = interval(weights @ index)
        rows.append(
            {
                "network": label,
                "kind": blocks.kinds[k],
                "receptive_field": blocks.fields[k],
                "psnr_image": _mean(values["psnr_image"]),
                "psnr_window": _mean(values["psnr_window"]),
                "ssim_image": _mean(values["ssim_image"]),
                "lpips": _mean(values["lpips"]),
                "di_mean": float(index.mean()),
                "di_low": span.low,
                "di_high": span.high,
                "di_median": float(np.median(index)),
                "effective_pixels": _mean(values["effective_pixels"]),
                "area95": _mean(values["area95"]),
                "area95_of_receptive_field": _mean(values["receptive_field_used"]),
                "radius_mean": _mean(values["radius_mean"]),
                "below_bicubic": _below_bicubic(values),
                "map_error": _mean(values["map_error"]),
                "completeness_gap": _mean(values["completeness_gap"]),
                "evaluations": _mean(values["evaluations"]),
                "windows": len(blocks.places),
            }
        )
    return sorted(rows, key=lambda row: -row["di_mean"])


def _mean(values: Array) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else None


def _below_bicubic(values: dict[str, Array]) -> bool | None:
    """Whether the network is worse than bicubic on these pictures: wrong range, weights or aim."""
    network, bicubic = _mean(values["psnr_image"]), _mean(values["bicubic_psnr_image"])
    return None if network is None or bicubic is None else network < bicubic


def bicubic_row(blocks: Blocks) -> Row | None:
    """Bicubic's quality on the same windows; None where HR is not known."""
    image = _mean(blocks.values["bicubic_psnr_image"])
    if image is None:
        return None
    return {"network": "bicubic", "psnr_image": image, "psnr_window": _mean(blocks.values["bicubic_psnr_window"])}


def kind_rows(blocks: Blocks) -> list[Row]:
    """One row a kind of network."""
    rows = []
    kinds = np.array(blocks.kinds)
    for kind in dict.fromkeys(blocks.kinds):
        chosen = kinds == kind
        index = blocks.values["diffusion_index"][chosen]
        rows.append(
            {
                "kind": kind,
                "networks": int(chosen.sum()),
                "di_mean": float(index.mean()),
                "di_geometric_mean": float(np.exp(np.log(index).mean())),
                "di_median": float(np.median(index)),
                "effective_pixels": _mean(blocks.values["effective_pixels"][chosen]),
                "area95": _mean(blocks.values["area95"][chosen]),
                "radius_mean": _mean(blocks.values["radius_mean"][chosen]),
            }
        )
    return sorted(rows, key=lambda row: -row["di_mean"])


def correlation_rows(findings: Findings) -> list[Row]:
    """PSNR against log DI, beside the paper's values."""
    rows = []
    for name, found in (("LR crop", findings.correlation), ("window", findings.correlation_window)):
        if found is None:
            continue
        for label, value, windows, pictures, p, paper in (
            ("Pearson", found.pearson, found.pearson_windows, found.pearson_pictures, found.pearson_p, PAPER_PEARSON),
            (
                "Spearman",
                found.spearman,
                found.spearman_windows,
                found.spearman_pictures,
                found.spearman_p,
                PAPER_SPEARMAN,
            ),
        ):
            rows.append(
                {
                    "psnr_of": name,
                    "correlation": label,
                    "value": value,
                    "windows_low": windows.low,
                    "windows_high": windows.high,
                    "pictures_low": pictures.low,
                    "pictures_high": pictures.high,
                    "p": p,
                    "paper": paper if name == "LR crop" else None,
                    "networks": found.networks,
                    "windows": found.windows,
                    "pictures": found.pictures,
                }
            )
    return rows


def pair_rows(blocks: Blocks, pairs: Sequence[Pair]) -> list[Row]:
    """Each pair of networks."""
    return [
        {
            "a": blocks.labels[pair.a],
            "b": blocks.labels[pair.b],
            "di_ratio": pair.ratio,
            "a_larger_share": pair.share,
            "p": pair.p,
            "p_holm": pair.p_holm,
            "windows": len(blocks.places),
        }
        for pair in pairs
    ]


def texture_rows(findings: Findings) -> list[Row]:
    """Each texture measure against the diffusion index."""
    return [
        {
            "measure": LOOK_NAMES[name],
            "spearman": found.spearman,
            "windows_low": found.windows.low,
            "windows_high": found.windows.high,
            "pictures_low": found.pictures.low,
            "pictures_high": found.pictures.high,
            "p": found.p,
            "p_holm": found.p_holm,
            "windows": found.count,
        }
        for name, found in findings.textures.items()
    ]


def window_rows(blocks: Blocks) -> list[Row]:
    """One row a window, the most noticed first: geometric mean of the diffusion index over networks."""
    index = np.exp(np.log(blocks.values["diffusion_index"]).mean(axis=0))
    rows = []
    for rank, w in enumerate(np.argsort(-index, kind="stable"), start=1):
        top, left, height, width = blocks.windows[w]
        rows.append(
            {
                "rank": rank,
                "image": blocks.images[w],
                "top": top,
                "left": left,
                "height": height,
                "width": width,
                "di": float(index[w]),
                "psnr_window": _mean(blocks.values["psnr_window"][:, w]),
                **{name: float(values[w]) for name, values in blocks.looks.items()},
                "place": blocks.places[w],
            }
        )
    return rows


def write_csv(rows: Sequence[Row], path: Path) -> None:
    """Write rows as CSV; nothing for no rows. What is not known stays empty."""
    if not rows:
        return
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: _plain(value) for key, value in row.items()})
    with replacing(path) as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8")


def _plain(value: Any) -> Any:
    return "" if value is None or (isinstance(value, float) and math.isnan(value)) else value
