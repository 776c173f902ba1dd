"""``srlens explain``: one network, one image, one window."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from srlens.cli.options import OUT, Formats, MethodOptions, method_keywords, parse_crop, parse_window


def explain(
    network: str,
    image: str,
    *,
    window: str | None = None,
    size: int = 16,
    crop: str | None = None,
    hr: bool = False,
    degradation: str | None = None,
    scale: int | None = None,
    value_range: float | None = None,
    module: bool = False,
    device: str | None = None,
    out: Annotated[Path, Parameter(name=["--out", "-o"])] = OUT,
    style: Literal["default", "paper"] = "default",
    formats: Formats = ("png", "pdf"),
    method: MethodOptions | None = None,
) -> None:
    """Show which input pixels one network used for one window of its output.

    Writes the figure, the map (safetensors) and result.json into the output folder.

    Parameters
    ----------
    network
        A checkpoint file, a shipped network (plain, channel, nonlocal) or a published one (srlens networks list).
    image
        The LR image; with --hr the HR image, from which the LR is made.
    window
        TOP,LEFT,SIZE or TOP,LEFT,HEIGHT,WIDTH in SR pixels. Without it the hardest window is chosen.
    size
        Side of a window chosen for you, in SR pixels.
    crop
        TOP,LEFT,HEIGHT,WIDTH in SR pixels, multiples of the scale: only this part of the picture is shown to the
        network, and the window counts from its corner. For large pictures: the time goes with their size.
    hr
        The image is HR: the LR is made from it, and PSNR is reported against bicubic.
    degradation
        How the LR is made from HR: matlab (its bicubic; the default), matlab-uint8 (with its 8-bit rounding), pil
        (default of the paper preset); or noise:25 (σ in grey levels) for networks of scale 1.
    scale
        Which scale of a file that holds several.
    value_range
        Overrides the network's value range: 1 or 255.
    module
        NETWORK is package.module:factory. This imports and runs your own code.
    device
        cpu, cuda, cuda:1, mps; by default the best one there is.
    out
        Output folder.
    style
        "paper" draws maps as the paper does (seismic, blended with the image).
    formats
        Of the figures: png, pdf, svg.
    """
    from srlens.cli.devices import choose_device
    from srlens.cli.progress import progress_bars
    from srlens.cli.report import print_comparison
    from srlens.comparison.compare import compare
    from srlens.comparison.subject import read_subject
    from srlens.imaging.degrade import default_degradation
    from srlens.networks.open import open_network
    from srlens.records.output import write_comparison

    keywords = method_keywords(method)
    where = parse_window(window) if window is not None else None
    part = parse_crop(crop) if crop is not None else None
    opened = open_network(network, scale=scale, value_range=value_range, device=choose_device(device), module=module)
    how = default_degradation(keywords.get("preset"), degradation)
    subject = read_subject(image, opened.scale, is_hr=hr, degradation=how, part=part)
    with progress_bars() as bars:
        comparison = compare([opened], subject, where, size=size, progress=bars.step, **keywords)
    files = write_comparison(comparison, out, style=style, formats=formats)
    print_comparison(comparison, files)
