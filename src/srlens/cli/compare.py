"""``srlens compare``: several networks side by side, on shared scales."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from srlens.cli.options import OUT, Formats, MethodOptions, method_keywords, parse_crop, parse_window
from srlens.errors import SettingError


def compare(
    *inputs: str,
    window: str | None = None,
    size: int = 16,
    crop: str | None = None,
    hr: bool = False,
    degradation: str | None = None,
    scale: int | None = None,
    device: str | None = None,
    sort: str | None = None,
    out: Annotated[Path, Parameter(name=["--out", "-o"])] = OUT,
    style: Literal["default", "paper"] = "default",
    formats: Formats = ("png", "pdf"),
    sweep: Literal["sigma", "steps", "window", "kernel"] | None = None,
    values: Annotated[tuple[float, ...] | None, Parameter(consume_multiple=True)] = None,
    method: MethodOptions | None = None,
) -> None:
    """Show side by side which input pixels several networks used for one window.

    Writes the figure, the area of interest (what all use, what the better ones use more), one map a network
    (safetensors), the table (CSV, Parquet, LaTeX) and result.json; with --sweep also its picture and table.

    Parameters
    ----------
    inputs
        NETWORK… IMAGE: checkpoint files, shipped or published networks, and last the image (LR, or HR with --hr).
    window
        TOP,LEFT,SIZE or TOP,LEFT,HEIGHT,WIDTH in SR pixels. Without it the hardest window is chosen.
    size
        Side of a window chosen for you, in SR pixels.
    crop
        TOP,LEFT,HEIGHT,WIDTH in SR pixels, multiples of the scale: only this part of the picture is shown to the
        networks, and the window counts from its corner. For large pictures: the time goes with their size.
    hr
        The image is HR: the LR is made from it, and PSNR is reported against bicubic.
    degradation
        How the LR is made from HR: matlab (its bicubic; the default), matlab-uint8 (with its 8-bit rounding), pil
        (default of the paper preset); or noise:25 (σ in grey levels) for networks of scale 1.
    scale
        Which scale of files that hold several.
    device
        cpu, cuda, cuda:1, mps; by default the best one there is.
    sort
        Order of the rows: di, pixels, area, psnr, psnr-image, gap, error, name, or a measure of a plug-in; the order
        given by default.
    out
        Output folder.
    style
        "paper" draws maps as the paper does (seismic, blended with the image).
    formats
        Of the figures: png, pdf, svg.
    sweep
        Also vary one setting (σ and kernel in LR pixels, the window's side in SR pixels) and say whether the order of
        the networks changes with it.
    values
        Of the swept setting; sensible ones by default.
    """
    from srlens.cli.devices import choose_device
    from srlens.cli.progress import progress_bars
    from srlens.cli.report import print_comparison, print_sweep
    from srlens.comparison.compare import compare as run
    from srlens.comparison.subject import read_subject
    from srlens.comparison.sweep import sweep as run_sweep
    from srlens.comparison.table import sort_key, sort_rows, write_tables
    from srlens.imaging.degrade import default_degradation
    from srlens.networks.open import open_network
    from srlens.records.output import write_comparison, write_sweep

    if len(inputs) < 2:
        raise SettingError(f"Give at least one network and, last, the image; got {len(inputs)} arguments.")
    *specs, image = inputs
    keywords = method_keywords(method)
    where = parse_window(window) if window is not None else None
    part = parse_crop(crop) if crop is not None else None
    if values is not None and sweep is None:
        raise SettingError("--values are those of a swept setting; add --sweep sigma, steps, window or kernel.")
    if sort is not None:
        sort_key(sort)  # a misspelt one is refused before anything is computed
    target = choose_device(device)
    networks = [open_network(spec, scale=scale, device=target) for spec in specs]
    how = default_degradation(keywords.get("preset"), degradation)
    subject = read_subject(image, networks[0].scale, is_hr=hr, degradation=how, part=part)
    with progress_bars() as bars:
        comparison = run(networks, subject, where, size=size, progress=bars.step, **keywords)
    comparison = replace(comparison, rows=sort_rows(comparison.rows, sort))
    files = write_comparison(comparison, out, style=style, formats=formats)
    files += write_tables(comparison, out / "comparison")
    print_comparison(comparison, files)
    if sweep is not None:
        with progress_bars() as bars:
            swept = run_sweep(
                networks,
                comparison.subject,
                comparison.window,
                sweep,
                values,
                progress=bars.step(f"sweep of {sweep}", unit="maps"),
                **keywords,
            )
        print_sweep(swept, write_sweep(swept, out, formats=formats))
