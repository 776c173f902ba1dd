"""The picture of a benchmark: seconds for one map, by network and contender."""

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

CONTENDERS = (
    ("authors_s", "authors' loop, 50 steps", "#7f7f7f"),
    ("captum_s", "Captum, 50 steps, straight path", "#c9a227"),
    ("srlens_full_s", "srlens, equal error, whole image", "#6baed6"),
    ("srlens_s", "srlens, equal error", "#08519c"),
)


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """One group of bars a network, logarithmic seconds, the speed-up over the authors' loop above."""
    figure = Figure(figsize=(17 / 2.54, 8 / 2.54), layout="constrained")
    axes = figure.add_subplot()
    width = 0.8 / len(CONTENDERS)
    for k, (key, label, colour) in enumerate(CONTENDERS):
        places = [i + (k - (len(CONTENDERS) - 1) / 2) * width for i in range(len(rows))]
        axes.bar(places, [row[key] for row in rows], width, label=label, color=colour)
    for i, row in enumerate(rows):
        axes.annotate(
            f"{row['speedup']:.0f}×",
            (i + 1.5 * width, row["srlens_s"]),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            fontsize=7,
            color="#08519c",
        )
    axes.set_yscale("log")
    axes.set_xticks(range(len(rows)), [row["network"] for row in rows], rotation=25, ha="right", fontsize=7)
    axes.tick_params(axis="y", labelsize=7)
    axes.set_ylabel(f"seconds for one map ({rows[0]['device']}, {rows[0]['threads']} thread)", fontsize=8)
    axes.legend(fontsize=7, frameon=False, ncols=2, loc="upper center", bbox_to_anchor=(0.5, 1.22))
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=200)
