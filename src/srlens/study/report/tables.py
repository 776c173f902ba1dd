"""The report's tables, as lists of rows that CSV and the page share."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from srlens.atomic import replacing
from srlens.comparison.measures import MEASURES
from srlens.imaging.check import FAR_OUTSIDE
from srlens.study.blocks import INDEX, Array, Blocks
from srlens.study.report.interest import Interest
from srlens.study.statistics import Pair, compare_pairs
from srlens.study.store import Failure
from srlens.study.uncertainty import Estimate, holm, mean_interval
from srlens.study.verdicts import LIMITS, Findings

Row = dict[str, Any]


def report_tables(
    blocks: Blocks, findings: Findings, interest: Interest, failures: Sequence[Failure]
) -> dict[str, list[Row]]:
    """Every table of a report by the name of its file."""
    measured = np.where(blocks.present, blocks.index, np.nan)
    return {
        "networks": network_rows(blocks),
        "kinds": kind_rows(blocks),
        "correlations": correlation_rows(findings, blocks.scale),
        "pairs": pair_rows(blocks, compare_pairs(measured, blocks.clusters), interest),
        "receptive-fields": field_rows(blocks, findings),
        "textures": texture_rows(findings),
        "windows": window_rows(blocks, interest),
        "verdicts": [vars(verdict) for verdict in findings.verdicts],
        "failures": [vars(failure) for failure in failures],
    }


def network_rows(blocks: Blocks) -> list[Row]:
    """One row a network, the largest mean diffusion index first.

    Means over windows of every measure that tables show, by its key; of the diffusion index also the median, and its
    interval over pictures.
    """
    spans = [mean_interval(values, blocks.clusters) for values in blocks.index]
    rows = [
        {
            "network": blocks.labels[k],
            "kind": blocks.kinds[k],
            "receptive_field": blocks.fields[k],
            "windows": int(blocks.present[k].sum()),
            **{m.key: _mean(blocks.once(m.key)[k]) for m in blocks.known("report", "terminal")},
            f"{INDEX}_low": span.low,
            f"{INDEX}_high": span.high,
            f"{INDEX}_median": float(np.median(blocks.index[k])),
            "below_reference": _below_reference(blocks, k),
        }
        for k, span in enumerate(spans)
    ]
    return sorted(rows, key=lambda row: -row[INDEX])


def _mean(values: Array) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else None


def _below_reference(blocks: Blocks, k: int) -> bool | None:
    """Whether the network is worse than doing nothing on these pictures: wrong range, weights or aim."""
    network, reference = (_mean(blocks.once(key)[k]) for key in ("psnr_image", "reference_psnr_image"))
    if (blocks.values["sr_outside"][k] > FAR_OUTSIDE).any():  # then that is why, which a notice says
        return None
    return None if network is None or reference is None else network < reference


def reference_row(blocks: Blocks) -> Row:
    """The quality of doing nothing on the same windows, as far as it is known."""
    keys = [m.key for m in MEASURES.values() if m.of_picture and f"reference_{m.key}" in blocks.values]
    means = {key: _mean(blocks.once(f"reference_{key}")) for key in keys}
    return {key: mean for key, mean in means.items() if mean is not None}


def kind_rows(blocks: Blocks) -> list[Row]:
    """One row a kind of network: means over networks and windows of the measures that reports show of maps."""
    kinds = np.array(blocks.kinds)
    rows = [
        {
            "kind": kind,
            "networks": int(chosen.sum()),
            **{m.key: _mean(blocks.values[m.key][chosen]) for m in blocks.known("report") if not m.of_picture},
            f"{INDEX}_geometric_mean": float(np.exp(np.log(blocks.index[chosen]).mean())),
            f"{INDEX}_median": float(np.median(blocks.index[chosen])),
        }
        for kind, chosen in ((kind, kinds == kind) for kind in dict.fromkeys(blocks.kinds))
    ]
    return sorted(rows, key=lambda row: -row[INDEX])


def correlation_rows(findings: Findings, scale: int) -> list[Row]:
    """Qualities against log DI, beside the paper's values where the task is its own; Holm: for all of these rows."""
    rows = [
        {
            "quality": MEASURES[name].label + (", sign turned" if MEASURES[name].better == "lower" else ""),
            "correlation": kind,
            **vars(estimate),
            "paper": LIMITS.get(name, {}).get(kind) if scale > 1 else None,
            "networks": found.networks,
        }
        for name, found in findings.correlations.items()
        for kind in ("pearson", "spearman", "partial")
        if (estimate := getattr(found, kind)) is not None
    ]
    return [{**row, "p_holm": p} for row, p in zip(rows, holm([row["p"] for row in rows]), strict=True)]


def pair_rows(blocks: Blocks, pairs: Sequence[Pair], interest: Interest) -> list[Row]:
    """Each pair of networks: ratio of their diffusion indices, share of windows at which a's is larger, overlap."""
    return [
        {
            **vars(pair),
            "a": blocks.labels[pair.a],
            "b": blocks.labels[pair.b],
            "overlap": float(interest.overlap[pair.a, pair.b]),
        }
        for pair in pairs
    ]


def field_rows(blocks: Blocks, findings: Findings) -> list[Row]:
    """What each network uses of its receptive field, beside a Gaussian field and the network with random weights."""
    fields = dict(zip(blocks.labels, blocks.fields, strict=True))
    return [
        {
            "network": label,
            "receptive_field": fields[label],
            **_spanned("share", use.share),
            "gaussian": use.reference,
            **_spanned("over_gaussian", use.ratio),
            **_spanned("random", use.random),
            **_spanned("over_random", use.over_random),
        }
        for label, use in findings.used.items()
    ]


def _spanned(name: str, found: Estimate | None) -> Row:
    return {
        name: None if found is None else found.value,
        **{f"{name}_{end}": None if found is None else getattr(found, end) for end in ("low", "high")},
    }


def texture_rows(findings: Findings) -> list[Row]:
    """Each texture measure against the diffusion index: Spearman's correlation."""
    return [
        {"measure": MEASURES[name].label, **vars(a.spearman), "p_holm": a.p_holm, "windows": a.count}
        for name, a in findings.textures.items()
    ]


def window_rows(blocks: Blocks, interest: Interest) -> list[Row]:
    """One row a window, the most noticed first: geometric mean of the diffusion index over networks.

    ``shared_mass`` and ``area_of_most`` (LR pixels) are None where a map is not there.
    """
    index = np.exp(np.log(blocks.index).mean(axis=0))
    return [
        {
            "rank": rank,
            "image": blocks.images[w],
            **dict(zip(("top", "left", "height", "width"), blocks.windows[w], strict=True)),
            INDEX: float(index[w]),
            "psnr_window": _mean(blocks.values["psnr_window"][:, w]),
            **{name: float(values[w]) for name, values in blocks.textures.items()},
            "shared_mass": _mean(interest.shared[[w]]),
            "area_of_most": _mean(interest.most[[w]]),
            "place": blocks.places[w],
        }
        for rank, w in enumerate(np.argsort(-index, kind="stable"), start=1)
    ]


def write_csv(rows: Sequence[Row], path: Path) -> None:
    """Write rows as CSV; nothing for no rows. What is not known stays empty."""
    from srlens.extras import polars

    if rows:
        with replacing(path) as temporary:
            polars.DataFrame(rows, infer_schema_length=None).fill_nan(None).write_csv(temporary)
