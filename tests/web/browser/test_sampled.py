"""A network that samples, in a real browser; and how the settings are called."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

import srlens
from srlens.imaging.samples import sample_image

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def labels(page: Any) -> list[str]:
    return [text.strip() for text in page.locator("#settings label span").all_inner_texts()]


def test_diffusion_beside_plain_with_a_seed(running: Any, tab: Any) -> None:
    page = tab.open(f"{running.url}/?networks=plain&window=96,120&steps=1").page
    tab.wait_number("top", "96")
    tab.toggle("diffusion")
    page.wait_for_function("document.querySelector('#top input').value === ''")  # placed anew, as with any network
    tab.click_picture(0.5, 0.5)
    tab.wait_number("top", "120")
    page.locator("#settings button").first.click()
    page.get_by_label("Seed of the sampler's noise (0)").fill("5")
    page.get_by_label("Seed of the sampler's noise (0)").press("Tab")
    tab.run()
    tab.status("Done in", timeout=120_000)
    network, lr = srlens.load_default("diffusion"), srlens.make_lr(sample_image("pagoda"), 4)
    window = srlens.Window(top=120, left=120, height=16, width=16)
    expected = srlens.attribute(network, lr, window, steps=1, seed=5)
    assert tab.indices()[1] == pytest.approx(expected.diffusion_index, rel=5e-3)  # threads may differ
    page.locator("#results .srl-conditions summary").click()
    plain, diffusion = page.locator("#results .srl-conditions li", has_text="1 steps").all_inner_texts()
    assert diffusion == plain.removesuffix(".") + ", sampler of 12 steps, seed 5."
    command = page.locator("#command textarea, #command input").first.input_value()
    assert command == (
        "srlens compare plain diffusion pagoda --hr --window 120,120,16 --steps 1 --sampler-seed 5"
    )  # fmt: skip

    page.wait_for_function("document.querySelector('#link textarea, #link input').value !== ''")
    link = page.locator("#link textarea, #link input").first.input_value()
    asked = parse_qs(urlsplit(link).query)
    assert (asked["networks"], asked["steps"], asked["sampler_seed"]) == (["plain,diffusion"], ["1"], ["5"])
    tab.open(link)
    tab.wait_number("top", "120")
    page.locator("#settings button").first.click()
    assert page.locator("#sampler-seed input").input_value() == "5"
    assert page.locator("#networks input:checked").count() == 2


def test_settings_are_called_as_the_task_has_it(running: Any, tab: Any) -> None:
    page = tab.open(running.url).page
    page.locator("#settings button").first.click()
    page.get_by_label("Blur σ, LR px").wait_for()
    page.locator("#task input").click()
    page.get_by_role("option", name="denoising", exact=True).click()
    page.get_by_label("Blur σ, input px").wait_for()
    assert not [text for text in labels(page) if "LR" in text]
    tab.open(f"{running.url}/?degradation=noise:25&networks=denoise-plain")
    page.locator("#settings button").first.click()
    page.get_by_label("Block stride, input px").wait_for()
