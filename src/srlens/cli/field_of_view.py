"""``srlens field-of-view``: what networks could see, see on average, and used at one hard window."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from srlens.cli.options import OUT, Formats, MethodOptions, method_keywords
from srlens.errors import SettingError


def field_of_view(
    *networks: str,
    images: Annotated[tuple[str, ...], Parameter(consume_multiple=True)] = (),
    hr: bool = False,
    degradation: str | None = None,
    side: int = 48,
    places: int = 16,
    size: int = 16,
    scale: int | None = None,
    device: str | None = None,
    out: Annotated[Path, Parameter(name=["--out", "-o"])] = OUT,
    formats: Formats = ("png", "pdf"),
    method: MethodOptions | None = None,
) -> None:
    """Compare how far networks could look with how far they do look.

    Puts on one scale the theoretical receptive field, the measured support of the gradient, the effective receptive
    field over many places, and the reach of the attribution map of a hard window. Writes picture and table (CSV,
    Parquet).

    Parameters
    ----------
    networks
        Checkpoint files, shipped or published networks.
    images
        Pictures to take places from: LR, or HR with --hr. By default the packaged photographs.
    hr
        The images are HR: the LR is made from them.
    degradation
        How the LR is made from HR: matlab (its bicubic; the default), matlab-uint8 (with its 8-bit rounding), pil
        (default of the paper preset); or noise:25 (σ in grey levels) for networks of scale 1.
    side
        LR pixels a side of the squares that the networks are shown.
    places
        Number of squares over which gradients are averaged.
    size
        Side of the hard window in SR pixels.
    scale
        Which scale of files that hold several.
    device
        cpu, cuda, cuda:1, mps; by default the best one there is.
    out
        Output folder.
    formats
        Of the picture: png, pdf, svg.
    """
    from srlens.cli.devices import choose_device
    from srlens.cli.progress import progress_bars
    from srlens.cli.report import print_fields_of_view
    from srlens.comparison.field_of_view import fields_of_view
    from srlens.comparison.subject import read_subject
    from srlens.imaging.degrade import default_degradation
    from srlens.imaging.samples import SAMPLES
    from srlens.networks.open import open_network
    from srlens.records.output import write_fields_of_view

    if not networks:
        raise SettingError("Give at least one network: srlens field-of-view NETWORK…")
    keywords = method_keywords(method)
    target = choose_device(device)
    opened = [open_network(spec, scale=scale, device=target) for spec in networks]
    how = default_degradation(keywords.get("preset"), degradation)
    is_hr = hr or not images
    subjects = [read_subject(spec, opened[0].scale, is_hr=is_hr, degradation=how) for spec in images or SAMPLES]
    with progress_bars() as bars:
        fields = fields_of_view(
            opened, subjects, side=side, places=places, window_size=size, progress=bars.step, **keywords
        )
    print_fields_of_view(fields, write_fields_of_view(fields, out, formats=formats))
