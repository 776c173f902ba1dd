"""``srlens networks``: what can be opened, what a file is, published checkpoints."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from srlens.cli.console import TABLES, console, say, table
from srlens.cli.parsing import named, writable
from srlens.imaging.terms import worded

if TYPE_CHECKING:
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

    tables = {"shipped": listed_shipped(), "families": listed_families(), "published": listed_published()}
    if as_json:
        print(json.dumps(tables, indent=2))
        return
    for name, shown in TABLES["networks"].items():
        rows = [[_cell(row[column]) for column in shown["columns"]] for row in tables[name]]
        _print_table(shown["title"], rows, list(shown["columns"].values()))


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
                say(f"{file}: {type(error).__name__}: {error}", error=True, style="red")
            continue
        found.append({"given": file, **inspection.as_dict()})
        if not as_json:
            _print_table(inspection.file or inspection.name, _described(inspection).items())
    if as_json:
        print(json.dumps(found, indent=2))
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

    path = fetch_checkpoint(name, writable(to, "--to") if to is not None else None)
    entry = catalog()[name]
    print(path)
    verified = "as published" if entry.sha256 else "no hash was published, so it could not be checked"
    say(
        f"{path.stat().st_size} bytes, SHA-256 {file_sha256(path)} ({verified}); licence: {entry.licence}; "
        f"from {entry.repository}",
        error=True,
    )


def _inspect(file: str) -> "Inspection":
    from srlens.networks.catalog import fetch, find_entry
    from srlens.networks.inspect import inspect_network
    from srlens.networks.open import fetched, open_network

    name, file = named(file)
    network = open_network(file, name=name)
    entry = find_entry(file)
    if entry is None:
        origin = fetched(file)  # from the cache, the second time
        return inspect_network(network, file if origin is None else origin.path)
    return inspect_network(network, None if entry.shipped else fetch(entry.name))


def _described(found: "Inspection") -> dict[str, str]:
    """What is known of a network, in words."""
    scales = ", ".join(map(str, found.scales))
    multiple = "" if found.multiple == 1 else f", padded by reflection to a multiple of {found.multiple}"
    published = f"{found.published_as} ({found.published_at})" if found.published_as else "not in the catalogue"
    return {
        "architecture": found.family or "unknown",
        "kind": found.kind or "unknown",
        "paper": found.paper or "none known",
        "scale": str(found.scale) if len(found.scales) == 1 else f"{found.scale} (can be set to {scales})",
        "input": f"{found.channels} channel{'' if found.channels == 1 else 's'}: {found.colour}",
        "value range": f"0–{found.value_range:g} (of the bare module; srlens takes 0–1)",
        "parameters": f"{found.parameters:,}",
        "multiply-adds": worded(
            f"{found.multiply_adds / 1e9:.3g} G for an LR image of {found.cost_height}×{found.cost_width}", found.scale
        ),
        worded("LR sides", found.scale): f"at least {found.minimum} px{multiple}",
        "weights": found.dtype,
        "differentiable": "yes" if found.differentiable else "no",
        "receptive field": found.receptive_field,
        "SHA-256, file": found.file_sha256 or "no file",
        "SHA-256, weights": found.weights_sha256,
        "published as": published,
        **({"note": found.note} if found.note else {}),
    }


def _print_table(title: str, rows: Iterable[Iterable[str]], headings: Sequence[str] = ("", "")) -> None:
    """A table whose first column is never broken."""
    shown = table(title, show_header=any(headings))
    for heading in headings:
        shown.add_column(heading, overflow="fold")
    for row in rows:
        shown.add_row(*row)
    shown.columns[0].no_wrap = True
    console().print(shown)


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)
