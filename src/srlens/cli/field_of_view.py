"""``srlens field-of-view``: what networks could see, see on average, and used at one hard window."""

from dataclasses import replace
from typing import Annotated

from cyclopts import Parameter

from srlens.cli import options
from srlens.cli.parsing import writable
from srlens.errors import SettingError


def field_of_view(
    *networks: str,
    images: Annotated[tuple[str, ...], Parameter(consume_multiple=True)] = (),
    side: int = 48,
    places: int = 16,
    size: int = 16,
    chosen: options.ImageVerb = options.ImageVerb(),
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
    side
        LR pixels a side of the squares that the networks are shown.
    places
        Number of squares over which gradients are averaged.
    size
        Side of the hard window in SR pixels.
    """
    from srlens.cli.progress import progress_bars
    from srlens.cli.report import print_fields_of_view
    from srlens.comparison.field_of_view import fields_of_view
    from srlens.extras import polars  # noqa: F401 - tables come last; who lacks it is told before anything is computed
    from srlens.imaging.samples import SAMPLES
    from srlens.records.output import write_fields_of_view

    if not networks:
        raise SettingError("Give at least one network: srlens field-of-view NETWORK…")
    keywords, out = chosen.keywords(), writable(chosen.out)
    opened = chosen.open(*networks)
    given = chosen if images else replace(chosen, hr=True)
    subjects = [given.read(spec, opened, keywords.get("preset")) for spec in images or SAMPLES]
    with progress_bars() as bars:
        fields = fields_of_view(
            opened,
            subjects,
            side=side,
            places=places,
            window_size=size,
            reach=chosen.reach,
            progress=bars.step,
            **keywords,
        )
    print_fields_of_view(fields, write_fields_of_view(fields, out, formats=chosen.formats))
