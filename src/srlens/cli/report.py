"""What a verb prints when it is done: a table, the conditions, where the files are."""

from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from srlens.comparison.compare import Comparison
from srlens.comparison.field_of_view import FieldOfView
from srlens.comparison.sweep import Sweep


def print_comparison(comparison: Comparison, files: Sequence[Path]) -> None:
    """Print one row a network, then every condition of the numbers, then the files written."""
    console = Console()
    has_hr = comparison.subject.hr is not None
    height, width = comparison.rows[0].result.lr_size
    table = Table(
        title=f"{comparison.subject.name}, {comparison.window}, LR {height}×{width}",
        title_justify="left",
        caption=("PSNR in dB, luma. " if has_hr else "") + "Map error: estimated, relative L2.",
        caption_justify="left",
        box=SIMPLE_HEAD,  # without frames eight columns fit into 80 characters
        padding=(0, 1, 0, 0),
    )
    table.add_column("network", overflow="fold")
    quality = ["PSNR\nwindow", "PSNR\nimage"] if has_hr else []
    columns = ["DI", "eff.\npixels", "gap", "map\nerror", "steps", *quality, "time"]
    for column in columns:
        table.add_column(column, justify="right")
    for row in comparison.rows:
        result = row.result
        table.add_row(
            row.network.name,
            f"{result.diffusion_index:.2f}",
            f"{result.effective_pixels:.1f}",
            f"{result.completeness_gap:.2%}",
            "–" if result.map_error is None else f"{result.map_error:.2%}",
            str(result.evaluations),
            *([decibel(row.psnr_window), decibel(row.psnr_image)] if has_hr else []),
            f"{row.seconds:.1f} s",
        )
    if has_hr:
        bicubic = [decibel(comparison.bicubic_psnr_window), decibel(comparison.bicubic_psnr_image)]
        table.add_row("bicubic", *["–"] * 5, *bicubic, "–", style="dim")
    console.print(table)
    console.print(f"Window: {comparison.window_choice}.", highlight=False)
    for text in dict.fromkeys(row.result.conditions for row in comparison.rows):
        console.print(f"Conditions: {text}.", highlight=False, style="dim")
    console.print("Written: " + ", ".join(str(file) for file in files), highlight=False, soft_wrap=True)


def decibel(value: float | None) -> str:
    """``"31.42"``, or a dash where it is not known."""
    return "–" if value is None else f"{value:.2f}"


def print_sweep(swept: Sweep, files: Sequence[Path]) -> None:
    """Print the diffusion index of each network at each value, with ranks if they change, then what that means."""
    console = Console()
    ranked = swept.order_changes
    first = next(iter(swept.points.values()))[0].result
    table = Table(
        title="Sweep of {}: DI{}, LR {}×{}".format(swept.setting, " (rank)" if ranked else "", *first.lr_size),
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column("network", overflow="fold")
    for value in swept.values:
        table.add_column(f"{value:g}", justify="right")
    for name, points in swept.points.items():
        ranks = [f" ({point.rank})" if ranked else "" for point in points]
        indices = [f"{point.result.diffusion_index:.2f}" for point in points]
        table.add_row(name, *(index + rank for index, rank in zip(indices, ranks, strict=True)))
    console.print(table)
    console.print(swept.sentence(), highlight=False)
    console.print("Written: " + ", ".join(map(str, files)), highlight=False, soft_wrap=True)


def print_fields_of_view(fields: Sequence[FieldOfView], files: Sequence[Path]) -> None:
    """Print one row a network, in LR pixels, then the conditions and the files written."""
    console = Console()
    first = fields[0]
    table = Table(
        title=f"Fields of view in LR pixels, LR {first.side}×{first.side}",
        title_justify="left",
        caption="RF: theoretical, the paper's count (true side). σ, radii: of the effective field, the latter holding "
        "50/90/95 %. LAM: what holds 95 % of the map of one hard window.",
        caption_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column("network", overflow="fold")
    for column in ["RF", "support", "σ", "radii", "LAM\narea", "LAM\nradius", "of RF", "DI"]:
        table.add_column(column, justify="right")
    for field in fields:
        reach = field.network.receptive_field
        share = field.record()["lam_share_of_receptive_field"]
        table.add_row(
            field.network.name,
            f"{reach.paper} ({reach.true:g})" if reach.paper is not None else str(reach),
            "whole" if field.support.is_whole_image else "×".join(map(str, field.support_size)),
            f"{field.effective.sigma:.1f}",
            "/".join(f"{radius:.0f}" for radius in field.effective.radii.values()),
            f"{field.lam_area:.0f}",
            f"{field.lam_radius:.1f}",
            "–" if share is None else f"{share:.0%}",
            f"{field.attribution.diffusion_index:.2f}",
        )
    console.print(table)
    console.print(f"Effective field: mean over {first.effective.images} places.", highlight=False)
    for text in dict.fromkeys(field.attribution.conditions for field in fields):
        console.print(f"Conditions: {text}.", highlight=False, style="dim")
    console.print("Written: " + ", ".join(map(str, files)), highlight=False, soft_wrap=True)
