"""The picture of a sweep: every point, ranks, conditions, nothing on anything else."""

from dataclasses import replace

import numpy as np
import pytest

from srlens.attribution.path import ProgressiveBlur
from srlens.errors import SettingError
from srlens.figures.lines import line_look
from srlens.figures.sweep import rank_by_index, sweep_figure

VALUES = (0.6, 1.2, 2.4)


@pytest.fixture
def make_sweep(make_result):
    """Networks of different reach at three σ; the last network looks less and less far."""

    def make(count, reach=0.5):
        def result(i, k):
            far = reach * (1 + i) if i < count - 1 or count == 1 else reach * count / (1 + k)
            made = make_result(f"network-{i}", reach=far, seed=i)
            return replace(made, method=made.method.but(path=ProgressiveBlur(VALUES[k], 17)))

        return {f"network-{i}": [result(i, k) for k in range(len(VALUES))] for i in range(count)}

    return make


def drawn(figure, label):
    (axes,) = [axes for axes in figure.axes if axes.get_label() == label]
    return axes


@pytest.mark.parametrize("count", [1, 2, 8, 17])
@pytest.mark.parametrize("setting", ["sigma", "steps", "window", "kernel"])
def test_text_stands_apart(make_sweep, faults, count, setting):
    figure = sweep_figure(setting, VALUES, make_sweep(count))
    # Names stand beside the ranks; tick labels beside their axes.
    assert faults(figure) == []
    assert figure.get_figwidth() * 2.54 == pytest.approx(8.5 if count == 1 else 17)
    assert len(figure.axes) == (1 if count == 1 else 2)


def test_every_point_is_drawn(make_sweep):
    results = make_sweep(4)
    figure = sweep_figure("sigma", VALUES, results)
    indices = [[r.diffusion_index for r in row] for row in results.values()]
    lines = drawn(figure, "indices").lines
    assert [list(line.get_ydata()) for line in lines] == indices
    assert all(list(line.get_xdata()) == list(VALUES) for line in lines)
    ranks = np.array([line.get_ydata() for line in drawn(figure, "ranks").lines])
    assert np.array_equal(ranks, rank_by_index(np.array(indices)))
    assert ranks[3].tolist() == [1, 2, 3] or ranks[3, 0] < ranks[3, 2]  # the change of places is seen
    assert drawn(figure, "ranks").yaxis_inverted()
    limits = drawn(figure, "indices").get_ylim()
    assert limits[0] <= np.min(indices) <= np.max(indices) <= limits[1]


def test_ranks():
    indices = np.array([[1.0, 5.0], [3.0, 2.0], [3.0, 9.0]])
    assert rank_by_index(indices).tolist() == [[3, 2], [1, 3], [2, 1]]


def test_caption_states_the_conditions(make_sweep, all_words):
    words = all_words(sweep_figure("sigma", VALUES, make_sweep(3)))
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
    assert len(set(looks)) == 56
    assert len({look.marker for look in looks[:8]}) == 8


def test_what_cannot_be_drawn(make_sweep):
    results = make_sweep(2)
    with pytest.raises(SettingError, match="known: sigma"):
        sweep_figure("colour", VALUES, results)
    with pytest.raises(SettingError, match="2 values"):
        sweep_figure("sigma", VALUES[:2], results)
    with pytest.raises(SettingError, match="0 values"):
        sweep_figure("sigma", (), {})
