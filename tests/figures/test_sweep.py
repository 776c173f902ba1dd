"""The picture of a sweep: every point, ranks, conditions, nothing on anything else."""

from dataclasses import replace

import numpy as np
import pytest

from srlens.attribution.path import ProgressiveBlur
from srlens.comparison.sweep import Sweep, SweepPoint
from srlens.errors import SettingError
from srlens.figures.charts import line_look
from srlens.figures.sweep import sweep_figure
from srlens.imaging.window import Window

VALUES = (0.6, 1.2, 2.4)


@pytest.fixture
def make_sweep(make_result):
    """Networks of different reach at three σ; the last network looks less and less far."""

    def make(count, setting="sigma", reach=0.5):
        def result(i, k):
            far = reach * (1 + i) if i < count - 1 or count == 1 else reach * count / (1 + k)
            made = make_result(f"network-{i}", reach=far, seed=i)
            return replace(made, method=made.method.but(path=ProgressiveBlur(VALUES[k], 17)))

        results = {f"network-{i}": [result(i, k) for k in range(len(VALUES))] for i in range(count)}
        indices = np.array([[r.diffusion_index for r in row] for row in results.values()])
        ranks = 1 + (-indices).argsort(axis=0, kind="stable").argsort(axis=0)
        points = {
            name: tuple(map(SweepPoint, VALUES, row, of.tolist()))
            for (name, row), of in zip(results.items(), ranks, strict=True)
        }
        return Sweep(setting, Window.square(72, 72, 16), points)

    return make


def drawn(figure, label):
    (axes,) = [axes for axes in figure.axes if axes.get_label() == label]
    return axes


@pytest.mark.parametrize("count", [1, 2, 8, 17])
@pytest.mark.parametrize("setting", ["sigma", "steps", "window", "kernel"])
def test_text_stands_apart(make_sweep, faults, count, setting):
    figure = sweep_figure(make_sweep(count, setting))
    # Names stand beside the ranks; tick labels beside their axes.
    assert faults(figure) == []
    assert figure.get_figwidth() * 2.54 == pytest.approx(8.5 if count == 1 else 17)
    assert len(figure.axes) == (1 if count == 1 else 2)


def test_every_point_is_drawn(make_sweep):
    swept = make_sweep(4)
    figure = sweep_figure(swept)
    indices = [[point.result.diffusion_index for point in points] for points in swept.points.values()]
    lines = drawn(figure, "indices").lines
    assert [list(line.get_ydata()) for line in lines] == indices
    assert all(list(line.get_xdata()) == list(VALUES) for line in lines)
    ranks = np.array([line.get_ydata() for line in drawn(figure, "ranks").lines])
    assert ranks.tolist() == [[point.rank for point in points] for points in swept.points.values()]
    assert ranks[3].tolist() == [1, 2, 3] or ranks[3, 0] < ranks[3, 2]  # the change of places is seen
    assert drawn(figure, "ranks").yaxis_inverted()
    limits = drawn(figure, "indices").get_ylim()
    assert limits[0] <= np.min(indices) <= np.max(indices) <= limits[1]


def test_caption_states_the_conditions(make_sweep, all_words):
    words = all_words(sweep_figure(make_sweep(3)))
    for part in (
        "Swept: σ",
        "LR 40×40",
        "gradient detector",
        "default preset",
        "Steps: 9 to 11",
        "DI depends",
        "SHA-256",
    ):
        assert part in words
    assert "σ 0.6" not in words  # the swept setting is no condition


def test_networks_are_told_apart_without_colour():
    looks = [line_look(number) for number in range(56)]
    assert len({tuple(look.values()) for look in looks}) == 56
    assert len({look["marker"] for look in looks[:8]}) == 8


def test_what_cannot_be_drawn(make_sweep):
    swept = make_sweep(2)
    with pytest.raises(SettingError, match="known: sigma"):
        sweep_figure(replace(swept, setting="colour"))
    short = {name: points[: 2 + i] for i, (name, points) in enumerate(swept.points.items())}
    with pytest.raises(SettingError, match="same one or more values"):
        sweep_figure(replace(swept, points=short))
    for nothing in ({}, {"a": ()}):
        with pytest.raises(SettingError, match="one network or more"):
            sweep_figure(replace(swept, points=nothing))
