"""Whatever happens to stored files: it is found and named, and the results end as those of an undisturbed run."""

import random
import shutil

import pytest

from srlens.errors import StudyError
from srlens.study import worker
from srlens.study.plan import make_plan
from srlens.study.report.build import build_report
from srlens.study.run import run_study
from srlens.study.seal import is_whole
from srlens.study.store import Store


@pytest.fixture
def stored(make_study, here):
    """The folder of a whole run."""
    return run_study(make_study(), executor=here).folder


def results(folder):
    return sorted([*folder.glob("parts/*"), *folder.glob("maps/*"), *folder.glob("places/*")])


def flip(file, chance):
    content = bytearray(file.read_bytes())
    bit = chance.randrange(8 * len(content))
    content[bit // 8] ^= 1 << bit % 8
    file.write_bytes(content)


@pytest.mark.slow
def test_200_flipped_bits_in_parts_and_maps_are_found_and_healed(stored, make_study, here, stored_bytes):
    undisturbed, chance, flips = stored_bytes(stored), random.Random(8), 0
    ids = [job.id for job in make_plan(make_study()).jobs]
    while flips < 200:
        hurt = chance.sample([file for file in results(stored) if file.parent.name != "places"], 10)
        for file in hurt:
            flip(file, chance)
            assert not is_whole(file)
        flips += len(hurt)
        parts = {file.stem for file in hurt if file.parent.name == "parts"}
        assert set(Store(stored).read_parts(ids)["job"]) == set(ids) - parts
        summary = run_study(make_study(), executor=here, resume=True)
        assert set(summary.damaged) == set(hurt)
        assert summary.computed == len({file.stem for file in hurt})
        assert stored_bytes(stored) == undisturbed


@pytest.mark.parametrize("kind", ["parts", "maps", "places"])
@pytest.mark.parametrize("harm", ["flip", "cut", "empty", "swap", "end", "zeros"])
def test_damage_of_every_kind_is_named_and_healed(stored, make_study, here, stored_bytes, kind, harm):
    undisturbed = stored_bytes(stored)
    victim, other, *_ = sorted(stored.glob(f"{kind}/*"))
    content = victim.read_bytes()
    if harm == "flip":
        flip(victim, random.Random(1))
    elif harm == "swap":
        shutil.copy(other, victim)
    else:
        changed = {
            "cut": content[: len(content) // 2],
            "empty": b"",
            "end": content + b"\n",
            "zeros": bytes(len(content)),
        }
        victim.write_bytes(changed[harm])
    built = build_report(stored)
    name = f"{kind}/{victim.name}"
    assert name in built.damaged
    assert name in built.page.read_text(encoding="utf-8")
    assert built.missing == (kind == "parts")
    summary = run_study(make_study(), executor=here, resume=True)
    assert summary.damaged == (victim,)
    assert stored_bytes(stored) == undisturbed
    assert build_report(stored).damaged == ()


def test_a_damaged_plan_is_no_plan_until_the_study_goes_on(stored, make_study, here):
    plan = stored / "plan.json"
    good = plan.read_bytes()
    plan.write_bytes(good.replace(b'"top"', b'"tap"').replace(b"40", b"41"))
    with pytest.raises(StudyError, match="damaged or of another version"):
        build_report(stored)
    assert run_study(make_study(), executor=here, resume=True).computed == 0
    assert plan.read_bytes() == good


def test_a_part_that_polars_panics_at_is_left_out(stored, make_study, monkeypatch):
    import polars

    real, first = polars.scan_parquet, min(stored.glob("parts/*"))

    def scan(files, **options):
        if first in files:
            raise polars.exceptions.PanicException("index out of bounds")
        return real(files, **options)

    monkeypatch.setattr(polars, "scan_parquet", scan)
    assert len(Store(stored).read_parts([job.id for job in make_plan(make_study()).jobs])) == 5


def test_the_same_weights_under_two_names_are_refused(make_study, tmp_path):
    import torch

    shutil.copy(tmp_path / "a.pth", tmp_path / "copy.pth")
    torch.save({"params": torch.load(tmp_path / "a.pth")}, tmp_path / "saved-anew.pth")
    for twin in ("copy", "saved-anew"):
        with pytest.raises(StudyError, match=rf"A and {twin} are one network"):
            make_plan(make_study(networks=[{"open": "a.pth", "name": "A"}, {"open": "b.pth"}, {"open": f"{twin}.pth"}]))


def test_the_same_picture_under_two_names_is_refused(make_study, study_content, tmp_path):
    shutil.copy(tmp_path / "roof.png", tmp_path / "copy.png")
    with pytest.raises(StudyError, match="listed twice"):
        make_plan(make_study(windows=[*study_content["windows"], {**study_content["windows"][0], "image": "copy.png"}]))


@pytest.mark.parametrize("resume", [False, True])
def test_another_study_in_the_folder_is_refused_and_kept(stored, make_study, here, stored_bytes, resume):
    undisturbed, plan = stored_bytes(stored), (stored / "plan.json").read_bytes()
    other = make_study(title="Other", method={"steps": 3})
    with pytest.raises(StudyError, match=r"of another study, 'Two at three': steps 2 there, 3 here\. .*another folder"):
        run_study(other, executor=here, resume=resume)
    assert (stored_bytes(stored), (stored / "plan.json").read_bytes()) == (undisturbed, plan)


@pytest.mark.parametrize("kind", ["part", "map"])
@pytest.mark.parametrize("gone", ["b.pth", "wall.png"])
def test_results_outlive_the_file_that_they_are_of(stored, make_study, here, stored_bytes, tmp_path, gone, kind):
    undisturbed = stored_bytes(stored)
    (tmp_path / gone).rename(tmp_path / "away")
    again = run_study(make_study(), executor=here, resume=True)
    assert (again.found, again.computed, again.failures) == (6, 0, ())
    assert len(build_report(stored).frame) == 6
    hurt = getattr(Store(stored), kind)(make_plan(make_study()).recalling(Store(stored).read_plan()).jobs[-1].id)
    hurt.write_bytes(b"")
    for kept in (worker._kept.network, worker._kept.subject):  # as in a process that starts anew
        kept.cache_clear()
    again = run_study(make_study(), executor=here, resume=True)
    assert (again.found, len(again.failures)) == (5, 1)
    assert gone in again.failures[0].message
    (tmp_path / "away").rename(tmp_path / gone)
    assert run_study(make_study(), executor=here, resume=True).computed == 1
    assert stored_bytes(stored) == undisturbed
