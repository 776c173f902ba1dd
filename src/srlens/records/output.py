"""The files of a comparison, a sweep, fields of view: figures, maps, tables, result.json."""

import os
import re
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any, Literal

from srlens._version import __version__
from srlens.attribution.method import Method
from srlens.comparison.compare import Comparison
from srlens.comparison.compare_methods import MethodComparison
from srlens.comparison.field_of_view import FieldOfView, to_frame
from srlens.comparison.interest import area_of_interest
from srlens.comparison.seeds import SeedComparison
from srlens.comparison.subject import Subject
from srlens.comparison.sweep import Sweep
from srlens.comparison.table import write_frame, write_tables
from srlens.imaging.window import Window
from srlens.records.archive import save, save_json, to_json
from srlens.trust.verification import Verification

Format = Literal["png", "pdf", "svg"]
#: What figures are saved as unless the caller says otherwise.
FORMATS: tuple[Format, ...] = ("png", "pdf")


def write_comparison(
    comparison: Comparison,
    folder: str | os.PathLike[str],
    *,
    style: Literal["default", "paper"] = "default",
    formats: Sequence[Format] = FORMATS,
) -> list[Path]:
    """Write the figure, one map a network (safetensors with its record) and result.json into ``folder``.

    Several networks have a second figure: their area of interest. Bands and frames have one of their own. Maps and
    record are written first, so that no failure to draw costs them. Names tell picture, network, window and the
    settings that are not the method's usual ones, so that another run overwrites none of them; a result.json of another
    run is kept as result-1.json, ….

    Returns:
        The paths written, the figure first, and last what was kept.
    """
    folder, subject, window = Path(folder), comparison.subject, comparison.window
    names = [row.result.network for row in comparison.rows]
    where = _place(window)
    settings = settings_name(comparison.rows[0].result.method)

    def stem(middle: str) -> Path:
        return folder / file_name(subject.name, middle, where, *settings)

    record, interest = comparison.record(), area_of_interest(comparison) if len(names) > 1 else None
    if interest is not None:
        record["area_of_interest"] = interest.record()
    files = []
    for row in comparison.rows:
        path = Path(f"{stem(row.result.network)}.safetensors")
        while path in files:  # names that differ in signs alone
            path = path.with_stem(f"{path.stem}-2")
        save(row.result, path, extra={"image": subject.name, "image_sha256": subject.digest})
        files.append(path)
    files.append(folder / "result.json")
    record = {"srlens": __version__, **record}
    kept = _kept(files[-1], record)
    save_json(record, files[-1])
    figures = draw(comparison, stem(names[0] if interest is None else "comparison"), formats, style=style)
    if interest is not None:
        figures += draw(interest, stem("comparison_interest"), formats)
    figures += _draw_parts(comparison, stem("parts"), formats, style)
    return [*figures, *files, *kept]


def _draw_parts(
    comparison: Comparison, stem: Path, formats: Sequence[Format], style: Literal["default", "paper"]
) -> list[Path]:
    """Write the figure of bands or frames, where the maps have such parts, as many each."""
    from srlens.figures.parts import parts_figure
    from srlens.figures.save import save_figure

    results = [row.result for row in comparison.rows]
    if not all(result.has_parts for result in results) or len({len(result.parts) for result in results}) > 1:
        return []
    return list(save_figure(parts_figure(results, comparison.subject, style=style), stem, formats))


def write_method_comparison(
    comparison: MethodComparison,
    folder: str | os.PathLike[str],
    *,
    style: Literal["default", "paper"] = "default",
    formats: Sequence[Format] = FORMATS,
) -> list[Path]:
    """Write the figure, one map a method, the table (CSV, Parquet) and result.json; as :func:`write_comparison` does.

    Returns:
        The paths written, the figure first, and last what was kept.
    """
    folder, subject, window = Path(folder), comparison.subject, comparison.window
    where = f"t{window.top}_l{window.left}_{window.height}x{window.width}"
    stem = folder / file_name(subject.name, comparison.network.name, where)
    files = []
    for result in comparison.results:
        own = [part for part in settings_name(result.method) if part != result.method.name]
        path = Path(f"{stem}_{file_name(result.method.name, *own)}.safetensors")
        files.append(save(result, path, extra={"image": subject.name, "image_sha256": subject.digest}))
    files += write_frame(comparison.to_frame(), stem.with_name(f"{stem.name}_methods"))
    files.append(folder / "result.json")
    record = {"srlens": __version__, **comparison.record()}
    kept = _kept(files[-1], record)
    save_json(record, files[-1])
    return [*draw(comparison, stem.with_name(f"{stem.name}_methods"), formats, style=style), *files, *kept]


def write_sweep(swept: Sweep, folder: str | os.PathLike[str], *, formats: Sequence[Format] = FORMATS) -> list[Path]:
    """Write the table of a sweep (CSV, Parquet) and its picture into ``folder``; returns the paths, picture first."""
    stem = Path(folder) / f"sweep_{swept.setting}"
    tables = write_frame(swept.to_frame(), stem)
    return [*draw(swept, stem, formats), *tables]


def write_fields_of_view(
    fields: Sequence[FieldOfView], folder: str | os.PathLike[str], *, formats: Sequence[Format] = FORMATS
) -> list[Path]:
    """Write the table of fields of view (CSV, Parquet) and their picture; returns the paths, picture first."""
    stem = Path(folder) / "field-of-view"
    tables = write_frame(to_frame(fields), stem)
    return [*draw(fields, stem, formats), *tables]


def write_verification(
    found: Verification, subject: Subject, folder: str | os.PathLike[str], *, formats: Sequence[Format] = FORMATS
) -> list[Path]:
    """Write trust card, everything that was found (safetensors) and verification.json; returns the paths, card first.

    A verification.json of another run is kept as verification-1.json, …; the other files are named after picture,
    network, window and settings.
    """
    folder, result = Path(folder), found.attribution
    where = _place(result.window)
    stem = folder / file_name(subject.name, result.network, "verification", where, *settings_name(result.method))
    given = {"image": subject.name, "image_sha256": subject.digest, "degradation": subject.degradation}
    record = {"srlens": __version__, **given, **found.record()}
    whole, readable = save(found, stem.with_name(f"{stem.name}.safetensors"), extra=given), folder / "verification.json"
    kept = _kept(readable, record)
    save_json(record, readable)
    return [*draw(found, stem, formats), whole, readable, *kept]


def write_seeds(
    comparison: SeedComparison,
    folder: str | os.PathLike[str],
    *,
    style: Literal["default", "paper"] = "default",
    formats: Sequence[Format] = FORMATS,
) -> list[Path]:
    """Write figure, everything that was found (safetensors), the table and result.json of several seeds.

    A result.json of another run is kept as result-1.json, ….

    Returns:
        The paths written, the figure first, and last what was kept.
    """
    folder, subject, result = Path(folder), comparison.subject, comparison.rows[0].result
    seeds = f"{len(comparison.rows)}-seeds"
    name = file_name(subject.name, result.network, seeds, _place(result.window), *settings_name(result.method))
    given = {"image": subject.name, "image_sha256": subject.digest, "degradation": subject.degradation}
    whole = save(comparison, folder / f"{name}.safetensors", extra=given)
    tables, readable = write_tables(comparison, folder / f"{name}_seeds"), folder / "result.json"
    record = {"srlens": __version__, **comparison.record()}
    kept = _kept(readable, record)
    save_json(record, readable)
    return [*draw(comparison, folder / name, formats, style=style), whole, *tables, readable, *kept]


def draw(result: object, stem: Path, formats: Sequence[Format], **options: Any) -> list[Path]:
    """Write the figure of a result, with options of :func:`srlens.figures.of.figure_of`; returns the paths."""
    from srlens.figures.of import figure_of
    from srlens.figures.save import save_figure

    return list(save_figure(figure_of(result, **options), stem, formats))


def settings_name(method: Method) -> list[str]:
    """The settings that are not the usual ones, as parts of a file name; none for LAM as it comes."""
    own = [f"{key}-{value}" for key, value in method.departures.items() if value is not None]
    return [one for one in (method.name, method.preset, *own) if one not in ("lam", "default")]


def _place(window: Window) -> str:
    return f"t{window.top}_l{window.left}_{window.height}x{window.width}"


def _kept(path: Path, record: Mapping[str, Any]) -> list[Path]:
    """Where a file of that name and of another record is moved, out of the way."""
    if path.exists():
        texts = (path.read_text(encoding="utf-8"), to_json(record, indent=2) + "\n")
        one, other = (re.sub(r'"seconds": [^,\n]*', "", text) for text in texts)  # the same run takes other times
        if one != other:
            names = (path.with_stem(f"{path.stem}-{k}") for k in count(1))
            return [path.rename(next(name for name in names if not name.exists()))]
    return []


def file_name(*parts: str) -> str:
    """Join parts into a file name that every system takes: letters of any script, digits, dot, dash and underscore."""
    return "_".join(re.sub(r"[^\w.-]+", "-", part).strip("-.") or "x" for part in parts)
