"""``srlens networks``: what can be opened, what a file is, published checkpoints."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

if TYPE_CHECKING:
    from rich.table import Table

    from srlens.networks.inspect import Inspection

app = App(name="networks", help="What can be opened, what a file is, and published checkpoints.")

_REFUSED = 2  # exit code, as of every other refusal


@app.command(name="list")
def list_networks(*, as_json: Annotated[bool, Parameter(name="--json", negative=())] = False) -> None:
    """Show every network family, the shipped networks and the published checkpoints.

    Parameters
    ----------
    as_json
        Print JSON instead of tables.
    """
    from srlens.networks.listing import listed_families, listed_published, listed_shipped

    shipped, families, published = listed_shipped(), listed_families(), listed_published()
    if as_json:
        _print_json({"shipped": shipped, "families": families, "published": published})
        return
    console = _console()
    console.print(_table("Shipped networks: no download", shipped))
    console.print(
        _table("Families that a checkpoint file may be of; receptive fields of Gu & Dong (2021), Table 1", families)
    )
    console.print(_table("Published checkpoints: srlens networks fetch NAME", published))


@app.command
def inspect(*files: str, as_json: Annotated[bool, Parameter(name="--json", negative=())] = False) -> int:
    """Say what a checkpoint file is: architecture, scale, value range, size, receptive field, hashes.

    A file that cannot be used is refused with the reason, and the next one is looked at; the exit code is then 2.
    Nothing in a file is executed.

    Parameters
    ----------
    files
        Checkpoint files; names of shipped or published networks do as well.
    as_json
        Print JSON instead of tables: a list with one entry a file.
    """
    from rich.markup import escape

    from srlens.errors import SettingError, SrlensError

    if not files:
        raise SettingError("Give at least one file: srlens networks inspect FILE…")
    found: list[dict[str, Any]] = []
    refused = False
    for file in files:
        try:
            inspection = _inspect(file)
        except SrlensError as error:
            refused = True
            found.append({"given": file, "error": type(error).__name__, "message": str(error)})
            if not as_json:
                message = f"[bold red]{escape(file)}:[/] {type(error).__name__}: {escape(str(error))}"
                _console(error=True).print(message, highlight=False, soft_wrap=True)
            continue
        found.append({"given": file, **inspection.as_dict()})
        if not as_json:
            _console().print(_inspection_table(inspection))
    if as_json:
        _print_json(found)
    return _REFUSED if refused else 0


@app.command
def fetch(name: str, *, to: Path | None = None) -> None:
    """Download a published checkpoint, check its hash, and print where it is.

    Parameters
    ----------
    name
        As `srlens networks list` shows it.
    to
        Folder to keep it in; by default the cache, which SRLENS_CACHE moves.
    """
    from srlens.networks.catalog import catalog, file_sha256
    from srlens.networks.catalog import fetch as fetch_checkpoint

    path = fetch_checkpoint(name, to)
    entry = catalog()[name]
    print(path)
    verified = "as published" if entry.sha256 else "no hash was published, so it could not be checked"
    _console(error=True).print(
        f"{path.stat().st_size} bytes, SHA-256 {file_sha256(path)} ({verified}); licence: {entry.licence}; "
        f"from {entry.repository}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


def _inspect(file: str) -> "Inspection":
    from srlens.networks.catalog import fetch, find_entry
    from srlens.networks.inspect import inspect_network
    from srlens.networks.open import open_network

    network = open_network(file)
    entry = find_entry(file)
    if entry is None:
        return inspect_network(network, file)
    return inspect_network(network, None if entry.shipped else fetch(entry.name))


def _inspection_table(found: "Inspection") -> "Table":
    from rich.table import Table

    scales = ", ".join(map(str, found.scales))
    multiple = "" if found.multiple == 1 else f", padded by reflection to a multiple of {found.multiple}"
    published = f"{found.published_as} ({found.published_at})" if found.published_as else "not in the catalogue"
    rows = {
        "architecture": found.family or "unknown",
        "kind": found.kind or "unknown",
        "paper": found.paper or "none known",
        "scale": str(found.scale) if len(found.scales) == 1 else f"{found.scale} (can be set to {scales})",
        "input": f"{found.channels} channel{'' if found.channels == 1 else 's'}: {found.colour}",
        "value range": f"0–{found.value_range:g} (of the bare module; srlens takes 0–1)",
        "parameters": f"{found.parameters:,}",
        "multiply-adds": f"{found.multiply_adds / 1e9:.3g} G for an LR image of {found.cost_height}×{found.cost_width}",
        "LR sides": f"at least {found.minimum} px{multiple}",
        "weights": found.dtype,
        "differentiable": "yes" if found.differentiable else "no",
        "receptive field": found.receptive_field,
        "SHA-256, file": found.file_sha256 or "no file",
        "SHA-256, weights": found.weights_sha256,
        "published as": published,
    }
    table = Table(title=found.file or found.name, title_justify="left", show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in rows.items():
        table.add_row(label, value)
    if found.note:
        table.add_row("note", found.note)
    return table


def _table(title: str, rows: list[dict[str, Any]]) -> "Table":
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for column in rows[0]:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    return table


def _cell(value: Any) -> str:
    from rich.markup import escape

    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return escape(f"{value:.2f}" if isinstance(value, float) else str(value))


def _print_json(content: Any) -> None:
    json.dump(content, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def _console(*, error: bool = False) -> Any:
    from rich.console import Console

    return Console(stderr=error)
