"""``srlens demo``: the main job on what ships with the package, no download."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from srlens.cli.options import OUT, MethodOptions, method_keywords, parse_window


def demo(
    *,
    window: str | None = None,
    device: str | None = None,
    out: Annotated[Path, Parameter(name=["--out", "-o"])] = OUT,
    method: MethodOptions | None = None,
) -> None:
    """Explain the three shipped networks side by side on a packaged photograph.

    The three share their convolutions; one adds global pooling, one non-local attention. The diffusion index shows
    how much further the latter two look.

    Parameters
    ----------
    window
        TOP,LEFT,SIZE in SR pixels. Without it the hardest window is chosen.
    device
        cpu, cuda, mps; by default the best one there is.
    out
        Output folder.
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

    keywords = method_keywords(method)
    where = parse_window(window) if window is not None else None
    target = choose_device(device)
    networks = [load_default(name, device=target) for name in SHIPPED]
    how = default_degradation(keywords.get("preset"))
    subject = Subject.from_hr(sample_image("pagoda"), networks[0].scale, name="pagoda", degradation=how)
    with progress_bars() as bars:
        comparison = compare(networks, subject, where, progress=bars.step, **keywords)
    files = write_comparison(comparison, out)
    print_comparison(comparison, files)
