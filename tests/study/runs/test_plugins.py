"""Measures of plug-ins in studies: workers are other processes, and have them too."""

import polars
import pytest

from srlens.study import worker
from srlens.study.plan import make_plan
from srlens.study.report.build import build_report
from srlens.study.run import run_study


@pytest.mark.slow
def test_a_measure_reaches_spawned_workers_results_and_report(plug_in, make_study):
    study = make_study()
    summary = run_study(study, workers=1)
    assert summary.failures == ()
    frame = polars.read_parquet(study.folder / "parts" / "*.parquet")
    assert frame["peak_density"].is_not_null().all()
    built = build_report(study.folder)
    assert "Peak density, mD" in built.page.read_text(encoding="utf-8")
    networks = polars.read_csv(study.folder / "report" / "networks.csv")
    for name in ("A", "B"):
        mean = frame.filter(network=name)["peak_density"].mean()
        assert networks.filter(network=name)["peak_density"].item() == pytest.approx(mean)


def test_a_measure_makes_other_jobs(plug_in, make_study, monkeypatch):
    with_it = make_plan(make_study())
    assert with_it.jobs[0].added == ("peak_density",)
    monkeypatch.setattr("srlens.study.plan.MEASURES", {})
    assert make_plan(make_study()).jobs[0].id != with_it.jobs[0].id


def test_a_worker_without_the_plug_in_says_so(plug_in, make_study, tmp_path, monkeypatch):
    plan = make_plan(make_study())
    monkeypatch.setattr(worker, "MEASURES", {})
    (outcome,) = worker.run_batch(plan.jobs[:1], str(tmp_path / "results"), maps=False)
    assert "lacks the measure(s) peak_density" in outcome.failure.message
    assert not outcome.failure.permanent
