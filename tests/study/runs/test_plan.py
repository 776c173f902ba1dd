"""Jobs are named by what their result depends on, and by nothing else."""

import shutil

import pytest

from srlens.errors import StudyError
from srlens.study.plan import make_plan
from srlens.study.schema import study_from


def ids(study):
    return [job.id for job in make_plan(study).jobs]


def test_names_and_places_do_not_count(make_study, study_content, tmp_path):
    before = ids(make_study())
    assert len(set(before)) == 6
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for file in ("a.pth", "b.pth", "roof.png", "wall.png"):
        shutil.copy(tmp_path / file, moved / file)
    renamed = {**study_content, "title": "x", "networks": [{"open": "a.pth", "name": "Z"}, {"open": "b.pth"}]}
    assert ids(study_from(renamed, base=moved)) == before


@pytest.mark.parametrize(
    "change",
    [
        {"method": {"steps": 3}},
        {"method": {"steps": 2, "detector": "intensity"}},
        {"images": {"lr_size": 24}},
        {"images": {"lr_size": 20, "degradation": "pil"}},
        {"output": {"lpips": True}},
    ],
)
def test_every_setting_counts(make_study, change):
    assert not set(ids(make_study())) & set(ids(make_study(**change)))


def test_weights_and_pictures_count_by_content(make_study, tmp_path, write_network):
    before = ids(make_study())
    write_network(tmp_path / "a.pth", 99)
    after = ids(make_study())
    assert not set(before[:3]) & set(after[:3])
    assert before[3:] == after[3:]


def test_networks_share_the_place(make_study):
    plan = make_plan(make_study())
    assert plan.jobs[0].place_id == plan.jobs[3].place_id
    assert plan.jobs[0].place_id != plan.jobs[1].place_id


def test_what_is_missing_is_planned_all_the_same(make_study, tmp_path):
    (tmp_path / "a.pth").unlink()
    (tmp_path / "wall.png").unlink()
    plan = make_plan(make_study())
    assert plan.networks[0].digest.startswith("unavailable")
    assert plan.windows[2].image.digest.startswith("unavailable")
    assert len(plan.jobs) == 6


def test_twins_are_refused(make_study, study_content):
    with pytest.raises(StudyError, match=r"Two networks are called a\."):
        make_plan(make_study(networks=[{"open": "a.pth"}, {"open": "./a.pth"}]))
    with pytest.raises(StudyError, match="listed twice"):
        make_plan(make_study(windows=[study_content["windows"][0]] * 2))
