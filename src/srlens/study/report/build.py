"""Build the report of a study: one page, its tables as CSV, its figures as PDF."""

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srlens._version import __version__
from srlens.atomic import replacing
from srlens.imaging.check import FAR_OUTSIDE
from srlens.imaging.degrade import GIVEN, reference_name
from srlens.imaging.terms import worded
from srlens.plugins import load_plugins
from srlens.records.archive import save_json
from srlens.study.blocks import INDEX, Blocks, arrange
from srlens.study.interventions import ask, network_rows, told
from srlens.study.interventions import rows as intervention_rows
from srlens.study.report.interest import areas_of_interest
from srlens.study.report.page import citations, methods_paragraph, render_page
from srlens.study.report.pictures import chart_figures, gallery_figures
from srlens.study.report.provenance import CONDITIONS, provenance
from srlens.study.report.tables import reference_row, report_tables, write_csv
from srlens.study.store import Kept, Store
from srlens.study.uncertainty import mean_interval
from srlens.study.verdicts import Findings, judge

if TYPE_CHECKING:
    import polars
    from matplotlib.figure import Figure

_DPI = 200


@dataclass(frozen=True, eq=False, repr=False)
class BuiltReport:
    """What was built.

    Attributes:
        page: the HTML file.
        files: all files, the page first.
        blocks: the results that were compared.
        findings: the verdicts and their statistics.
        frame: every result, one row a job.
        missing: jobs without a result.
        notices: what a reader must know before the numbers, in sentences.
        damaged: files that are not used since they are damaged; resuming the study computes them again.
    """

    page: Path
    files: tuple[Path, ...]
    blocks: Blocks
    findings: Findings
    frame: "polars.DataFrame"
    missing: int
    damaged: tuple[str, ...]
    notices: tuple[str, ...]

    def __repr__(self) -> str:
        answers = "; ".join(f"{one.number}. {one.answer}" for one in self.findings.verdicts)
        return f"BuiltReport {self.page}: {len(self.frame)} results, {self.missing} missing; findings: {answers}"


def build_report(
    folder: str | os.PathLike[str], out: str | os.PathLike[str] | None = None, *, seed: int = 0
) -> BuiltReport:
    """Read the results of a study and report on them; it needs neither networks nor pictures.

    Args:
        folder: of the results.
        out: where to write; ``folder/report`` by default.
        seed: of the permutations.

    Raises:
        PluginError: a plug-in cannot be loaded.
        StudyError: the folder holds no study, or no network has a result at half of the windows.
    """
    load_plugins()
    folder = Path(folder)
    store = Store(folder)
    plan = store.read_plan()
    target = Path(out) if out is not None else folder / "report"
    ids = [job for row in plan["jobs"] for job in row]
    drawn = [job for row in plan.get("random_jobs", ()) for job in row]
    broken = store.damaged([*ids, *drawn], [window["place"] for window in plan["windows"]])
    damaged, kept = tuple(file.relative_to(folder).as_posix() for file in broken), Kept(store, frozenset(broken))
    frame = store.read_parts(ids, kept.damaged)
    blocks = arrange(frame, plan, store.read_parts(drawn, kept.damaged) if drawn else None)
    findings, interest = judge(blocks, seed=seed), areas_of_interest(blocks, kept)
    tables = report_tables(blocks, findings, interest, store.failures([*ids, *drawn]))
    tables |= {"interventions": intervention_rows(ask(blocks, seed=seed)), "map-tests": network_rows(blocks)}
    figures = chart_figures(blocks, findings, plan["scale"])
    figures |= gallery_figures(tables["windows"], blocks, interest, kept, plan["scale"])
    pictures, files = _save_figures(figures, target)
    for name, table in tables.items():
        write_csv(table, target / f"{name}.csv")
        files += [target / f"{name}.csv"] if table else []
    with replacing(target / "jobs.csv") as temporary:
        frame.write_csv(temporary)
    notices = [worded(notice, plan["scale"]) for notice in _notices(plan, frame, damaged)]
    summary = {"srlens": __version__, "title": plan["title"], "seed": seed, "conditions": blocks.conditions, **tables}
    conditions, modelled = provenance(plan, frame, store.runs()), int((~blocks.present).sum())
    bib, shared = citations(__version__), mean_interval(interest.shared, blocks.clusters, plain=True)
    sizes = sorted({f"{height}×{width}" for _, _, height, width in blocks.windows})
    paragraph = methods_paragraph(
        plan["scale"],
        drawn=len(drawn),
        srlens=__version__,
        plan=plan,
        blocks=blocks,
        conditions=conditions,
        sizes=sizes,
        modelled=modelled,
        seed=seed,
    )
    summary |= {"notices": notices, "provenance": conditions, "methods": paragraph, "bibtex": bib}
    summary["area_of_interest"] = {"shared_mass": vars(shared)}
    save_json(summary, target / "report.json")
    html = render_page(
        plan["scale"],
        **summary,
        plan=plan,
        blocks=blocks,
        index=INDEX,
        measures=blocks.known("report"),
        contrast=findings.contrast,
        told=told(blocks),
        tables=tables,
        reference=reference_row(blocks),
        reference_name=reference_name(plan["scale"], [*frame["degradation"].drop_nulls(), GIVEN][0]),
        pictures=pictures,
        results=len(frame),
        modelled=modelled,
        drawn=len(drawn),
        shared=shared,
        planned=len(ids),
    )
    page = target / "report.html"
    with replacing(page) as temporary:
        temporary.write_text(html, encoding="utf-8")
    files = [page, *files, target / "jobs.csv", target / "report.json"]
    return BuiltReport(page, tuple(files), blocks, findings, frame, len(ids) - len(frame), damaged, tuple(notices))


def _notices(plan: dict[str, Any], frame: "polars.DataFrame", damaged: Sequence[str]) -> list[str]:
    """What a reader must know before the numbers."""
    said, own = [], (plan.get("mining") or {}).get("own_judges")
    if own:
        said.append(
            f"The windows were chosen by {', '.join(own)}, which are compared here: they do badly at these windows by "
            "choice, and others look better than they are."
        )
    for name, rows in frame.filter(frame["sr_outside"] > FAR_OUTSIDE).partition_by("network", as_dict=True).items():
        said.append(
            f"{name[0]} diverges: its SR image leaves [0, 1] by more than {FAR_OUTSIDE:g} at {len(rows)} windows. "
            "Neither PSNR nor maps mean much there."
        )
    if rejected := frame.filter(~frame["converged"]).select("network", "place").rows():
        some = ", ".join(f"{network} at {place}" for network, place in rejected[:5]) + ", …" * (len(rejected) > 5)
        said.append(
            f"{len(rejected)} maps did not reach their tolerance, in error or gap, and count as missing: {some}. "
            "jobs.csv names all."
        )
    if damaged:
        said.append(
            f"{len(damaged)} damaged files are not used: {', '.join(damaged)}. `srlens study run --resume` computes "
            "them again."
        )
    for column in CONDITIONS:
        values = frame[column].drop_nulls().value_counts().sort(column).rows()
        if len(values) > 1:
            found = ", ".join(f"{value} ({count})" for value, count in values)
            said.append(f"Results differ in {column}: {found}. Their last digits depend on it.")
    return said


def _save_figures(figures: "dict[str, Figure]", target: Path) -> tuple[dict[str, str], list[Path]]:
    """Write PDF and PNG; the PNG also as text for the page, which needs no file beside it."""
    from srlens.figures.save import save_figure

    pictures, files = {}, []
    for name, figure in figures.items():
        written = save_figure(figure, target / name, ("png", "pdf"), dpi=_DPI)
        pictures[name] = base64.b64encode(written[0].read_bytes()).decode("ascii")
        files += written
    return pictures, files
