"""Text of known width, colour scales, numbers in words, the part of a large image that is shown."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from srlens.comparison.formats import percent
from srlens.figures.blocks import MARGIN, grid, largest, page, panel, row
from srlens.figures.caption import conditions, remarks
from srlens.figures.scales import density_scale, round_down, signed_scale, tick_label, ticks, unit_scale
from srlens.figures.style import find_look, styled
from srlens.figures.typesetting import shorten, text_width, wrap
from srlens.figures.view import choose_view
from srlens.imaging.window import Window

FONT = ("DejaVu Sans",)


@given(text=st.text(st.characters(codec="latin-1", exclude_categories=["C"]), max_size=120), width=st.floats(1, 8))
@settings(deadline=None, max_examples=60)
def test_wrapping_keeps_every_letter_and_the_width(text, width):
    lines = wrap(text, width, FONT, 7)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(text_width(line, FONT, 7) <= width for line in lines)


@pytest.mark.parametrize("dpi", [72, 100, 150, 300])
@pytest.mark.parametrize("style", ["default", "paper"])
def test_measured_width_holds_at_any_resolution(style, dpi):
    look = find_look(style)
    line = "First row: the window in the networks' SR images. Window 16×16 at (top 110, left 150), ×4, LR 64×64"
    with styled(style):
        figure = Figure(figsize=(8, 1), dpi=dpi)
        text = figure.text(0, 0.5, line, fontsize=7, fontfamily=look.font)
        drawn = text.get_window_extent(FigureCanvasAgg(figure).get_renderer()).width / dpi * 2.54
    measured = text_width(line, look.font, 7)
    assert drawn <= measured <= 1.03 * drawn


def test_words_break_where_they_may():
    lines = wrap("carn-m-multiscale", text_width("carn-m-mul", FONT, 7), FONT, 7)
    assert lines == ["carn-m-", "multiscale"]


def test_shortening_says_so():
    lines = shorten("a name of many words", text_width("a name of", FONT, 7), FONT, 7, lines=1)
    assert len(lines) == 1
    start, end = lines[0].split("…")
    assert "a name of many words".startswith(start)
    assert "a name of many words".endswith(end)
    assert min(len(start), len(end)) >= 2
    assert text_width(lines[0], FONT, 7) <= text_width("a name of", FONT, 7)
    assert shorten("a name", 5, FONT, 7) == ["a name"]


def test_bold_is_wider():
    assert text_width("IMDN", FONT, 7, bold=True) > text_width("IMDN", FONT, 7)


@pytest.mark.parametrize("limit", [3e-7, 0.99, 1.0, 10.98, 4.2e5])
def test_scales_keep_zero_and_sign_and_can_be_inverted(limit):
    norm = signed_scale(limit)
    values = np.array([-limit, -limit / 8, 0, limit / 1000, limit])
    np.testing.assert_allclose(norm(values), [0, 0.25, 0.5, 0.55, 1], atol=1e-12)
    np.testing.assert_allclose(norm.inverse(norm(values)), values, atol=1e-12 * limit)
    density = density_scale(limit)
    np.testing.assert_allclose(density(np.array([0, limit / 4, limit])), [0, 0.5, 1], atol=1e-12)
    for scale, count in ((norm, 5), (density, 3)):
        where = ticks(scale)
        assert len(where) == count
        assert 0 in where
        assert max(where) <= limit * (1 + 1e-12)
        assert max(where) > limit / 2.6
    assert ticks(unit_scale()) == [0, 0.5, 1]


def test_round_numbers():
    assert [round_down(v) for v in (1, 1.99, 2, 4.9, 7, 0.0049, 1e-12)] == [1, 1, 2, 2, 5, 0.002, 1e-12]
    assert [tick_label(v) for v in (-0.5, 0.0, 1000.0)] == ["−0.5", "0", "1000"]


def test_percent_has_two_digits_that_mean_something():
    ratios = (0, 1e-6, 0.0012, 0.01, 0.0949, 0.0999, 0.123, 4.0, float("inf"), float("nan"))
    expected = ["0.00 %", "<0.01 %", "0.12 %", "1.0 %", "9.5 %", "10 %", "12 %", "400 %", "∞", "–"]
    assert [percent(r) for r in ratios] == expected


def test_what_results_share_is_said_once(make_result):
    a, b = make_result("A", seed=0), make_result("B", seed=3)
    assert conditions([a]) == a.conditions[:1].upper() + a.conditions[1:] + "."
    assert conditions([a, a]) == conditions([a])
    text = conditions([a, b, replace(make_result("C", preset="paper"), evaluations=50)])
    assert text.count("progressive-blur") == 1
    first = "A: midpoint (Laplacian arc length), 9 steps (tolerance 0.05)"
    for own in (first, "B: midpoint", "12 steps", "C: right-riemann"):
        assert own.lower() in text.lower()
    assert "paper preset" in text


def test_the_shift_is_said_of_those_that_have_it(make_result):
    plain, shifted = make_result("A"), make_result("B", preset="paper")
    assert "shift" not in remarks([plain])
    assert "DI of B has the authors' shift" in remarks([plain, shifted])
    assert "DI has the authors' shift" in remarks([shifted, shifted])


def test_the_view_holds_every_map_and_the_window(make_result):
    wide = make_result(size=(200, 300), reach=12)
    narrow = make_result(size=(200, 300), reach=1)
    for results in ([narrow], [wide], [narrow, wide]):
        view = choose_view(results)
        assert not view.whole
        for result in results:
            inside = result.absolute[view.top : view.bottom, view.left : view.right].sum() / result.absolute.sum()
            assert inside >= view.share - 1e-12
            assert view.share >= 0.99
        top, left, bottom, right = results[0].window.on_lr(4)
        assert view.top <= top
        assert view.left <= left
        assert bottom <= view.bottom
        assert right <= view.right
        assert (view.right - view.left) / (view.bottom - view.top) == pytest.approx(1.5, rel=0.02)
    assert choose_view([narrow, wide]) == choose_view([wide])


@pytest.mark.parametrize("corner", [Window(0, 0, 16, 16), Window(784, 1184, 16, 16), Window(0, 600, 16, 400)])
def test_the_view_stays_inside_the_image(make_result, corner):
    view = choose_view([make_result(size=(200, 300), window=corner)])
    assert 0 <= view.top < view.bottom <= 200
    assert 0 <= view.left < view.right <= 300
    assert view.left <= corner.left / 4
    assert corner.right / 4 <= view.right


def test_small_images_and_wide_maps_are_shown_whole(make_result):
    assert choose_view([make_result(size=(48, 64))]).whole
    assert choose_view([make_result(size=(200, 300), reach=1e6)]).whole


def test_a_shortened_name_holds_no_blank_of_its_own():
    name = "imdn-multiscale-a-very-long-name_x4"
    for lines in (1, 2):
        start, end = "".join(shorten(name, 1.6, FONT, 7, lines=lines)).split("…")
        assert name.startswith(start)
        assert name.endswith(end)
        assert start
        assert end


def block(width, height, label="here"):
    return panel(width, height, label, lambda axes: None)


def places(figure):
    """Left, top, width and height of each panel in cm, to a thousandth."""
    sizes = 2.54 * figure.get_size_inches()
    boxes = {axes.get_label(): axes.get_position() for axes in figure.axes}
    return {
        label: tuple(
            np.round([box.x0 * sizes[0], (1 - box.y1) * sizes[1], box.width * sizes[0], box.height * sizes[1]], 3)
        )
        for label, box in boxes.items()
    }


def test_a_grid_is_as_wide_and_high_as_its_cells():
    cells = [[block(1, 2, "a"), block(3, 1, "b").at(1, 0.5)], [None, block(4, 1, "c"), block(1, 1, "d")], []]
    made = grid(cells, across=0.5, down=0.25)
    assert (made.width, made.height) == (1 + 0.5 + 4 + 0.5 + 1, 2 + 0.25 + 1 + 0.25)
    found = places(page(find_look("default"), made, width=5))
    assert found == {
        "a": (MARGIN, 0, 1, 2),
        "b": (MARGIN + 1.5 + 1, 0.5, 3, 1),
        "c": (MARGIN + 1.5, 2.25, 4, 1),
        "d": (MARGIN + 6, 2.25, 1, 1),
    }
    assert grid([]).width == grid([]).height == 0


def test_a_page_is_wider_only_for_what_would_not_fit():
    look = find_look("default")
    assert page(look, block(3, 1), width=8.5).get_figwidth() * 2.54 == pytest.approx(8.5)
    assert page(look, block(20, 1), width=8.5).get_figwidth() * 2.54 == pytest.approx(20 + 2 * MARGIN)


def test_the_largest_that_fits():
    size, made = largest(lambda side: row(block(side, side), block(side, side), gap=1), 9, 10, 20)
    assert 4.49 <= size <= 4.5
    assert made.width <= 10
    assert largest(lambda side: block(side, side), 9, 10)[0] == 9
    assert largest(lambda side: block(side, 4 * side), 9, 10, 8)[0] == pytest.approx(2, abs=0.01)
    assert largest(lambda side: block(30, side), 9, 10)[0] < 0.5  # nothing fits: the smallest, not an error
