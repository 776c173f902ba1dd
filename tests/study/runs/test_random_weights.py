"""Networks with random weights as a reference of finding 3: computed where asked, told beside, never compared."""

import numpy as np
import pytest

from srlens.study.blocks import arrange
from srlens.study.plan import make_plan
from srlens.study.report.build import build_report
from srlens.study.run import run_study
from srlens.study.store import Store
from srlens.study.verdicts import judge


def blocks_of(folder):
    store, plan = Store(folder), Store(folder).read_plan()
    jobs, drawn = ([job for row in plan[key] for job in row] for key in ("jobs", "random_jobs"))
    return arrange(store.read_parts(jobs), plan, store.read_parts(drawn)), store.read_parts(drawn)


def test_they_are_asked_for_and_change_no_other_job(make_study):
    plain, drawn = make_plan(make_study()), make_plan(make_study(random_weights=True))
    assert plain.random_jobs == ()
    assert [job.id for job in plain.jobs] == [job.id for job in drawn.jobs]
    assert len(drawn.random_jobs) == 4  # two networks, the first window of two pictures
    assert len({job.id for job in (*drawn.jobs, *drawn.random_jobs)}) == 10
    assert [job.network.label for job in drawn.random_jobs] == ["A", "A", "B", "B"]


def test_they_are_computed_and_told_beside_the_trained_ones(make_study, here):
    summary = run_study(make_study(random_weights=True), executor=here)
    assert (summary.computed, summary.failures) == (10, ())
    blocks, frame = blocks_of(summary.folder)
    assert np.isfinite(blocks.random).sum() == 4
    assert np.isnan(blocks.random[:, 1]).all()  # the second window of its picture
    assert frame["psnr_image"].null_count() == 4
    stored = {row["weights_sha256"] for row in frame.to_dicts()}
    assert len(stored) == 2
    assert stored.isdisjoint(network["digest"] for network in Store(summary.folder).read_plan()["networks"])
    findings = judge(blocks)
    for label, shares, random in zip(blocks.labels, blocks.values["receptive_field_used"], blocks.random, strict=True):
        use, known = findings.used[label], np.isfinite(random)
        assert use.random.value == pytest.approx(random[known].mean())
        assert use.over_random.value == pytest.approx((shares[known] / random[known]).mean())
    assert "With random weights, as before training, 2 of these networks" in findings.verdicts[2].evidence
    built = build_report(summary.folder)
    page = built.page.read_text(encoding="utf-8")
    assert "Diamonds: the same network with random weights" in page
    assert "6 of 6 results" in page


def test_without_them_the_page_says_how_to_have_them(make_study, here):
    folder = run_study(make_study(), executor=here).folder
    assert "random_weights = true" in build_report(folder).page.read_text(encoding="utf-8")
    assert judge(blocks_of(folder)[0]).used["A"].random is None


def test_a_study_may_gain_them(make_study, here):
    run_study(make_study(), executor=here)
    summary = run_study(make_study(random_weights=True), executor=here, resume=True)
    assert (summary.found, summary.computed) == (6, 4)
