"""The picture of fields of view: one scale, every circle where it belongs."""

import numpy as np
import pytest
import torch
from matplotlib.patches import Circle, Rectangle
from torch import nn

from srlens.comparison.effective import EffectiveField, central_window
from srlens.comparison.explained import Measurable
from srlens.comparison.field_of_view import FieldOfView
from srlens.comparison.support import GradientSupport
from srlens.errors import SettingError
from srlens.figures.field_of_view import field_of_view_figure
from srlens.networks.network import Network
from srlens.networks.receptive_field import ReceptiveField, Stage


@pytest.fixture
def make_field(make_result):
    def make(name="CARN", side=48, sigma=2.0, radius=10, places=16):
        y, x = np.indices((side, side)) + 0.5 - side / 2
        effective = np.exp(-(y**2 + x**2) / (2 * sigma**2))
        stages = None if radius is None else (Stage(grid=1, radius=radius),)
        window = central_window(side, side, 4, 4)
        magnitude = torch.zeros(side, side)
        magnitude[14:34, 14:34] = 1.0
        return FieldOfView(
            network=Network(nn.Identity(), scale=4, name=name, receptive_field=ReceptiveField(stages, None)),
            side=side,
            support=GradientSupport(window, 4, magnitude, 3),
            effective=EffectiveField(
                map=torch.from_numpy(effective / effective.sum()),
                window=window,
                scale=4,
                images=places,
                sigma=sigma,
                fit_error=0.1,
                radii={0.5: 2.4, 0.9: 4.3, 0.95: 4.9},
            ),
            explained=Measurable.of(make_result(name, (side, side))),
            lam_radius=6.0,
        )

    return make


def panel(figure, name):
    (axes,) = [axes for axes in figure.axes if axes.get_label() == f"field of view {name}"]
    return axes


@pytest.mark.parametrize("count", [1, 2, 4, 5, 9])
def test_panels_and_text_stand_apart(make_field, faults, count):
    fields = [make_field(f"network-of-a-long-name-{i}", radius=None if i % 2 else 7) for i in range(count)]
    figure = field_of_view_figure(fields)
    assert faults(figure) == []
    assert figure.get_figwidth() * 2.54 == pytest.approx(17)
    assert figure.get_figheight() * 2.54 <= 22.6


def test_lengths_are_to_scale(make_field):
    axes = panel(field_of_view_figure([make_field()]), "CARN")
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert (left, right, bottom, top) == (0, 48, 48, 0)
    box = axes.get_position().size * axes.figure.get_size_inches()
    assert box[0] == pytest.approx(box[1])
    circles = [patch for patch in axes.patches if isinstance(patch, Circle)]
    assert sorted(circle.radius for circle in circles) == pytest.approx([2.9, 4.8, 5.4, 6.5])
    assert all(circle.center == (24.5, 24.5) for circle in circles)
    squares = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert [square.get_width() for square in squares] == pytest.approx([21, 20 - 0.6])
    assert squares[0].get_x() == pytest.approx(24.5 - 10.5)


def test_global_fields_have_no_square(make_field, all_words):
    figure = field_of_view_figure([make_field(radius=None)])
    assert len([patch for patch in panel(figure, "CARN").patches if isinstance(patch, Rectangle)]) == 1
    assert "RF global" in all_words(figure)


def test_colours_are_on_one_logarithmic_scale(make_field, all_words):
    fields = [make_field("sharp", sigma=1.0, places=7), make_field("soft", sigma=6.0, places=7)]
    figure = field_of_view_figure(fields)
    norms = [panel(figure, field.network.name).images[0].norm for field in fields]
    assert norms[0].vmax == norms[1].vmax == pytest.approx(100 * float(fields[0].effective.map.max()))
    assert norms[0].vmin == pytest.approx(norms[0].vmax / 1e4)
    words = all_words(figure)
    for part in (
        "over 7 places",
        "48×48",
        "theoretical receptive field",
        "95 % of the attribution map",
        "6.0",
        "20×20",
    ):
        assert part in words


def test_fields_of_different_sizes_are_refused(make_field):
    with pytest.raises(SettingError, match="one size"):
        field_of_view_figure([make_field("a"), make_field("b", side=40)])
    with pytest.raises(SettingError):
        field_of_view_figure([])
