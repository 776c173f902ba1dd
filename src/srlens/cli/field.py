"""``srlens field``: the diffusion index over the whole image."""

from srlens.cli.options import FieldVerb
from srlens.cli.parsing import writable


def field(
    network: str, image: str, *, size: int = 16, stride: int | None = None, chosen: FieldVerb = FieldVerb()
) -> None:
    """Map how widely a network looks, window by window, over the whole image.

    Writes a heat map, a Parquet table and a log of finished windows. A run that was cut off goes on from its log when
    it is started again. Path integrals take 12 steps, which all windows share, unless --steps says otherwise (the
    paper: 50); --memory bounds the maps in hand (1GiB): less means more forward passes.

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
    """
    from srlens.attribution.attribute import field_method
    from srlens.cli.progress import progress_bars
    from srlens.cli.report import print_field
    from srlens.extras import polars  # noqa: F401 - tables come last; who lacks it is told before anything is computed
    from srlens.records.field_run import run_field

    keywords, out = chosen.keywords(), writable(chosen.out)
    memory = keywords.pop("memory", 2**30)
    (opened,) = chosen.open(network)
    subject = chosen.read(image, [opened], keywords.get("preset"))
    method, formats = field_method(keywords.pop("method", "lam"), **keywords), chosen.formats
    with progress_bars() as bars:
        step = bars.step(f"field of {opened.name}", unit="window gradients")
        found, files = run_field(
            opened, subject, method, out, size=size, stride=stride, memory=memory, formats=formats, progress=step
        )
    print_field(found, files)
