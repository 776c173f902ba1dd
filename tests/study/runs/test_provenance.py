"""What whoever repeats a study must know: on the page, in report.json, and in one paragraph for a paper."""

import hashlib
import html
import json
import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

import srlens
from srlens.measures import agreement
from srlens.study import seal, store
from srlens.study.mine import mine
from srlens.study.plan import make_plan
from srlens.study.report.build import build_report
from srlens.study.run import run_study
from srlens.study.schema import study_from
from srlens.study.store import Store
from srlens.study.window_list import write_window_list


@pytest.fixture(scope="module")
def base(tmp_path_factory, write_network, write_picture):
    """A folder with two networks and two pictures."""
    folder = tmp_path_factory.mktemp("mined")
    write_network(folder / "a.pth", 1)
    write_network(folder / "b.pth", 2, mappings=3)
    write_picture(folder / "roof.png", 20)
    write_picture(folder / "wall.png", 110)
    return folder


@pytest.fixture(scope="module")
def mined(base, here):
    """A study at windows that bicubic chose, and the content of its report.json."""
    listed = mine([base / "roof.png", base / "wall.png"], count=4, lr_size=20)
    write_window_list(listed.windows, base / "windows.toml")
    content = {"networks": [{"open": "a.pth"}, {"open": "b.pth"}], "images": {"lr_size": 20}}
    study = study_from({**content, "windows": "windows.toml", "method": {"tolerance": 0.2}}, base=base)
    folder = run_study(study, executor=here, command="srlens study run study.toml").folder
    built = build_report(folder)
    return built, json.loads((folder / "report" / "report.json").read_text(encoding="utf-8"))


def test_the_size_of_the_crop_is_that_of_the_mined_list_unless_the_study_says_another(mined, base):
    content = {"networks": [{"open": "a.pth"}], "windows": "windows.toml"}
    for images, expected in (({}, 20), ({"lr_size": 16}, 16), ({"lr_size": False}, None)):
        plan = make_plan(study_from({**content, "images": images}, base=base))
        assert {job.lr_size for job in plan.jobs} == {expected}
        assert plan.record()["images_given"]["lr_size"] == expected


def test_a_report_shows_itself_in_a_line(mined):
    built, _ = mined
    line = r"BuiltReport \S+report.html: 8 results, 0 missing; findings: (\d\. [\w ]+(; )?){4}"
    assert re.fullmatch(line, repr(built))


def test_all_that_a_repetition_needs_is_told(mined, base):
    built, told = mined
    found = told["provenance"]
    assert [row["network"] for row in found["networks"]] == ["a", "b"]
    digests = [srlens.load_network(base / name, scale=4).digest for name in ("a.pth", "b.pth")]
    assert [row["weights_sha256"] for row in found["networks"]] == digests
    files = {row["picture"]: row["sha256"] for row in found["pictures"]}
    assert files == {n: hashlib.sha256((base / f"{n}.png").read_bytes()).hexdigest() for n in ("roof", "wall")}
    assert sum(row["windows"] for row in found["pictures"]) == 4
    assert found["judges"] == [{"judge": "bicubic", "weights_sha256": None, "compared": False}]
    assert found["mining"] == {"size": 16, "separation": 16, "quantile": 0.25, "lr_size": 20}
    assert found["degradation"]["name"] == "matlab-uint8"
    assert (found["method"]["sigma"], found["method"]["tolerance"]) == (1.2, 0.2)
    assert (found["device"], found["threads"]) == (["cpu"], [found["threads"][0]])
    assert [run["command"] for run in found["runs"]] == ["srlens study run study.toml"]
    assert found["convergence"]["maps"] == 8
    assert found["convergence"]["largest_gap"] == pytest.approx(built.frame["completeness_gap"].max())
    page = built.page.read_text(encoding="utf-8")
    for text in (*digests, *files.values(), "srlens study run study.toml", found["runs"][0]["started"], "max_steps"):
        assert text in page
    for text in (
        "Every map: ×4, LR 20×20, ",
        "PSNR and SSIM: luma of the LR crop's SR image, 8 bits, a border of the scale",
    ):
        assert text in html.unescape(page)


def test_the_paragraph_for_a_paper_holds_every_condition(mined):
    built, told = mined
    words = told["methods"]
    for text in (
        f"srlens {srlens.__version__}", "2 networks at scale ×4", "4 windows of 16×16 SR pixels in 2 pictures",
        "the PSNR (luma) of bicubic (no network that is compared)", "hardest 25 %", "matlab-uint8",
        "20×20 pixels", "σ 1.2", "tolerance 0.2", "Of 8 maps 8 converged", "on the CPU", "PyTorch", "Python", "Holm",
        told["provenance"]["networks"][0]["weights_sha256"][:12],
    ):  # fmt: skip
        assert text in words, text
    assert "\n" not in words
    assert not re.search(r" [,.;]|\.\.|, ,", words)
    assert words in built.page.read_text(encoding="utf-8").replace("&#39;", "'")


def test_what_is_cited_is_what_citation_cff_says(mined):
    told = (Path(__file__).parents[3] / "CITATION.cff").read_text(encoding="utf-8")
    bib = mined[1]["bibtex"]
    page = (Path(__file__).parents[3] / "docs" / "citing.md").read_text(encoding="utf-8")
    for text in re.findall(r"^ *title: \"?(.*?)\"?$|family-names: (\w+)|given-names: (\w+)|arXiv:([\d.]+)", told, re.M):
        assert next(filter(None, text)) in bib
        assert next(filter(None, text)) in page
    assert f"version   = {{{srlens.__version__}}}" in bib
    assert re.findall(r"^@(\w+){", bib, re.M) == ["inproceedings", "software"]
    assert bib.count("{") == bib.count("}")


def test_given_windows_have_no_judge_and_no_run_is_invented(make_study, here):
    folder = run_study(make_study(), executor=here).folder
    (folder / "runs.jsonl").unlink()
    page = build_report(folder).page.read_text(encoding="utf-8")
    told = json.loads((folder / "report" / "report.json").read_text(encoding="utf-8"))
    assert (told["provenance"]["judges"], told["provenance"]["mining"], told["provenance"]["runs"]) == (None, None, [])
    assert "mined" not in told["methods"]
    assert "none: the windows were given" in page
    assert "not recorded" in page


def test_no_file_is_hashed_twice(make_study, here, monkeypatch):
    folder = run_study(make_study(random_weights=True), executor=here).folder
    asked: Counter[Path] = Counter()

    def counted(path: Path) -> bool:
        asked[path] += 1
        return seal.is_whole(path)

    monkeypatch.setattr(store, "is_whole", counted)
    build_report(folder)
    results = {path: count for path, count in asked.items() if path.name != "plan.json"}
    assert len(results) == 2 * 10 + 3  # parts and maps of ten jobs, three pictures
    assert set(results.values()) == {1}


def test_the_area_of_interest_is_that_of_the_maps(make_study, here):
    folder = run_study(make_study(), executor=here).folder
    built, kept = build_report(folder), Store(folder)
    rows = json.loads((folder / "report" / "report.json").read_text(encoding="utf-8"))
    a, b = ([srlens.load(kept.map(job)).map for job in jobs] for jobs in kept.read_plan()["jobs"])
    shared = {row["place"]: row["shared_mass"] for row in rows["windows"]}
    for place, first, second in zip(built.blocks.places, a, b, strict=True):
        assert shared[place] == pytest.approx(1 - agreement.total_variation(first, second))
    (pair,) = rows["pairs"]
    overlaps = [agreement.overlap(first, second) for first, second in zip(a, b, strict=True)]
    assert pair["overlap"] == pytest.approx(sum(overlaps) / 3)
    assert "Area of interest" in built.page.read_text(encoding="utf-8")


def test_the_study_file_of_the_example_is_read(tmp_path):
    example = Path(__file__).parents[3] / "examples" / "three-networks" / "study.toml"
    assert tomllib.loads(example.read_text(encoding="utf-8"))["random_weights"] is True
