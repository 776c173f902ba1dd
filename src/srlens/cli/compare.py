"""``srlens explain``, ``compare``: one window by one or several networks, on shared scales."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from srlens.cli import options
from srlens.cli.parsing import writable
from srlens.cli.seeds import explain_seeds
from srlens.errors import SettingError

if TYPE_CHECKING:
    from srlens.comparison.compare import Comparison
    from srlens.networks.network import Network


def explain(
    network: str,
    image: str,
    *,
    seeds: int | None = None,
    last: int | None = None,
    sampler_steps: int | None = None,
    chosen: options.WindowVerb = options.WindowVerb(),
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
    seeds
        Of a network that samples: explain with the noise of so many seeds, and show their mean, their spread and where
        they agree, beside the network's attention where it has any.
    last
        With --seeds: the gradient goes through so many last steps of the sampler only.
    sampler_steps
        With --seeds, of a folder with a diffusers pipeline: how many steps its scheduler takes (20).
    """
    if seeds is not None:
        if chosen.sampler_seed is not None:
            raise SettingError("--seeds counts the seeds of the noise from 0; --sampler-seed is one: give one of them.")
        explain_seeds(network, image, seeds, last, sampler_steps, chosen)
    elif last is not None or sampler_steps is not None:
        raise SettingError("--last and --sampler-steps are of sampled networks; add --seeds, e.g. --seeds 4.")
    else:
        compared([network], image, chosen)


def compare(
    *inputs: str,
    sort: str | None = None,
    sweep: Literal["sigma", "steps", "window", "kernel"] | None = None,
    values: Annotated[tuple[float, ...] | None, Parameter(consume_multiple=True)] = None,
    methods: str | None = None,
    chosen: options.WindowVerb = options.WindowVerb(),
) -> None:
    """Show side by side which input pixels several networks used for one window.

    Writes the figure, the area of interest (what all use, what the better ones use more), one map a network
    (safetensors), the table (CSV, Parquet, LaTeX) and result.json; with --sweep also its picture and table.

    Parameters
    ----------
    inputs
        NETWORK… IMAGE: checkpoint files, shipped or published networks, and last the image (LR, or HR with --hr).
    sort
        Order of the rows by a measure: di, pixels, area, psnr, psnr-image, gap, error, name, …; the order given by
        default.
    sweep
        Also vary one setting (σ and kernel in LR pixels, the window's side in SR pixels) and say whether the order of
        the networks changes with it.
    values
        Of the swept setting; sensible ones by default.
    methods
        Compare methods instead of networks, by one network: their names, separated by commas, e.g.
        lam,ig-black,linear-blur,gradient,gradient-input,occlusion,causal-effect. Settings go to those that have them.
    """
    from srlens.cli.progress import progress_bars
    from srlens.cli.report import print_sweep
    from srlens.comparison.sweep import sweep as run_sweep
    from srlens.comparison.table import sort_key
    from srlens.extras import polars  # noqa: F401 - tables come last; who lacks it is told before anything is computed
    from srlens.records.output import write_sweep

    if len(inputs) < 2:
        raise SettingError(f"Give at least one network and, last, the image; got {len(inputs)} arguments.")
    if values is not None and sweep is None:
        raise SettingError("--values are those of a swept setting; add --sweep sigma, steps, window or kernel.")
    if methods is not None:
        if len(inputs) != 2 or sort is not None or sweep is not None or "method" in chosen.keywords():
            raise SettingError("--methods takes one network and the image, without --sort, --sweep and --method.")
        _compared_methods(inputs[0], inputs[1], methods.split(","), chosen)
        return
    if sort is not None:
        sort_key(sort)  # a misspelt one is refused before anything is computed
    networks, comparison = compared(inputs[:-1], inputs[-1], chosen, sort, tables=True)
    if sweep is not None:
        with progress_bars() as bars:
            step, given = bars.step(f"sweep of {sweep}", unit="maps"), chosen.keywords()
            swept = run_sweep(networks, comparison.subject, comparison.window, sweep, values, progress=step, **given)
        print_sweep(swept, write_sweep(swept, chosen.out, formats=chosen.formats))


def _compared_methods(spec: str, image: str, methods: Sequence[str], chosen: options.WindowVerb) -> None:
    """Compare methods, write figure, maps, table and record, and print what came of it."""
    from srlens.cli.progress import progress_bars
    from srlens.cli.report import print_method_comparison
    from srlens.comparison.compare_methods import compare_methods
    from srlens.records.output import write_method_comparison

    where, keywords, out = chosen.parsed(), chosen.keywords(), writable(chosen.out)
    (network,) = chosen.open(spec)
    subject = chosen.read(image, [network], keywords.get("preset"))
    with progress_bars() as bars:
        found = compare_methods(network, subject, where, methods, size=chosen.size, progress=bars.step, **keywords)
    files = write_method_comparison(found, out, style=chosen.style, formats=chosen.formats)
    print_method_comparison(found, files)


def compared(
    specs: Sequence[str], image: str, chosen: options.WindowVerb, sort: str | None = None, *, tables: bool = False
) -> "tuple[list[Network], Comparison]":
    """Compare, write figures, maps and record (and tables), and print what came of it."""
    from srlens.cli.progress import progress_bars
    from srlens.cli.report import print_comparison
    from srlens.comparison.compare import compare as run
    from srlens.comparison.table import sort_rows, write_tables
    from srlens.records.output import write_comparison

    where, keywords, out = chosen.parsed(), chosen.keywords(), writable(chosen.out)
    networks = chosen.open(*specs)
    subject = chosen.read(image, networks, keywords.get("preset"))
    with progress_bars() as bars:
        comparison = run(networks, subject, where, size=chosen.size, reach=chosen.reach, progress=bars.step, **keywords)
    comparison = replace(comparison, rows=sort_rows(comparison.rows, sort))
    written = write_tables(comparison, out / "comparison") if tables else []  # before figures, whose failure costs none
    files = write_comparison(comparison, out, style=chosen.style, formats=chosen.formats)
    print_comparison(comparison, files + written)
    return networks, comparison
