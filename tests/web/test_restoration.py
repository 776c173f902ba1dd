"""The page with a network that keeps the size: the degraded picture is shown, and the same is computed."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from spandrel.architectures.DnCNN import DnCNN

import srlens
from srlens.errors import SettingError
from srlens.imaging.colour import full_range, luma
from srlens.imaging.degrade import DEGRADATIONS
from srlens.imaging.samples import sample_image
from srlens.web.answers import Answer
from srlens.web.callbacks import Page
from srlens.web.choices import Choices, with_level
from srlens.web.results import results_html
from srlens.web.session import Session
from srlens.web.share import command_line, python_lines

QUICK = Choices(top=40, left=50, degradation="noise:25", settings={"steps": 1})


def added(page: Page, session: Session, channels: int, folder: Path) -> str:
    file = folder / f"denoiser-{channels}.pth"
    module = DnCNN(in_nc=channels, out_nc=channels, nc=4, nb=8, act_mode="R")
    torch.nn.init.zeros_(module.model[-1].weight)  # leaves the picture as it is, but for its bias
    module.model[-1].weight.data[:, 0, 1, 1] = 1e-3
    torch.save(module.state_dict(), file)
    return page.add_network(session, file)


def test_the_degraded_picture_is_shown_and_run(page: Page, session: Session, tmp_path: Path) -> None:
    choices = replace(QUICK, networks=(added(page, session, 3, tmp_path),))
    page.use_sample(session, "pagoda", choices)
    clean = sample_image("pagoda")
    noisy = srlens.degrade(clean, "noise:25")
    assert torch.equal(page.shown(session, choices), noisy)
    assert torch.equal(page.shown(session, replace(choices, is_hr=False)), clean)
    *_, last = page.run(session, choices)
    assert isinstance(last, Answer)
    row = last.comparison.rows[0]
    assert torch.equal(row.subject.lr, noisy)
    assert row.reference_name == "noisy picture"
    shown = results_html(last.comparison, "default")
    assert "noisy picture" in shown
    visible = re.sub(r'src="[^"]*"', "", shown)
    assert not re.search(r"\b(bicubic|LR|SR|HR)\b", visible)
    assert "input made from clean by noise:25" in visible
    assert "Question: to which input pixels" in visible
    assert "--degradation noise:25" in command_line(choices)
    assert "srlens.degrade(hr, 'noise:25', scale=1)" in python_lines(choices, 1)


def test_grey_networks_are_given_grey(page: Page, session: Session, tmp_path: Path) -> None:
    choices = replace(QUICK, networks=(added(page, session, 1, tmp_path),))
    page.use_sample(session, "pagoda", choices)
    grey = full_range(luma(sample_image("pagoda")))
    assert torch.equal(page.shown(session, choices), srlens.degrade(grey, "noise:25"))


@pytest.mark.parametrize(
    ("degradation", "words"),
    [(None, "Say which one that network undoes"), ("blur:kernel=/etc/passwd", "names a file"), ("noise", "level")],
)
def test_what_cannot_be_made(page: Page, session: Session, tmp_path: Path, degradation: str | None, words: str) -> None:
    choices = replace(QUICK, networks=(added(page, session, 3, tmp_path),), degradation=degradation)
    page.use_sample(session, "pagoda", choices)
    with pytest.raises(SettingError, match=words):
        page.shown(session, choices)


def test_networks_of_the_task_are_offered(page: Page, session: Session, tmp_path: Path) -> None:
    own = added(page, session, 3, tmp_path)
    denoisers = ("denoise-plain", "denoise-nonlocal")
    usual = Choices()
    assert page.offered(session, usual) == ("plain", "channel", "nonlocal", "diffusion")
    assert usual.networks == ("plain", "channel", "nonlocal")
    chosen = replace(usual, networks=("plain", "diffusion"))
    assert page.switched(session, chosen).networks == chosen.networks  # trained for it, though not chosen by itself
    assert page.switched(session, replace(chosen, degradation="noise:25")).networks == denoisers
    assert page.offered(session, QUICK) == (*denoisers, own)
    assert page.offered(session, replace(QUICK, is_hr=False)) == page.names(session)
    # What does not fit is left out; the shipped ones stand in only where they were trained for the task.
    assert page.fitting(session, replace(QUICK, networks=("plain", own))).networks == (own,)
    assert page.fitting(session, QUICK).networks == denoisers
    assert page.fitting(session, replace(QUICK, degradation="rain:4")).networks == ()
    rain = replace(QUICK, degradation="rain:4", networks=("denoise-plain", own))
    assert page.fitting(session, rain).networks == rain.networks  # as a link may have them
    assert page.switched(session, rain).networks == (own,)
    assert page.fitting(session, replace(usual, networks=(own,))).networks == ("plain", "channel", "nonlocal")


def test_a_file_of_the_folder_is_offered_until_its_scale_is_known(tmp_path: Path) -> None:
    torch.save(DnCNN(in_nc=3, out_nc=3, nc=4, nb=8, act_mode="R").state_dict(), tmp_path / "mine.pth")
    page = Page(networks=tmp_path)
    session = page.sessions.of("a tab")
    assert "mine.pth" in page.offered(session, Choices())
    page.open(session, ["mine.pth"])
    assert "mine.pth" not in page.offered(session, Choices())
    assert "mine.pth" in page.offered(session, QUICK)
    page.close()


@pytest.mark.parametrize("degradation", [one.written for one in DEGRADATIONS.values() if one.scale == 1])
def test_the_degraded_picture_is_shown_before_a_network_is_chosen(
    page: Page, session: Session, degradation: str
) -> None:
    choices = Choices(degradation=degradation, networks=())
    page.use_sample(session, "pagoda", choices)
    shown = page.shown(session, choices)
    assert torch.equal(shown, srlens.degrade(sample_image("pagoda"), degradation))
    assert page.sr_size(session, choices) == shown.shape[-2:]
    with pytest.raises(SettingError, match="at least one network"):
        list(page.run(session, choices))


@pytest.mark.parametrize(
    ("written", "level", "then"),
    [
        ("noise:25", 40, "noise:40"),
        ("blur:1.6,border=circular", 2.5, "blur:2.5,border=circular"),
        ("noise:25", None, "noise"),
        ("noise", 15, "noise:15"),
        ("haze:airlight=0.9", 1, "haze:1,airlight=0.9"),
    ],
)
def test_another_level(written: str, level: float | None, then: str) -> None:
    assert with_level(written, level) == then
