"""``srlens field``: the diffusion index over the whole image."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from srlens.cli.options import OUT, parse_bytes


def field(
    network: str,
    image: str,
    *,
    size: int = 16,
    stride: int | None = None,
    steps: int = 12,
    preset: Literal["default", "paper"] = "default",
    detector: str | None = None,
    hr: bool = False,
    degradation: str | None = None,
    scale: int | None = None,
    device: str | None = None,
    memory: str = "1GiB",
    out: Annotated[Path, Parameter(name=["--out", "-o"])] = OUT,
) -> None:
    """Map how widely a network looks, window by window, over the whole image.

    Writes a heat map (PNG, PDF), a Parquet table and a log of finished windows. A run that was cut off goes on from
    its log when it is started again.

    Parameters
    ----------
    network
        A checkpoint file, a shipped network (plain, channel, nonlocal) or a published one.
    image
        The LR image, or with --hr the HR image.
    size
        Side of the windows in SR pixels.
    stride
        Of the grid, in SR pixels; the size by default.
    steps
        Nodes of every map; all windows share them.
    preset
        "paper": the published rule and path (give --steps 50 with it).
    detector
        gradient (default), intensity, gabor, residual, residual-gradient.
    hr
        The image is HR: the LR is made from it.
    degradation
        How the LR is made from HR: matlab (its bicubic; the default), matlab-uint8 (with its 8-bit rounding), pil
        (default of the paper preset); or noise:25 (σ in grey levels) for networks of scale 1.
    scale
        Which scale of a file that holds several.
    device
        cpu, cuda, cuda:1, mps; by default the best one there is.
    memory
        For the maps in hand, e.g. 512MiB, 2GiB. Less memory means more forward passes.
    out
        Output folder.
    """
    import statistics

    from rich.console import Console

    from srlens.attribution.attribute import field_method
    from srlens.cli.devices import choose_device
    from srlens.cli.progress import progress_bars
    from srlens.comparison.subject import read_subject
    from srlens.imaging.degrade import default_degradation
    from srlens.networks.open import open_network
    from srlens.records.field_run import run_field

    budget = parse_bytes(memory)
    opened = open_network(network, scale=scale, device=choose_device(device))
    how = default_degradation(preset, degradation)
    subject = read_subject(image, opened.scale, is_hr=hr, degradation=how)
    settings = field_method(steps=steps, preset=preset, detector=detector)
    with progress_bars() as bars:
        found, files = run_field(
            opened,
            subject,
            settings,
            out,
            size=size,
            stride=stride,
            memory=budget,
            progress=bars.step(f"field of {opened.name}", unit="window gradients"),
        )
    indices = [point.diffusion_index for point in found.points if point.diffusion_index is not None]
    console = Console()
    height, width = found.lr_size
    console.print(
        f"{found.network}: {len(found.points)} windows, LR {height}×{width}; diffusion index median "
        f"{statistics.median(indices):.2f}, from {min(indices):.2f} to {max(indices):.2f}. {found.evaluation}.",
        highlight=False,
    )
    console.print("Written: " + ", ".join(map(str, files)), highlight=False, soft_wrap=True)
