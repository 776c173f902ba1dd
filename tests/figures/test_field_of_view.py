"""The picture of fields of view: one scale, every circle where it belongs."""

import numpy as np
import pytest
from matplotlib.patches import Circle, Rectangle

from srlens.errors import SettingError
from srlens.figures.field_of_view import View, field_of_view_figure


def make_view(name="CARN", side=48, sigma=2.0, theoretical=21.0):
    y, x = np.indices((side, side)) + 0.5 - side / 2
    effective = np.exp(-(y**2 + x**2) / (2 * sigma**2))
    return View(
        name=name,
        effective=effective / effective.sum(),
        centre=(side / 2, side / 2),
        theoretical=theoretical,
        theoretical_text="RF global" if theoretical is None else f"RF {theoretical:g} LR px",
        support=(14, 14, 34, 34),
        radii={0.5: 2.4, 0.9: 4.3, 0.95: 4.9},
        lam_radius=6.0,
        facts={"Support, LR pixels": "20×20", "Radii 50/90/95 %": "2.4/4.3/4.9", "Effective σ": f"{sigma}"},
    )


def panel(figure, name):
    (axes,) = [axes for axes in figure.axes if axes.get_label() == f"field of view {name}"]
    return axes


@pytest.mark.parametrize("count", [1, 2, 4, 5, 9])
def test_panels_and_text_stand_apart(faults, count):
    views = [make_view(f"network-of-a-long-name-{i}", theoretical=None if i % 2 else 15.0) for i in range(count)]
    figure = field_of_view_figure(views, "Note.")
    assert faults(figure) == []
    assert figure.get_figwidth() * 2.54 == pytest.approx(17)


def test_lengths_are_to_scale():
    view = make_view()
    axes = panel(field_of_view_figure([view], "Note."), "CARN")
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert (left, right, bottom, top) == (0, 48, 48, 0)
    box = axes.get_position().size * axes.figure.get_size_inches()
    assert box[0] == pytest.approx(box[1])
    circles = [patch for patch in axes.patches if isinstance(patch, Circle)]
    assert sorted(circle.radius for circle in circles) == pytest.approx([2.9, 4.8, 5.4, 6.5])
    assert all(circle.center == (24, 24) for circle in circles)
    squares = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert [square.get_width() for square in squares] == pytest.approx([21, 20 - 0.6])
    assert squares[0].get_x() == pytest.approx(24 - 10.5)


def test_global_fields_have_no_square(all_words):
    figure = field_of_view_figure([make_view(theoretical=None)], "Note.")
    assert len([patch for patch in panel(figure, "CARN").patches if isinstance(patch, Rectangle)]) == 1
    assert "RF global" in all_words(figure)


def test_colours_are_on_one_logarithmic_scale(all_words):
    views = [make_view("sharp", sigma=1.0), make_view("soft", sigma=6.0)]
    figure = field_of_view_figure(views, "Over 7 places.")
    norms = [panel(figure, view.name).images[0].norm for view in views]
    assert norms[0].vmax == norms[1].vmax == pytest.approx(100 * views[0].effective.max())
    assert norms[0].vmin == pytest.approx(norms[0].vmax / 1e4)
    words = all_words(figure)
    for part in ("Over 7 places.", "48×48", "theoretical receptive field", "95 % of the attribution map", "6.0"):
        assert part in words


def test_views_of_different_sizes_are_refused():
    with pytest.raises(SettingError, match="one size"):
        field_of_view_figure([make_view("a"), make_view("b", side=40)], "")
    with pytest.raises(SettingError):
        field_of_view_figure([], "")
