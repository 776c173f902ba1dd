"""The built site in a real browser, from the disk: pictures, links, widths, search. `make docs` runs it at the end."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

SITE = Path(os.environ.get("SRLENS_SITE", Path(__file__).resolve().parents[2] / "docs" / "build" / "html"))
PAGES = sorted(str(page.relative_to(SITE)) for page in SITE.rglob("*.html"))
#: A desk and a telephone, in CSS pixels.
WIDTHS = (1280, 390)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not PAGES, reason=f"the site is not built: no pages in {SITE}; `make docs` builds it"),
]

_BROKEN = "() => [...document.images].filter(one => !one.naturalWidth).map(one => one.src)"
_LINKS = "() => [...document.links].map(one => one.href)"
_ANCHORS = "() => [...document.querySelectorAll('[id], a[name]')].map(one => one.id || one.name)"
#: What sticks out of the page to the right, apart from what lies in a box that scrolls or is hidden there.
_WIDER = """() => {
  const page = document.documentElement;
  return page.scrollWidth <= page.clientWidth ? [] : [...document.querySelectorAll('article *')].filter(
    one => one.getBoundingClientRect().right > page.clientWidth + 1).map(one => one.outerHTML.slice(0, 80))
    .concat(`${page.scrollWidth} > ${page.clientWidth}`);
}"""


class Tab:
    """A tab that reaches no network, and what its console complained of."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.told: list[str] = []
        page.on("console", lambda one: self.told.append(one.text) if one.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: self.told.append(str(error)))

    def visit(self, page: str) -> None:
        self.page.goto((SITE / page).as_uri())

    def to_the_last_picture(self) -> None:
        self.page.evaluate("() => { for (const one of document.images) one.loading = 'eager' }")
        self.page.evaluate("() => Promise.allSettled([...document.images].map(one => one.decode()))")


@pytest.fixture(scope="module")
def tab(browser: Any) -> Iterator[Tab]:
    context = browser.new_context(offline=True)
    yield Tab(context.new_page())
    context.close()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_whole_at_every_width(tab: Tab, page: str) -> None:
    for width in WIDTHS:
        tab.told.clear()
        tab.page.set_viewport_size({"width": width, "height": 900})
        tab.visit(page)
        tab.to_the_last_picture()
        assert tab.told == []
        assert tab.page.evaluate(_BROKEN) == []
        assert tab.page.evaluate(_WIDER) == [], f"wider than {width} px"


def test_links_within_the_site_lead_somewhere(tab: Tab) -> None:
    anchors: dict[str, set[str]] = {}
    links: dict[str, set[str]] = {}
    for page in PAGES:
        tab.visit(page)
        anchors[(SITE / page).as_uri()] = set(tab.page.evaluate(_ANCHORS))
        links[page] = set(tab.page.evaluate(_LINKS))
    lost = []
    for page, found in links.items():
        for link in found:
            place, anchor = urldefrag(link)
            parts = urlsplit(place)
            if parts.scheme == "file":
                place = parts._replace(query="").geturl()
                lacks = anchor and place in anchors and unquote(anchor) not in anchors[place]
                if lacks or not Path(unquote(parts.path)).is_file():
                    lost.append(f"{page}: {link}")
    assert lost == []


@pytest.mark.parametrize("words", ["diffusion index", "checkpointing", "attribute_seeds"])
def test_search_finds_without_a_server(tab: Tab, words: str) -> None:
    tab.visit("index.html")
    box = tab.page.locator("input[name=q]").first
    box.fill(words)
    box.press("Enter")
    results = tab.page.locator("#search-results li a")
    results.first.wait_for(timeout=20_000)
    assert results.count() >= 1


def test_gallery_pages_show_their_pictures(tab: Tab) -> None:
    examples = [page for page in PAGES if Path(page).name.startswith("plot_")]
    assert len(examples) >= 10
    for page in examples:
        tab.visit(page)
        assert tab.page.locator("article img.sphx-glr-single-img").count() >= 1, page
