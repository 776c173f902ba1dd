"""What a user does, in a real browser."""

import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

import srlens
from srlens.imaging.samples import sample_image
from srlens.records.archive import load

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Shown and recomputed in two processes whose thread counts may differ: float32 rounding moves maps by 1e-3.
ROUNDING = 5e-3


def test_from_opening_to_the_files(running: Any, tab: Any, tmp_path: Path) -> None:
    page = tab.open(running.url).page
    tab.click_picture(0.52, 0.30)
    tab.wait_number("top", "69")  # 0.30·256 − 8 = 68.8
    tab.wait_number("left", "125")  # 0.52·256 − 8 = 125.1
    box, frame = page.locator("#picker img").bounding_box(), page.locator("#picker .frame").bounding_box()
    assert frame["x"] - box["x"] == pytest.approx(125 / 256 * box["width"], abs=1)
    assert frame["y"] - box["y"] == pytest.approx(69 / 256 * box["height"], abs=1)
    assert frame["width"] == pytest.approx(16 / 256 * box["width"], abs=1)

    tab.run()
    tab.status("Done in")
    lr = srlens.make_lr(sample_image("pagoda"), 4)
    window = srlens.Window(top=69, left=125, height=16, width=16)
    expected = [
        srlens.attribute(srlens.load_default(name), lr, window).diffusion_index
        for name in ("plain", "channel", "nonlocal")
    ]
    assert tab.indices() == pytest.approx(expected, rel=ROUNDING)
    assert page.locator("#results article").count() == 3
    assert page.locator("#results td[data-di]").first.inner_text() == f"{tab.indices()[0]:.2f}"

    page.locator("#blend input[type=range]").fill("20")
    page.wait_for_function("getComputedStyle(document.querySelector('.srl-map')).opacity === '0.2'")
    _check_files(page, tab, tmp_path)
    command = page.locator("#command textarea, #command input").first.input_value()
    assert command == "srlens compare plain channel nonlocal pagoda --hr --window 69,125,16"
    _check_link(running, tab)


def _check_files(page: Any, tab: Any, folder: Path) -> None:
    page.wait_for_function("document.querySelectorAll('#files a[href*=\"/file=\"]').length >= 12")
    links = page.locator("#files a[href*='/file=']")
    files = {}
    for k in reversed(range(links.count())):  # a browser takes ten downloads of a page without asking
        if links.count() - k > 10:
            path = folder / links.nth(k).get_attribute("download")
            path.write_bytes(page.request.get(links.nth(k).get_attribute("href")).body())
            files[path.name] = path
            continue
        with page.expect_download() as started:
            links.nth(k).click()
        path = folder / started.value.suggested_filename
        started.value.save_as(path)
        files[path.name] = path
    record = json.loads(next(p for n, p in files.items() if n == "result.json").read_text())
    assert [row["diffusion_index"] for row in record["networks"]] == tab.indices()
    assert next(p for n, p in files.items() if n.endswith(".png")).read_bytes().startswith(b"\x89PNG")
    assert next(p for n, p in files.items() if n.endswith(".pdf")).read_bytes().startswith(b"%PDF")
    assert next(p for n, p in files.items() if n.endswith(".csv")).read_text().count("\n") == 4  # networks and bicubic
    with zipfile.ZipFile(next(p for n, p in files.items() if n.endswith(".zip"))) as archive:
        assert {*archive.namelist()} - {"./"} == {name for name in files if not name.endswith(".zip")}
    maps = [load(p) for n, p in files.items() if n.endswith(".safetensors")]
    assert {m.diffusion_index for m in maps} == set(tab.indices())


def _check_link(running: Any, tab: Any) -> None:
    page = tab.page
    page.wait_for_function("document.querySelector('#link textarea, #link input').value !== ''")
    link = page.locator("#link textarea, #link input").first.input_value()
    assert link == page.url
    assert link.startswith(running.url)
    tab.open(link)
    tab.wait_number("top", "69")
    assert (tab.number("left"), tab.number("size")) == ("125", "16")


def test_a_link_restores_the_settings(running: Any, tab: Any) -> None:
    page = tab.open(f"{running.url}/?picture=hopper&networks=channel&window=40,60&size=24&steps=5&detector=gabor").page
    tab.wait_number("top", "40")
    assert tab.number("size") == "24"
    assert page.locator("#sample input:checked").get_attribute("value") == "hopper"
    assert page.locator("#networks input:checked").count() == 1
    tab.run()
    tab.status("Done in")
    page.locator("#results .srl-conditions summary").click()
    assert "gabor detector" in page.locator("#results .srl-conditions").inner_text()
    assert "5 steps" in page.locator("#results .srl-conditions").inner_text()


def test_a_link_that_asks_for_too_much_is_answered_with_sentences(running: Any, tab: Any) -> None:
    page = tab.open(f"{running.url}/?networks=plain,../../x.pth&window=1,a&preset=<script>").page
    told = page.locator("#picture-message [role=alert]").inner_text()
    assert "Not on this page" in told
    assert "preset" in told


def test_keys_move_the_window(running: Any, tab: Any) -> None:
    page = tab.open(f"{running.url}/?networks=plain&window=40,60").page
    tab.wait_number("top", "40")
    page.locator("#picker .stage").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ArrowLeft")
    tab.wait_number("top", "42")
    tab.wait_number("left", "52")


def test_dragging_places_the_window_where_it_ends(running: Any, tab: Any) -> None:
    page = tab.open(running.url).page
    box = page.locator("#picker img").bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.4, steps=4)
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.75, steps=4)
    page.mouse.up()
    tab.wait_number("left", "120")
    tab.wait_number("top", "184")


def test_stopping_a_long_run(running: Any, tab: Any) -> None:
    page = tab.open(f"{running.url}/?networks=nonlocal&steps=2000&window=96,120").page
    tab.wait_number("top", "96")
    tab.run()
    tab.status("gradient")
    progress = page.locator("#status progress")
    assert float(progress.get_attribute("value")) < 100
    page.click("#stop")
    tab.status("Stopped.", timeout=5_000)
    page.locator("#settings button").first.click()
    page.get_by_label("Fixed steps (instead)").fill("3")
    page.get_by_label("Fixed steps (instead)").press("Tab")  # as a user leaves the field
    tab.run()
    tab.status("Done in")  # the server is free again
    assert len(tab.indices()) == 1


def test_a_real_checkpoint_and_picture(running: Any, tab: Any, shared: Path) -> None:
    page = tab.open(running.url).page
    picture = sorted((shared / "images" / "Set5").rglob("*.png"), key=lambda p: p.stat().st_size)[0]
    page.get_by_role("button", name="Your own picture").click()
    page.locator("#upload input[type=file]").set_input_files(picture)
    page.locator("#picture-message", has_text=picture.name).wait_for()
    page.get_by_role("button", name="Your own network").click()
    page.locator("#network-upload input[type=file]").set_input_files(shared / "weights" / "imdn-x4.pth")
    page.locator("#network-message", has_text="imdn-x4.pth: IMDN, ×4").wait_for()
    for name in ("plain", "channel", "nonlocal"):
        tab.toggle(name)
    tab.click_picture(0.5, 0.5)
    page.wait_for_function("document.querySelector('#top input').value !== ''")
    tab.run()
    tab.status("Done in")
    window = srlens.Window.square(int(tab.number("top")), int(tab.number("left")), 16)
    lr = srlens.make_lr(srlens.read_image(picture), 4)
    expected = srlens.attribute(srlens.load_network(shared / "weights" / "imdn-x4.pth"), lr, window)
    assert tab.indices() == pytest.approx([expected.diffusion_index], rel=ROUNDING)
    page.locator("#network-upload input[type=file]").set_input_files(shared / "weights" / "pan-x2.pth")
    page.locator("#network-message", has_text="pan-x2.pth").wait_for()
    tab.run()
    assert "different scales" in tab.status("scale")


def test_errors_are_sentences(running: Any, tab: Any, tmp_path: Path) -> None:
    page = tab.open(f"{running.url}/?networks=plain&steps=3").page
    tab.write("top", "250")
    tab.write("left", "250")
    page.locator("#picture-message [role=alert]", has_text="outside the SR image").wait_for()
    tab.run()
    tab.status("outside the SR image")
    tab.write("top", "10")
    tab.write("left", "10")
    page.wait_for_function("!document.querySelector('#picture-message [role=alert]')")
    tab.toggle("plain")
    tab.run()
    tab.status("Choose at least one network")
    tab.toggle("plain")

    bad = tmp_path / "text.png"
    bad.write_text("no picture")
    page.get_by_role("button", name="Your own picture").click()
    page.locator("#upload input[type=file]").set_input_files(bad)
    page.locator("#picture-message [role=alert]", has_text="text.png: It is not an image").wait_for()
    network = tmp_path / "text.pth"
    network.write_text("no network")
    page.get_by_role("button", name="Your own network").click()
    page.locator("#network-upload input[type=file]").set_input_files(network)
    page.locator("#network-message [role=alert]", has_text="text.pth").wait_for()
    page.locator("#settings button").first.click()
    page.get_by_label("Accepted map error").fill("0.9")
    page.get_by_label("Fixed steps (instead)").fill("99999")
    tab.run()
    tab.status("up to 2187 steps")
    text = page.locator("body").inner_text()
    assert "Traceback" not in text
    assert not re.search(r"/tmp/\S+", text)


def test_the_field_and_a_click_on_it(running: Any, tab: Any) -> None:
    page = tab.open(f"{running.url}/?networks=plain&steps=3").page
    page.get_by_role("tab", name="Whole image").click()
    page.locator("#field-stride input").fill("64")
    page.locator("#field-steps input").fill("3")
    page.click("#field-run")
    page.locator("#field-status", has_text="Done.").wait_for(timeout=60_000)
    page.locator("#field-legend", has_text="16 windows of 16×16").wait_for()  # drawn a moment after the status
    page.wait_for_function("document.querySelectorAll('#field-files a[href*=\"/file=\"]').length === 4")
    image = page.locator("#field-view img")
    image.scroll_into_view_if_needed()
    box = image.bounding_box()
    page.mouse.click(box["x"] + 0.4 * box["width"], box["y"] + 0.65 * box["height"])
    tab.status("Done in")  # the window's tab is in front again
    assert (tab.number("top"), tab.number("left")) == ("152", "88")  # grid of 64 from 24 on
    assert len(tab.indices()) == 1


def test_two_tabs_do_not_mix(running: Any, tab: Any, second_tab: Any) -> None:
    tab.open(f"{running.url}/?picture=pagoda&networks=plain&window=40,60&steps=9")
    second_tab.open(f"{running.url}/?picture=hopper&networks=channel&window=96,112&steps=9")
    tab.wait_number("top", "40")
    second_tab.wait_number("top", "96")
    tab.run()
    second_tab.run()
    for one, words, network in ((tab, "pagoda", "srlens-plain-x4"), (second_tab, "hopper", "srlens-channel-x4")):
        one.status("Done in")
        shown = one.page.locator("#results").inner_text()
        assert words in shown
        assert network in shown
    assert tab.number("top") == "40"
    assert second_tab.number("left") == "112"
    assert tab.indices() != second_tab.indices()


@pytest.mark.parametrize("width", [1280, 390])
def test_every_control_has_a_name_and_nothing_overflows(running: Any, browser: Any, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 844})
    page = context.new_page()
    page.goto(f"{running.url}/?networks=plain&window=40,60&steps=3")
    page.wait_for_selector("#picker img[src^='data:image/png']")
    page.click("#run")
    page.wait_for_selector("#results table", timeout=60_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('input, textarea, button, [role=slider], img')].filter(e =>
        e.offsetParent && !e.labels?.length && !e.getAttribute('aria-label') && !e.title && !e.innerText?.trim()
        && e.getAttribute('alt') === null && !e.closest('label') && !e.getAttribute('aria-labelledby'))
        .map(e => e.outerHTML.slice(0, 200))"""
    )
    assert nameless == []
    context.close()


def test_who_waits_sees_the_queue(running: Any, tab: Any, second_tab: Any) -> None:
    for one, steps in ((tab, 2000), (second_tab, 3)):
        one.open(f"{running.url}/?networks=nonlocal&steps={steps}&window=96,120")
        one.wait_number("top", "96")
        one.run()
        if one is tab:
            tab.status("gradient")
    waiting = second_tab.page.locator("#status .progress-text", has_text="queue: 1/1")
    waiting.wait_for()
    box, within = waiting.bounding_box(), second_tab.page.locator("#status .wrap").bounding_box()
    assert within["y"] <= box["y"] <= within["y"] + within["height"] - box["height"] + 1  # not cut off
    tab.page.click("#stop")
    second_tab.status("Done in")


_CONTRAST = """element => {
  const parts = c => c.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .04 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, k) => sum + v * [.2126, .7152, .0722][k], 0);
  let below = element;
  while (below.parentElement && (parts(getComputedStyle(below).backgroundColor)[3] ?? 1) === 0)
    below = below.parentElement;
  const [a, b] = [getComputedStyle(element).color, getComputedStyle(below).backgroundColor].map(c => light(parts(c)));
  return (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contrast_and_focus(running: Any, tab: Any, theme: str) -> None:
    page = tab.open(f"{running.url}/?networks=plain&window=40,60&steps=3&__theme={theme}").page
    for control in ("button[role=tab][aria-selected=true]", "#run", "#stop", "#hardest", "#networks label"):
        assert page.locator(control).first.evaluate(_CONTRAST) >= 4.5, control
    unseen = []
    for _ in range(24):
        page.keyboard.press("Tab")
        outline = page.evaluate(
            "() => { const s = getComputedStyle(document.activeElement);"
            " return document.activeElement === document.body || parseFloat(s.outlineWidth) > 1 }"
        )
        if not outline:
            unseen.append(page.evaluate("document.activeElement.outerHTML.slice(0, 120)"))
    assert unseen == []


def test_a_tall_picture_is_bounded_and_its_maps_zoom(running: Any, tab: Any, tmp_path: Path) -> None:
    image = sample_image("pagoda")
    tall = tmp_path / "tall.png"
    Image.fromarray(
        (255 * torch.cat([torch.cat([image] * 4, dim=1)] * 2, dim=2).permute(1, 2, 0).numpy()).astype("uint8")
    ).save(tall)
    page = tab.open(f"{running.url}/?networks=plain&steps=3").page
    page.get_by_role("button", name="Your own picture").click()
    page.locator("#upload input[type=file]").set_input_files(tall)
    page.locator("#picture-message", has_text="tall.png").wait_for()
    assert page.locator("#picker img").bounding_box()["height"] <= 0.71 * 900
    tab.click_picture(0.5, 0.6)
    page.wait_for_function("document.querySelector('#top input').value !== ''")
    tab.run()
    tab.status("Done in")
    pictures = page.locator(".srl-pictures .srl-stack")
    assert max(pictures.nth(k).bounding_box()["height"] for k in range(pictures.count())) <= 0.61 * 900
    zoom, frame = page.locator(".srl-zoom input"), page.locator(".srl-pictures .srl-frame").first
    assert zoom.is_checked()
    assert "at least" in page.locator(".srl-zoom").inner_text()
    near = frame.bounding_box()["width"]
    stack = page.locator(".srl-pictures .srl-stack:has(.srl-frame)").first.bounding_box()
    assert stack["x"] <= frame.bounding_box()["x"] <= stack["x"] + stack["width"]
    zoom.uncheck()
    assert frame.bounding_box()["width"] < 0.7 * near


def test_numbers_beyond_all_bounds_are_answered_with_sentences(running: Any, tab: Any) -> None:
    said = len(running.log)
    page = tab.open(f"{running.url}/?networks=plain&steps=3").page
    for name, value in (("top", "-4"), ("size", "0"), ("size", "100000000000000000000"), ("left", "1e300")):
        tab.write(name, value)
        tab.write({"top": "left", "left": "top", "size": "top"}[name], "10")
        page.locator("#picture-message [role=alert]").wait_for()
        tab.run()
        page.locator("#status .srl-error").wait_for()
        for other, usual in (("top", "40"), ("left", "60"), ("size", "16")):
            tab.write(other, usual)
        page.wait_for_function("!document.querySelector('#picture-message [role=alert]')")
    page.get_by_role("tab", name="Whole image").click()
    for name, value in (("field-stride", "-1"), ("field-stride", "0"), ("field-steps", "1e300")):
        page.locator(f"#{name} input").fill(value)
        page.click("#field-run")
        page.locator("#field-status .srl-error").wait_for()
        page.locator(f"#{name} input").fill("32" if name == "field-stride" else "3")
    assert page.locator(".toast-wrap .error, .toast-body.error").count() == 0
    assert "Traceback" not in running.log[said:]
