"""A study of denoisers: one noise for all networks, recorded; and a report that speaks of denoising alone."""

import base64
import html
import json
import re

import pytest
import torch
from matplotlib.text import Text
from spandrel.architectures.DnCNN import DnCNN

import srlens
from srlens.comparison.subject import in_grey
from srlens.errors import StudyError
from srlens.imaging.files import read_image, write_image
from srlens.study.mine import mine
from srlens.study.opening import open_planned_subject
from srlens.study.plan import make_plan
from srlens.study.report import build, pictures
from srlens.study.run import run_study
from srlens.study.schema import study_from
from srlens.study.store import Store
from srlens.study.window_list import read_window_list, write_window_list

NOISE = {"degradation": "noise:25", "lr_size": 24}
#: What a report on denoisers has no reason to say.
FOREIGN = re.compile(r"\b(?:LR|HR|SR)\b|×1\b|×4|bicubic|super-?resolution|0\.851|0\.880", re.IGNORECASE)


@pytest.fixture(scope="module")
def base(tmp_path_factory, write_picture):
    """Three pictures, and the windows of each that were mined under seed 3."""
    folder = tmp_path_factory.mktemp("denoising")
    files = [write_picture(folder / f"{name}.png", top, side=96) for name, top in (("a", 20), ("b", 110), ("c", 200))]
    write_window_list(
        mine(files, scale=1, count=3, lr_size=24, degradation="noise:25", seed=3).windows, folder / "w.toml"
    )
    return folder


def study(base, networks=("denoise-plain", "denoise-nonlocal"), seed=3, **changes):
    content = {
        "title": "Denoisers",
        "scale": 1,
        "networks": [{"open": name} for name in networks],
        "windows": "w.toml",
        "images": {**NOISE, "seed": seed},
        "method": {"steps": 2},
        "verification": {"reach": True},
    }
    return study_from({**content, **changes}, base=base)


def given(image="a.png", **images):
    """Settings of a study of one window that nobody mined."""
    return {"windows": [{"image": image, "top": 40, "left": 40}], "images": {**NOISE, **images}}


@pytest.fixture(scope="module")
def reported(base, here):
    """The report of that study, and every text in its figures."""
    words: list[str] = []

    def read(figures):
        words.extend(text.get_text() for figure in figures.values() for text in figure.findobj(Text))
        return figures

    with pytest.MonkeyPatch.context() as patch:
        for name in ("chart_figures", "gallery_figures"):
            drawn = getattr(pictures, name)
            patch.setattr(build, name, lambda *given, drawn=drawn: read(drawn(*given)))
        patch.setattr(base64, "b64encode", lambda _: b"")  # else a picture's bytes are taken for words
        folder = run_study(study(base), executor=here, command="srlens study run s.toml").folder
        return build.build_report(folder), words


def test_the_report_speaks_of_denoising_alone(reported):
    built, words = reported
    page = html.unescape(built.page.read_text(encoding="utf-8"))
    own, cited = page.split("<pre>")
    assert "Super-Resolution" in cited  # the title of the paper
    texts = [own, *words, *(file.read_text(encoding="utf-8") for file in built.files if file.suffix == ".csv")]
    report = json.loads((built.page.parent / "report.json").read_text(encoding="utf-8"))
    texts.append(json.dumps({**report, "bibtex": None}, ensure_ascii=False))
    found = {
        match.group(): text[max(0, match.start() - 60) : match.end() + 30]
        for text in texts
        for match in FOREIGN.finditer(text)
    }
    assert not found
    for text in (
        "noise:25: white Gaussian noise", "seed 3 for every picture", "noisy picture", "a Gaussian filter (σ 1 px)",
        "Every map: input 24×24", "scale 1", "undo noise:25",
        "PSNR and SSIM: RGB of the input crop's output image, 8 bits.",
    ):  # fmt: skip
        assert text in page, text


def test_two_networks_cannot_decide_and_this_is_said(reported):
    first, *_ = reported[0].findings.verdicts
    assert first.answer == "cannot be decided"
    assert "fewer than 3 networks" in first.evidence
    assert "n = 2 networks" in first.evidence


def test_conditions_are_recorded(reported):
    built, _ = reported
    report = json.loads((built.page.parent / "report.json").read_text(encoding="utf-8"))
    made = report["provenance"]["degradation"]
    assert (made["name"], made["seed"], report["provenance"]["grey"]) == ("noise:25", 3, False)
    assert "noise:25 (white Gaussian noise, in float32, not clipped to [0, 1]) with seed 3" in report["methods"]
    plan = Store(built.page.parents[1]).read_plan()
    assert plan["reading"] == {"degradation": "noise:25", "seed": 3}
    assert built.frame["degradation_seed"].to_list() == [3] * 6


def test_one_seed_is_one_noise_for_all_networks(base):
    plan = make_plan(study(base))
    assert len({job.place_id for job in plan.jobs}) == len(plan.windows)
    job = plan.jobs[0]
    subjects = {one.reading.seed: open_planned_subject(job.image, 1, one.reading) for one in plan.jobs}
    expected = srlens.degrade(read_image(job.image.spec), "noise:25", seed=3)
    assert set(subjects) == {3}
    assert torch.equal(subjects[3].lr, expected)
    other = make_plan(study(base, **given(seed=1))).reading
    assert not torch.equal(open_planned_subject(job.image, 1, other).lr, expected)


@pytest.mark.parametrize(("degradation", "counts"), [("noise:25", True), ("jpeg:10", False)])
def test_a_seed_counts_where_random_numbers_are_drawn(base, degradation, counts):
    first, second = (make_plan(study(base, **given(degradation=degradation, seed=seed))) for seed in (0, 1))
    assert (first.jobs[0].id != second.jobs[0].id) is counts
    assert (first.jobs[0].place_id != second.jobs[0].place_id) is counts
    assert ("seed" in first.record()["reading"]) is counts


def test_another_seed_than_that_of_mining_is_refused(base):
    with pytest.raises(StudyError, match=r"mined with seed 3, but the study has seed 0. Mine again with --seed 0"):
        make_plan(study(base, seed=0))


def test_lists_keep_the_seed_and_those_without_have_seed_0(base, tmp_path):
    listed = read_window_list(base / "w.toml")
    assert listed.seed == 3
    text = (base / "w.toml").read_text(encoding="utf-8")
    (tmp_path / "old.toml").write_text(text.replace("seed = 3\n", ""), encoding="utf-8")
    assert read_window_list(tmp_path / "old.toml").seed == 0
    (tmp_path / "jpeg.toml").write_text(text.replace("noise:25", "jpeg:10"), encoding="utf-8")
    assert read_window_list(tmp_path / "jpeg.toml").seed is None


def test_windows_in_noise_are_hard_by_texture_and_not_by_chance(tmp_path):
    """One half is flat, the other has fine texture; noise is as strong in both."""
    picture = torch.full((3, 96, 192), 0.5)
    picture[..., 96:] += 0.4 * torch.rand(1, 96, 96) - 0.2
    write_image(tmp_path / "halves.png", picture)
    found = mine([tmp_path / "halves.png"], scale=1, count=8, lr_size=64, degradation="noise:25", separation=0).windows
    assert found.judges == "a Gaussian filter (σ 1 px)"
    assert all(one.window.left >= 88 for one in found.windows)


def write_grey(path):
    module = DnCNN(in_nc=1, out_nc=1, nc=4, nb=8, act_mode="R")
    torch.save(module.state_dict(), path)


def test_colour_becomes_grey_before_noise_where_all_networks_are_grey(base, tmp_path):
    for name in ("one", "two"):
        write_grey(tmp_path / f"{name}.pth")
    names = [str(tmp_path / f"{name}.pth") for name in ("one", "two")]
    plan = make_plan(study(base, names, **given()))
    assert plan.record()["reading"] == {"degradation": "noise:25", "seed": 0, "grey": True}
    subject = open_planned_subject(plan.jobs[0].image, 1, plan.reading)
    clean = in_grey(read_image(base / "a.png"))
    assert torch.equal(subject.lr, srlens.degrade(clean, "noise:25"))
    with pytest.raises(StudyError, match=r"w.toml was mined on pictures in colour.* Mine again with --grey"):
        make_plan(study(base, names))
    in_list = mine([base / "a.png"], scale=1, count=1, lr_size=24, degradation="noise:25", seed=3, grey=True).windows
    write_window_list(in_list, base / "grey.toml")
    assert make_plan(study(base, names, windows="grey.toml")).windows[0].psnr == in_list.windows[0].psnr
    with pytest.raises(StudyError, match=r"mined on pictures in grey.* Mine again without --grey"):
        make_plan(study(base, windows="grey.toml"))


def test_grey_and_colour_networks_are_not_compared(base, tmp_path):
    write_grey(tmp_path / "grey.pth")
    with pytest.raises(StudyError, match=r"grey restore grey pictures, denoise-plain others.* Make a study of each"):
        make_plan(study(base, [str(tmp_path / "grey.pth"), "denoise-plain"], **given()))
