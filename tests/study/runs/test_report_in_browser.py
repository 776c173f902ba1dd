"""The report in a real browser: nothing reaches beyond the page, and at 1300 px no table is cut off."""

import pytest

from srlens.study.report.build import build_report
from srlens.study.run import run_study

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def report(tmp_path_factory, write_network, write_picture, here):
    """Three networks whose names are as long as those of published files, with random weights beside."""
    from srlens.study.schema import study_from

    folder = tmp_path_factory.mktemp("seen")
    names = ["fsrcnn-y-x4", "carn-m-multiscale", "mambairv2-light-sr-x4-500000"]
    for seed, name in enumerate(names, start=1):
        write_network(folder / f"{name}.pth", seed, mappings=seed)
    write_picture(folder / "roof.png", 20)
    content = {
        "networks": [{"open": f"{name}.pth"} for name in names],
        "windows": [{"image": "roof.png", "top": top, "left": 40} for top in (24, 56, 90)],
        "random_weights": True,
        "images": {"lr_size": 20},
        "method": {"steps": 2},
    }
    return build_report(run_study(study_from(content, base=folder), executor=here).folder).page


@pytest.fixture(scope="module")
def tab(browser):
    page = browser.new_page()
    yield page
    page.close()


@pytest.mark.parametrize("width", [1300, 390])
def test_nothing_reaches_beyond_the_page(report, tab, width):
    tab.set_viewport_size({"width": width, "height": 900})
    tab.goto(report.as_uri())
    tab.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    sizes = tab.evaluate("[...document.querySelectorAll('.wide')].map(one => [one.scrollWidth, one.clientWidth])")
    assert len(sizes) >= 6
    if width == 1300:
        assert all(content <= room for content, room in sizes)
    captions = tab.evaluate("[...document.querySelectorAll('caption')].map(one => one.getBoundingClientRect().width)")
    assert all(0 < caption <= width for caption in captions)
    text = tab.evaluate("document.body.innerText")
    assert "undefined" not in text
    assert "None" not in text
    assert "nan" not in text
    assert ".pth" not in text
