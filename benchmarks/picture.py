"""The picture of a benchmark: seconds for one map, by network and contender."""

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

CONTENDERS = (
    ("authors_s", "authors' loop, 50 steps", "#7f7f7f"),
    ("captum_s", "Captum, 50 steps, straight path", "#c9a227"),
    ("srlens_full_s", "srlens, equal error, whole image", "#9ecae1"),
    ("srlens_s", "srlens, equal error, a network's first window", "#4292c6"),
    ("srlens_next_s", "srlens, equal error, its next windows", "#08306b"),
)
LABELLED = {"srlens_s": "speedup", "srlens_next_s": "speedup_next"}


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """One group of bars a network, logarithmic seconds; at the bars of srlens the speed-up over the authors' loop."""
    sizes = {row["lr"] for row in rows}
    ordered = sorted(rows, key=lambda row: row["speedup_next"])  # the first is drawn at the bottom
    names = [row["network"] + (f", LR {row['lr']}" if len(sizes) > 1 else "") for row in ordered]
    figure = Figure(figsize=(17 / 2.54, (3 + 1.3 * len(rows)) / 2.54), layout="constrained")
    axes = figure.add_subplot()
    height = 0.84 / len(CONTENDERS)
    for k, (key, label, colour) in enumerate(CONTENDERS):
        places = [i + ((len(CONTENDERS) - 1) / 2 - k) * height for i in range(len(ordered))]
        axes.barh(places, [row[key] for row in ordered], height, label=label, color=colour)
        for place, row in zip(places, ordered, strict=True):
            if key in LABELLED:
                axes.annotate(
                    f"{row[LABELLED[key]]:.1f}×",
                    (row[key], place),
                    xytext=(2, -0.5),
                    textcoords="offset points",
                    va="center",
                    fontsize=6,
                )
    axes.set_xscale("log")
    axes.set_yticks(range(len(ordered)), names, fontsize=7)
    axes.set_ylim(-0.6, len(ordered) - 0.4)
    axes.tick_params(axis="x", which="both", labelsize=7)
    axes.tick_params(axis="y", length=0)
    threads = f"{rows[0]['threads']} thread{'s' if rows[0]['threads'] != 1 else ''}"
    axes.set_xlabel(
        f"seconds for one map, LR {' and '.join(sorted(sizes))}, window {rows[0].get('window', '16×16')} "
        f"({rows[0]['device']}, {threads})",
        fontsize=8,
    )
    figure.legend(fontsize=7, frameon=False, ncols=2, loc="outside upper center")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=200)
