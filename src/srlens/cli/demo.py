"""``srlens demo``: the main job on the shipped networks and photograph."""

from srlens.cli import options


def demo(
    *,
    device: str | None = None,
    window: options.WindowOptions = options.WINDOW,
    output: options.OutputOptions = options.OUTPUT,
    method: options.MethodOptions = options.METHOD,
) -> None:
    """Explain the three shipped networks side by side on a packaged photograph; nothing is downloaded.

    The three share their convolutions; one adds global pooling, one non-local attention. The diffusion index shows
    how much further the latter two look.

    Parameters
    ----------
    device
        cpu, cuda, cuda:1, mps; by default the best one there is.
    """
    from srlens.cli.devices import choose_device
    from srlens.cli.progress import progress_bars
    from srlens.cli.report import print_comparison
    from srlens.comparison.compare import compare
    from srlens.comparison.subject import Subject
    from srlens.imaging.degrade import default_degradation
    from srlens.imaging.samples import sample_image
    from srlens.networks.catalog import SHIPPED
    from srlens.networks.open import load_default
    from srlens.records.output import write_comparison

    keywords, where = options.method_keywords(method), window.parsed()
    target = choose_device(device)
    networks = [load_default(name, device=target) for name in SHIPPED]
    how = default_degradation(keywords.get("preset"))
    subject = Subject.from_hr(sample_image("pagoda"), networks[0].scale, name="pagoda", degradation=how)
    with progress_bars() as bars:
        comparison = compare(networks, subject, where, size=window.size, progress=bars.step, **keywords)
    print_comparison(comparison, write_comparison(comparison, output.out, style=output.style, formats=output.formats))
