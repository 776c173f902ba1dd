"""Whatever is drawn, no text leaves its sheet, covers another or loses its unit."""

import matplotlib
import pytest
from matplotlib import font_manager

from srlens.comparison.interest import area_of_interest
from srlens.figures.comparison import comparison_figure
from srlens.figures.explain import explain_figure
from srlens.figures.interest import interest_figure
from srlens.figures.sheet import Sheet
from srlens.figures.style import _WIDE_FONTS, find_look, styled

SIZES = {"portrait": (96, 24), "landscape": (24, 120), "tiny": (8, 8), "square": (48, 48)}
LONG = "my_very_long_network_name_trained_for_weeks_{}_x4_final.pth"


@pytest.fixture
def comparison(make_rows, make_images, compared):
    def make(count, size):
        lr, _, hr = make_images(SIZES[size])
        rows = make_rows([LONG.format(k) for k in range(count)], SIZES[size])
        return compared(rows, lr, hr)

    return make


def units(figure):
    """The captions of its colour bars."""
    bars = [axes for axes in figure.axes if "bar" in str(axes.get_label()).split()]
    return [" ".join(f"{axes.get_xlabel()}{axes.get_ylabel()}".split()) for axes in bars]


@pytest.mark.parametrize(
    ("count", "size", "style"),
    [
        (1, "landscape", "paper"),
        (1, "portrait", "default"),
        (1, "tiny", "paper"),
        (4, "portrait", "paper"),
        (4, "square", "default"),
        (9, "landscape", "default"),
        (9, "tiny", "paper"),
    ],
)
def test_comparisons(comparison, faults, count, size, style):
    figure = comparison_figure(comparison(count, size), style=style)
    assert faults(figure) == []
    starts = {"default": ("detector units", "% per LR pixel"), "paper": ("attribution /", "density /", "/ max.")}
    assert all(words.removeprefix("absolute ").startswith(starts[style]) for words in units(figure))
    assert len(units(figure)) % 2 == 0 < len(units(figure))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("style", ["default", "paper"])
def test_one_network(comparison, faults, size, style):
    found = comparison(1, size)
    figure = explain_figure(found.rows[0], found.subject, style=style)
    assert faults(figure) == []
    assert all(len(words) > 10 for words in units(figure))


@pytest.mark.parametrize(("count", "size"), [(2, "landscape"), (4, "portrait"), (9, "square"), (9, "tiny")])
def test_areas_of_interest(comparison, faults, count, size):
    figure = interest_figure(area_of_interest(comparison(count, size)))
    cells = {f"{axes.get_text()}" for panel in figure.axes for axes in panel.texts}
    found = [fault for fault in faults(figure) if not ("agreement" in fault and any(f"'{c}'" in fault for c in cells))]
    assert found == []
    assert set(units(figure)) >= {"% of the mass, square root", "% of the mass, cube root"}
    better, worse = [words for text in figure.texts if (words := text.get_text()).endswith(".pth")][:2]
    assert better.strip("− ") != worse.strip("− ")


@pytest.mark.parametrize("count", [2, 4])
def test_names_that_are_cut_stay_apart(make_rows, make_images, compared, all_words, count):
    lr, _, hr = make_images((40, 40))
    names = [f"{'a' * 60}{k}{'b' * 60}" for k in range(count)]
    figure = comparison_figure(compared(make_rows(names), lr, hr))
    heads = [text.get_text() for text in figure.texts if text.get_weight() == "bold" and text.get_text()[0].isdigit()]
    assert [head.split()[0] for head in heads] == [str(k + 1) for k in range(count)]


def test_text_is_as_wide_as_planned_whoever_saves_it(tmp_path):
    """A user's own ``savefig`` follows a matplotlibrc that hints, which widens text by several percent."""
    sizes = []
    with styled() as look:
        sheet = Sheet(17, 1, look)
        sheet.text(0.2, 0.5, "the quick brown fox jumps over the lazy dog " * 2, size=7)
    for hinting in ("default", "no_hinting"):
        with matplotlib.rc_context({"text.hinting": hinting}):
            sheet.figure.savefig(tmp_path / f"{hinting}.png", dpi=80)
        sizes.append((tmp_path / f"{hinting}.png").read_bytes())
    assert sizes[0] == sizes[1]


@pytest.mark.skipif(not _WIDE_FONTS, reason="no font with Chinese signs is installed")
@pytest.mark.parametrize("style", ["default", "paper"])
def test_names_in_chinese_are_drawn(comparison, make_rows, make_images, compared, faults, style):
    """Were a sign missing from all fonts, matplotlib would warn, and warnings are errors here."""
    lr, _, hr = make_images((40, 40))
    figure = comparison_figure(compared(make_rows(["网络 A", "モデル", "模型-A"]), lr, hr), style=style)
    assert faults(figure) == []


def test_fonts_for_other_scripts_are_those_of_the_machine():
    installed = set(font_manager.get_font_names())
    assert set(find_look("default").font) <= installed
    assert find_look("default").font[0] == "DejaVu Sans"
