"""``srlens compare``: several networks side by side, on shared scales."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from srlens.cli.options import OUT, MethodOptions, parse_window
from srlens.errors import SettingError


def compare(
    *inputs: str,
    window: str | None = None,
    size: int = 16,
    hr: bool = False,
    degradation: Literal["matlab", "matlab-uint8", "pil"] | None = None,
    scale: int | None = None,
    device: str | None = None,
    sort: Literal["di", "pixels", "area", "psnr", "psnr-image", "gap", "error", "name"] | None = None,
    out: Annotated[Path, Parameter(name=["--out", "-o"])] = OUT,
    style: Literal["default", "paper"] = "default",
    method: MethodOptions | None = None,
) -> None:
    """Show side by side which input pixels several networks used for one window.

    Writes the figure (PNG, PDF), one map a network (safetensors), the table (CSV, Parquet, LaTeX) and result.json.

    Parameters
    ----------
    inputs
        NETWORK… IMAGE: checkpoint files, shipped or published networks, and last the image (LR, or HR with --hr).
    window
        TOP,LEFT,SIZE or TOP,LEFT,HEIGHT,WIDTH in SR pixels. Without it the hardest window is chosen.
    size
        Side of a window chosen for you, in SR pixels.
    hr
        The image is HR: the LR is made from it, and PSNR is reported against bicubic.
    degradation
        How the LR is made from HR: MATLAB's bicubic (default), the same with its 8-bit rounding, or PIL's (default of
        the paper preset).
    scale
        Which scale of files that hold several.
    device
        cpu, cuda, cuda:1, mps; by default the best one there is.
    sort
        Order of the rows; the order given by default.
    out
        Output folder.
    style
        "paper" draws maps as the paper does (seismic, blended with the image).
    """
    from srlens.cli.devices import choose_device
    from srlens.cli.progress import progress_bars
    from srlens.cli.report import print_comparison
    from srlens.networks.open import open_network
    from srlens.study.compare import compare as run
    from srlens.study.output import write_comparison
    from srlens.study.subject import read_subject
    from srlens.study.table import sort_rows, write_tables

    if len(inputs) < 2:
        raise SettingError(f"Give at least one network and, last, the image; got {len(inputs)} arguments.")
    *specs, image = inputs
    method = method if method is not None else MethodOptions()
    where = parse_window(window) if window is not None else None
    target = choose_device(device)
    networks = [open_network(spec, scale=scale, device=target) for spec in specs]
    how = degradation or ("pil" if method.preset == "paper" else "matlab")
    subject = read_subject(Path(image), networks[0].scale, is_hr=hr, degradation=how)
    with progress_bars() as bars:
        comparison = run(networks, subject, where, size=size, progress=bars.step, **method.keywords())
    comparison = replace(comparison, rows=sort_rows(comparison.rows, sort))
    files = write_comparison(comparison, out, style=style)
    files += write_tables(comparison, out / "comparison")
    print_comparison(comparison, files)
