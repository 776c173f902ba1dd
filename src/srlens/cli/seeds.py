"""``srlens explain --seeds``: a network that samples, with the noise of several seeds."""

from pathlib import Path
from typing import TYPE_CHECKING

from srlens.cli import options
from srlens.cli.parsing import writable
from srlens.errors import NoAttentionError, SettingError

if TYPE_CHECKING:
    from srlens.networks.network import Network

_STEPS = 20  # of a pipeline's scheduler


def explain_seeds(
    spec: str, image: str, seeds: int, last: int | None, steps: int | None, chosen: options.WindowVerb
) -> None:
    """Explain, write figure and maps, and print what came of it."""
    from srlens.attribution.attention import attention
    from srlens.attribution.seeds import attribute_seeds
    from srlens.cli.progress import progress_bars
    from srlens.cli.report import print_seeds
    from srlens.comparison.hard_window import hardest_window
    from srlens.networks.sampled import last_steps
    from srlens.records.output import write_seeds

    window, keywords, out = chosen.parsed(), chosen.keywords(), writable(chosen.out)
    network = last_steps(_opened(spec, steps, chosen), last)
    subject = chosen.read(image, [network], keywords.get("preset"))
    if window is None:
        window = hardest_window([network.upscale(subject.lr)], subject, size=chosen.size).window
    with progress_bars() as bars:
        step = bars.step(network.name)
        maps = attribute_seeds(network, subject.lr, window, seeds=seeds, progress=step, clean=subject.hr, **keywords)
        try:
            read = [attention(network.seeded(seed), subject.lr, window) for seed in maps.seeds]
        except NoAttentionError:
            read = []
    files = write_seeds(maps, read, subject, out, style=chosen.style, formats=chosen.formats)
    print_seeds(maps, read, files)


def _opened(spec: str, steps: int | None, chosen: options.WindowVerb) -> "Network":
    from srlens.cli.devices import choose_device
    from srlens.networks.pipeline_folder import open_pipeline

    if (Path(spec) / "model_index.json").is_file():
        return open_pipeline(spec, steps=steps if steps is not None else _STEPS).to(choose_device(chosen.device))
    if steps is not None:
        raise SettingError(f"--sampler-steps is of a folder with a diffusers pipeline, which {spec} is not.")
    (network,) = chosen.open(spec)
    return network
