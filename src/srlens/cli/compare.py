"""``srlens compare``: several networks side by side, on shared scales."""

from dataclasses import replace
from typing import Annotated, Literal

from cyclopts import Parameter

from srlens.cli import options
from srlens.errors import SettingError


def compare(
    *inputs: str,
    sort: str | None = None,
    sweep: Literal["sigma", "steps", "window", "kernel"] | None = None,
    values: Annotated[tuple[float, ...] | None, Parameter(consume_multiple=True)] = None,
    window: options.WindowOptions = options.WINDOW,
    picture: options.PictureOptions = options.PICTURE,
    opened_as: options.NetworkOptions = options.NETWORK,
    output: options.OutputOptions = options.OUTPUT,
    method: options.MethodOptions = options.METHOD,
) -> None:
    """Show side by side which input pixels several networks used for one window.

    Writes the figure, the area of interest (what all use, what the better ones use more), one map a network
    (safetensors), the table (CSV, Parquet, LaTeX) and result.json; with --sweep also its picture and table.

    Parameters
    ----------
    inputs
        NETWORK… IMAGE: checkpoint files, shipped or published networks, and last the image (LR, or HR with --hr).
    sort
        Order of the rows by a measure: di, pixels, area, psnr, psnr-image, gap, error, name, …; the order given by
        default.
    sweep
        Also vary one setting (σ and kernel in LR pixels, the window's side in SR pixels) and say whether the order of
        the networks changes with it.
    values
        Of the swept setting; sensible ones by default.
    """
    from srlens.cli.progress import progress_bars
    from srlens.cli.report import print_comparison, print_sweep
    from srlens.comparison.compare import compare as run
    from srlens.comparison.sweep import sweep as run_sweep
    from srlens.comparison.table import sort_key, sort_rows, write_tables
    from srlens.extras import polars  # noqa: F401 - tables come last; who lacks it is told before anything is computed
    from srlens.records.output import write_comparison, write_sweep

    if len(inputs) < 2:
        raise SettingError(f"Give at least one network and, last, the image; got {len(inputs)} arguments.")
    *specs, image = inputs
    keywords, where = options.method_keywords(method), window.parsed()
    if values is not None and sweep is None:
        raise SettingError("--values are those of a swept setting; add --sweep sigma, steps, window or kernel.")
    if sort is not None:
        sort_key(sort)  # a misspelt one is refused before anything is computed
    networks = opened_as.open(*specs)
    subject = picture.read(image, networks[0].scale, keywords.get("preset"))
    with progress_bars() as bars:
        comparison = run(networks, subject, where, size=window.size, progress=bars.step, **keywords)
    comparison = replace(comparison, rows=sort_rows(comparison.rows, sort))
    files = write_comparison(comparison, output.out, style=output.style, formats=output.formats)
    print_comparison(comparison, files + write_tables(comparison, output.out / "comparison"))
    if sweep is not None:
        with progress_bars() as bars:
            step = bars.step(f"sweep of {sweep}", unit="maps")
            swept = run_sweep(networks, comparison.subject, comparison.window, sweep, values, progress=step, **keywords)
        print_sweep(swept, write_sweep(swept, output.out, formats=output.formats))
