"""The figure of bands and frames: a panel each on one scale, with its share."""

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from srlens.comparison.parts import shares_in_words
from srlens.comparison.subject import Subject
from srlens.errors import ImageError, SettingError
from srlens.figures.explain import explain_figure
from srlens.figures.of import figure_of
from srlens.figures.parts import parts_figure


def panels(figure: Figure, begin: str) -> list[str]:
    return [str(axes.get_label()) for axes in figure.axes if str(axes.get_label()).startswith(begin)]


def words(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.texts)


@pytest.fixture
def parted(make_result):
    def make(*shape: int, name: str = "net", factors: np.ndarray | None = None):
        from dataclasses import replace

        result = make_result(name, shape[-2:])
        weights = np.ones(shape[:-2]) if factors is None else factors
        return replace(result, map=weights[..., None, None] * result.map.sum(axis=0))

    return make


def test_the_strip_of_frames(parted) -> None:
    factors = np.array([0.0, 3.0, 1.0, 0.0, 0.0])[:, None] * np.ones((1, 3))
    result = parted(5, 3, 40, 40, factors=factors)
    assert result.shares == pytest.approx([0, 0.75, 0.25, 0, 0])
    subject = Subject("clip", torch.rand(5, 3, 40, 40), None, "given", scale=4)
    figure = parts_figure(result, subject)
    assert len(panels(figure, "frame")) == len(panels(figure, "map net")) == 5
    assert not panels(figure, "shares")  # numbers are enough for few
    told = words(figure)
    for expected in ("frame 3*", "75.0 %", "25.0 %", "0.0 %", "centre frame"):
        assert expected in told
    norms = {axes.images[-1].norm.vmax for axes in figure.axes if str(axes.get_label()).startswith("map net")}
    assert len(norms) == 1
    assert shares_in_words(result, most=2) == "frame 2 75.0 %, frame 3 25.0 %; others 0.0 %"
    explained = explain_figure(result, subject)
    assert "channels and frames summed" in words(explained).replace("\n", " ")


def test_31_bands_of_two_networks(parted) -> None:
    results = [parted(31, 40, 40, name=name, factors=np.linspace(0.1, k, 31)) for k, name in ((1, "a"), (2, "b"))]
    subject = Subject("cube", torch.rand(31, 40, 40), None, "given", scale=4, bands=(31, 15, 1))
    figure = parts_figure(results, subject)
    assert len(panels(figure, "band")) == len(panels(figure, "map a")) - len(panels(figure, "map a bar")) == 31
    (chart,) = (axes for axes in figure.axes if axes.get_label() == "shares")
    for line, result in zip(chart.lines, results, strict=True):
        np.testing.assert_allclose(line.get_ydata(), 100 * np.array(result.shares))
    caption = words(explain_figure(results[0], subject))
    assert "bands 31, 15, 1 as red, green, blue" in caption.replace("\n", " ")
    unnamed = Subject("cube", subject.lr, None, "given", scale=4)
    assert "mean of the 31 bands" in words(explain_figure(results[0], unnamed)).replace("\n", " ")
    assert figure_of(results[0], subject=subject).axes


def test_what_has_no_such_figure(parted) -> None:
    with pytest.raises(SettingError, match="at least 2"):
        parts_figure(parted(1, 40, 40))
    with pytest.raises(SettingError, match="as many frames or bands"):
        parts_figure([parted(4, 40, 40), parted(5, 40, 40)])
    with pytest.raises(ImageError, match="must be"):
        parts_figure(parted(4, 40, 40), Subject("cube", torch.rand(4, 20, 20), None, "given", scale=4))
