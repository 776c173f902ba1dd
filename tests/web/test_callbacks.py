import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import srlens
from srlens.errors import ImageError, SettingError, SrlensError, WindowError
from srlens.imaging.samples import sample_image
from srlens.records.archive import load
from srlens.web.answers import Answer
from srlens.web.callbacks import Page
from srlens.web.choices import Choices
from srlens.web.limits import Limits
from srlens.web.progress import CancelledError, Step
from srlens.web.results import results_html
from srlens.web.session import Session
from srlens.web.uploads import take_picture

QUICK = Choices(top=96, left=120, networks=("plain",), settings={"steps": 3})


def answer(page: Page, session: Session, choices: Choices) -> Answer:
    *_, last = page.run(session, choices)
    assert isinstance(last, Answer)
    return last


def test_the_page_says_what_the_python_api_says(page: Page, session: Session) -> None:
    page.use_sample(session, "pagoda")
    got = answer(page, session, replace(QUICK, networks=("plain", "channel")))
    lr = srlens.make_lr(sample_image("pagoda"), 4)
    window = srlens.Window(top=96, left=120, height=16, width=16)
    for row, name in zip(got.comparison.rows, ("plain", "channel"), strict=True):
        expected = srlens.attribute(srlens.load_default(name), lr, window, steps=3)
        assert row.result.diffusion_index == expected.diffusion_index
        assert row.psnr_window is not None
    shown = results_html(got.comparison, "default")
    assert f'data-di="{got.comparison.rows[0].result.diffusion_index!r}"' in shown


def test_without_a_window_the_hardest_is_taken_and_told(page: Page, session: Session) -> None:
    page.use_sample(session, "pagoda")
    got = answer(page, session, replace(QUICK, top=None, left=None))
    assert got.choices.window == got.comparison.window
    assert "hardest" in got.comparison.window_choice


def test_a_real_lr_picture(page: Page, session: Session) -> None:
    page.use_sample(session, "hopper")
    assert session.picture is not None
    session.picture = replace(session.picture, image=session.picture.image[:, :40, :48])
    choices = replace(QUICK, is_hr=False, top=100, left=100)
    assert page.sr_size(session, choices) == (160, 192)
    got = answer(page, session, choices)
    assert got.comparison.rows[0].psnr_window is None
    assert "HR unknown" in results_html(got.comparison, "paper")


def test_files_are_those_of_the_last_answer(page: Page, session: Session) -> None:
    page.use_sample(session, "pagoda")
    assert page.files(session) == []
    got = answer(page, session, QUICK)
    names = {file.suffix: file for file in page.files(session)}
    assert set(names) == {".png", ".pdf", ".safetensors", ".json", ".csv", ".parquet", ".tex", ".zip"}
    record = json.loads(names[".json"].read_text())
    result = got.comparison.rows[0].result
    assert record["networks"][0]["diffusion_index"] == result.diffusion_index
    assert (load(names[".safetensors"]).map == result.map).all()
    again = page.files(session)
    assert sorted(again[:-1]) == sorted(again[0].parent.iterdir())
    session.close()
    assert not again[0].exists()


def test_stopping_and_running_again(page: Page, session: Session) -> None:
    page.use_sample(session, "pagoda")
    events = page.run(session, QUICK.but(steps=500))
    assert isinstance(next(events), Step)
    session.cancel.set()
    with pytest.raises(CancelledError):
        list(events)
    assert session.comparison is None
    assert answer(page, session, QUICK).comparison.rows


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"networks": ()}, SettingError, "at least one network"),
        ({"networks": ("plain",) * 7}, SettingError, "at most 6"),
        ({"networks": ("/etc/passwd",)}, SettingError, "choose from its list"),
        ({"networks": ("../../x.pth",)}, SettingError, "choose from its list"),
        ({"top": 250}, WindowError, "outside the SR image"),
        ({"size": 0}, WindowError, "empty"),
        ({"size": 0, "top": None}, WindowError, "at least 1"),
        ({"size": 9999}, WindowError, "up to 256"),
        ({"top": -5}, WindowError, "outside"),
        ({"steps": 10**6}, SettingError, "up to 2187 steps"),
        ({"max_steps": 10**6}, SettingError, "up to 2187 steps"),
        ({"steps": 0}, SettingError, "at least 1"),
        ({"tolerance": 7.0, "steps": None}, SettingError, "between 0 and 1"),
        ({"detector": "best"}, SettingError, "No detector"),
        ({"sigma": 0.5, "path": "linear-black"}, SettingError, "blurred path"),
        ({"sigma": -1.0}, SettingError, "sigma|σ"),
        ({"degradation": "magic"}, SettingError, "degradation"),
    ],
)
def test_what_cannot_be_used_is_named(
    page: Page, session: Session, change: dict[str, object], error: type[SrlensError], words: str
) -> None:
    page.use_sample(session, "pagoda")
    own = {name: value for name, value in change.items() if hasattr(QUICK, name)}
    rest = {name: value for name, value in change.items() if name not in own}
    with pytest.raises(error, match=words):
        list(page.run(session, replace(QUICK, **own).but(**rest)))  # type: ignore[arg-type]


def test_no_picture_yet(page: Page, session: Session) -> None:
    with pytest.raises(ImageError, match="Choose a picture"):
        list(page.run(session, QUICK))


def test_a_large_lr_picture_is_refused_before_it_is_computed(session: Session) -> None:
    page = Page(limits=Limits(lr_pixels=1000))
    page.use_sample(session, "pagoda")
    with pytest.raises(ImageError, match="1000 at most"):
        list(page.run(session, QUICK))


def test_a_refused_picture_changes_nothing(page: Page, session: Session, tmp_path: Path) -> None:
    page.use_sample(session, "pagoda")
    before = session.picture
    srlens.write_image(tmp_path / "wide.png", torch.rand(3, 600, 600))
    with pytest.raises(ImageError, match="600×600 pixels; this page takes"):
        page.use_upload(session, tmp_path / "wide.png", replace(QUICK, is_hr=False))
    with pytest.raises(SettingError, match="at least one network"):
        page.use_sample(session, "hopper", replace(QUICK, networks=()))
    assert session.picture is before


def test_a_grey_and_an_rgba_picture_can_be_explained(
    page: Page, session: Session, hostile_pictures: dict[str, tuple[Path, str | None]]
) -> None:
    for name in ("grey.png", "clear.png", "ink.jpg"):
        session.picture = take_picture(hostile_pictures[name][0], page.limits)
        assert answer(page, session, replace(QUICK, top=20, left=20)).comparison.rows


def test_networks_of_a_folder_and_of_the_user(session: Session, shared: Path, dropped: Path) -> None:
    page = Page(networks=shared / "weights")
    assert {"plain", "imdn-x4.pth", "pan-x2.pth"} <= set(page.names(session))
    page.use_sample(session, "pagoda")
    with pytest.raises(SettingError, match="different scales"):
        page.open(session, ("imdn-x4.pth", "pan-x2.pth"))
    mine = dropped / "pan-x3.pth"
    mine.write_bytes((shared / "weights" / "pan-x3.pth").read_bytes())
    name = page.add_network(session, mine)
    assert name == "own-pan-x3.pth"
    assert page.sr_size(session, replace(QUICK, networks=(name,))) == (255, 255)
    assert name not in page.names(page.sessions.of("another tab"))


def test_a_missing_or_empty_folder_of_networks_is_named(tmp_path: Path) -> None:
    with pytest.raises(SrlensError, match="no folder"):
        Page(networks=tmp_path / "none")
    with pytest.raises(SrlensError, match="holds no network file"):
        Page(networks=tmp_path)


def test_html_escapes_what_comes_from_outside(page: Page, session: Session) -> None:
    page.use_sample(session, "pagoda")
    assert session.picture is not None
    session.picture = replace(session.picture, name='<img src=x onerror="alert(1)">.png')
    plain = page.listed.open("plain")
    session.uploads["<b>.pth"] = replace(plain, name="<script>alert(1)</script>")
    got = answer(page, session, replace(QUICK, picture=session.picture.name, networks=("<b>.pth",)))
    shown = results_html(got.comparison, "default", ["<i>note</i>"])
    assert "<script" not in shown
    assert "<img src=x" not in shown
    assert "<i>note" not in shown


def test_a_network_below_bicubic_is_noted(page: Page, session: Session) -> None:
    page.use_sample(session, "pagoda")
    plain = page.listed.open("plain")
    session.uploads["bad.pth"] = replace(plain, name="bad", value_range=255.0)
    got = answer(page, session, replace(QUICK, networks=("bad.pth",)))
    assert any("bicubic" in note for note in got.notes)


def test_memory_of_a_session_is_counted(page: Page, session: Session) -> None:
    page.use_sample(session, "pagoda")
    assert session.size == 3 * 256 * 256 * torch.float32.itemsize


@pytest.mark.parametrize("method", list(srlens.METHODS))
def test_every_method_runs_on_the_page(page: Page, session: Session, method: str) -> None:
    page.use_sample(session, "pagoda")
    chosen = replace(QUICK, settings={"method": method, "detector": "intensity"})
    chosen = chosen.but(**{"occlusion": {"block": 16}, "causal-effect": {"block": 4, "draws": 5}}.get(method, {}))
    result = answer(page, session, chosen).comparison.rows[0].result
    assert result.method.name == method
    assert result.map.any()


def test_settings_that_a_method_does_not_have_are_named(page: Page, session: Session) -> None:
    page.use_sample(session, "pagoda")
    with pytest.raises(SettingError, match="'steps' is no setting of the method 'occlusion'"):
        list(page.run(session, QUICK.but(method="occlusion")))


def test_more_evaluations_than_the_page_takes_are_refused(page: Page, session: Session) -> None:
    """Occlusion by single pixels would hold the page's one worker for hours."""
    page.use_sample(session, "pagoda")
    with pytest.raises(SettingError, match=r"srlens-plain-x4 would need 4098\. Take larger blocks"):
        list(page.run(session, replace(QUICK, settings={"method": "occlusion", "block": 1})))
    chosen = replace(QUICK, size=64, settings={"method": "occlusion", "block": 1})
    with pytest.raises(SettingError, match="Take larger blocks"):
        list(page.run_field(session, chosen, "plain", stride=64, steps=1))
