"""What a reader must know first: one digest a network, mixed conditions, diverging networks, crops that coincide."""

import json

import numpy as np
import pytest

import srlens
from srlens.study.blocks import arrange
from srlens.study.mine import mine
from srlens.study.plan import make_plan
from srlens.study.report.build import build_report
from srlens.study.report.tables import network_rows
from srlens.study.run import run_study
from srlens.study.store import Store


@pytest.fixture
def stored(make_study, here):
    return Store(run_study(make_study(), executor=here).folder)


def rows_of(store):
    plan = store.read_plan()
    return store.read_parts([job for row in plan["jobs"] for job in row]).to_dicts()


def test_one_digest_joins_judges_plan_parts_and_maps(stored, tmp_path):
    network = srlens.load_network(tmp_path / "a.pth", scale=4)
    assert mine([tmp_path / "roof.png"], [network], count=1, lr_size=24).windows.networks == (("a", network.digest),)
    assert json.loads(stored.plan.read_text())["networks"][0]["digest"] == network.digest
    rows = [row for row in rows_of(stored) if row["network"] == "A"]
    assert {row["weights_sha256"] for row in rows} == {network.digest}
    assert {srlens.load(stored.map(row["job"])).network_digest for row in rows} == {network.digest}


@pytest.mark.parametrize(("column", "other"), [("device", "cuda"), ("threads", 7), ("torch", "2.0"), ("srlens", "0.0")])
def test_rows_of_other_conditions_are_flagged(stored, column, other):
    assert build_report(stored.folder).notices == ()
    row = rows_of(stored)[0]
    stored.write_part({**row, column: other})
    (notice,) = build_report(stored.folder).notices
    assert f"Results differ in {column}: " in notice
    assert f"{other} (1)" in notice
    assert json.loads((stored.folder / "report" / "report.json").read_text())["notices"] == [notice]


def test_a_diverging_network_is_said_to_diverge_and_not_blamed_on_its_range(stored):
    for row in rows_of(stored):
        if row["network"] == "B":
            stored.write_part({**row, "sr_outside": 3e16, "psnr_image": 3.0})
    built = build_report(stored.folder)
    assert built.notices == (
        "B diverges: its SR image leaves [0, 1] by more than 10 at 3 windows. Neither PSNR nor maps mean much there.",
    )
    assert "B scores below doing nothing" not in built.page.read_text()


def test_crops_that_coincide_count_once(make_study, here):
    """Two windows of one picture that is shown whole, and one of another."""
    folder = run_study(make_study(images={"lr_size": False}), executor=here).folder
    store, plan = Store(folder), Store(folder).read_plan()
    blocks = arrange(store.read_parts([job for row in plan["jobs"] for job in row]), plan)
    values = blocks.values["psnr_image"]
    assert values[0, 0] == values[0, 1]
    assert np.isnan(blocks.once("psnr_image")[:, 1]).all()
    assert not np.isnan(blocks.once("psnr_window")).any()
    row = next(row for row in network_rows(blocks) if row["network"] == blocks.labels[0])
    assert row["psnr_image"] == pytest.approx((values[0, 0] + values[0, 2]) / 2)
    assert make_plan(make_study()).jobs[0].id not in plan["jobs"][0]
