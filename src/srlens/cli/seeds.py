"""``srlens explain --seeds``: a network that samples, with the noise of several seeds."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from srlens.cli import options
from srlens.cli.parsing import writable
from srlens.errors import SettingError

if TYPE_CHECKING:
    from srlens.networks.network import Network

_STEPS = 20  # of a pipeline's scheduler


def explain_seeds(
    spec: str, image: str, seeds: int, last: int | None, steps: int | None, chosen: options.WindowVerb
) -> None:
    """Explain, write figure, maps and tables, and print what came of it."""
    from srlens.cli.progress import progress_bars
    from srlens.cli.report import print_seeds
    from srlens.comparison.seeds import compare_seeds
    from srlens.extras import polars  # noqa: F401 - tables come last; who lacks it is told before anything is computed
    from srlens.networks.sampled import last_steps
    from srlens.records.output import write_seeds

    window, keywords, out = chosen.parsed(), chosen.keywords(), writable(chosen.out)
    network = last_steps(_opened(spec, steps, chosen), last)
    subject = chosen.read(image, [network], keywords.get("preset"))
    asked: dict[str, Any] = {"seeds": seeds, "size": chosen.size, "reach": chosen.reach}
    with progress_bars() as bars:
        found = compare_seeds(network, subject, window, progress=bars.step, **asked, **keywords)
    print_seeds(found, write_seeds(found, out, style=chosen.style, formats=chosen.formats))


def _opened(spec: str, steps: int | None, chosen: options.WindowVerb) -> "Network":
    from srlens.cli.devices import choose_device
    from srlens.networks.pipeline_folder import open_pipeline

    if (Path(spec) / "model_index.json").is_file():
        return open_pipeline(spec, steps=steps if steps is not None else _STEPS).to(choose_device(chosen.device))
    if steps is not None:
        raise SettingError(f"--sampler-steps is of a folder with a diffusers pipeline, which {spec} is not.")
    (network,) = chosen.open(spec)
    return network
