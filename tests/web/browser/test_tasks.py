"""The tasks beside super-resolution, in a real browser."""

import re
from typing import Any

import pytest

import srlens
from srlens.imaging.degrade import tasks
from srlens.imaging.samples import sample_image

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def choose(page: Any, task: str) -> None:
    page.locator("#task input").click()
    page.get_by_role("option", name=task, exact=True).click()


def networks(page: Any) -> list[str]:
    return [text.strip() for text in page.locator("#networks label").all_inner_texts()]


def test_denoising_from_the_task_to_the_link(running: Any, tab: Any) -> None:
    page = tab.open(f"{running.url}/?steps=5").page
    clean = page.locator("#picker img").get_attribute("src")
    assert networks(page) == ["plain", "channel", "nonlocal", "diffusion"]
    assert page.locator("#networks input:checked").count() == 3
    assert not page.locator("#level").is_visible()

    choose(page, "denoising")
    page.locator("#picture-message", has_text="shown as the networks are given it, noise:25").wait_for()
    assert networks(page) == ["denoise-plain", "denoise-nonlocal"]
    assert page.locator("#level input").input_value() == "25"
    noisy = page.locator("#picker img").get_attribute("src")
    assert noisy != clean
    page.locator("#level input").fill("40")
    page.locator("#picture-message", has_text="noise:40").wait_for()
    assert page.locator("#picker img").get_attribute("src") not in (clean, noisy)

    tab.click_picture(0.52, 0.30)
    tab.wait_number("top", "69")
    tab.toggle("denoise-nonlocal")
    page.locator("#networks input:checked").nth(1).wait_for(state="detached")
    tab.wait_number("top", "")  # other networks may be given another picture: the window is placed anew
    tab.click_picture(0.52, 0.30)
    tab.wait_number("top", "69")
    tab.run()
    tab.status("Done in")
    observed = srlens.degrade(sample_image("pagoda"), "noise:40")
    window = srlens.Window(top=69, left=125, height=16, width=16)
    expected = srlens.attribute(srlens.load_default("denoise-plain"), observed, window, steps=5)
    assert tab.indices() == pytest.approx(
        [expected.diffusion_index], rel=5e-3
    )  # threads may differ: float32 moves maps
    shown = page.locator("#results").inner_text()
    assert "noisy picture" in shown
    assert not re.search(r"\b(bicubic|LR|SR|HR)\b", shown)
    command = page.locator("#command textarea, #command input").first.input_value()
    assert command == ("srlens explain denoise-plain pagoda --hr --degradation noise:40 --window 69,125,16 --steps 5")
    page.wait_for_function("document.querySelectorAll('#files a[href*=\"/file=\"]').length >= 6")

    page.wait_for_function("document.querySelector('#link textarea, #link input').value !== ''")
    link = page.locator("#link textarea, #link input").first.input_value()
    tab.open(link)
    tab.wait_number("top", "69")
    assert page.locator("#task input").input_value() == "denoising"
    assert page.locator("#level input").input_value() == "40"
    assert networks(page) == ["denoise-plain", "denoise-nonlocal"]
    assert page.locator("#networks input:checked").count() == 1


def test_every_task_shows_its_picture(running: Any, tab: Any) -> None:
    page = tab.open(running.url).page
    pictures = {page.locator("#picker img").get_attribute("src")}
    for task, (entry, *_) in tasks().items():
        if entry.scale == 1:
            choose(page, task)
            page.locator("#picture-message", has_text=f"as the networks are given it, {entry.written}").wait_for()
            pictures.add(page.locator("#picker img").get_attribute("src"))
            # No shipped network was trained for the others: what was chosen before does not stay.
            assert page.locator("#networks input:checked").count() == (2 if task == "denoising" else 0)
    assert len(pictures) == 7
    choose(page, "none: the picture as it is")
    page.locator("#picture-message", has_text="the clean picture is unknown").wait_for()
    assert not page.locator("#level").is_visible()


def test_a_degradation_can_be_written_with_its_settings(running: Any, tab: Any) -> None:
    page = tab.open(f"{running.url}/?degradation=blur:1.6&networks=denoise-plain").page
    written = page.locator("#degradation input")
    for text, told in (("haze:1,airlight=0.9", "haze:1,airlight=0.9"), ("blur:kernel=/etc/passwd", "names a file")):
        written.fill(text)
        written.press("Enter")
        page.locator("#picture-message", has_text=told).wait_for()
    assert page.locator("#task input").input_value() == "dehazing"
