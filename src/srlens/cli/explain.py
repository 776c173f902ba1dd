"""``srlens explain``: one network, one image, one window."""

from srlens.cli import options


def explain(
    network: str,
    image: str,
    *,
    window: options.WindowOptions = options.WINDOW,
    picture: options.PictureOptions = options.PICTURE,
    opened_as: options.NetworkOptions = options.NETWORK,
    output: options.OutputOptions = options.OUTPUT,
    method: options.MethodOptions = options.METHOD,
) -> None:
    """Show which input pixels one network used for one window of its output.

    Writes the figure, the map (safetensors) and result.json into the output folder.

    Parameters
    ----------
    network
        A checkpoint file, a shipped network (plain, channel, nonlocal) or a published one (srlens networks list).
    image
        The LR image; with --hr the HR image, from which the LR is made. Names of packaged photographs (pagoda,
        hopper) do as well.
    """
    from srlens.cli.progress import progress_bars
    from srlens.cli.report import print_comparison
    from srlens.comparison.compare import compare
    from srlens.records.output import write_comparison

    keywords, where = options.method_keywords(method), window.parsed()
    networks = opened_as.open(network)
    subject = picture.read(image, networks[0].scale, keywords.get("preset"))
    with progress_bars() as bars:
        comparison = compare(networks, subject, where, size=window.size, progress=bars.step, **keywords)
    print_comparison(comparison, write_comparison(comparison, output.out, style=output.style, formats=output.formats))
