"""The picture of a reach: every point of every fill, the radius, text that stands apart."""

from dataclasses import replace

import pytest

from srlens.figures.of import figure_of
from srlens.imaging.window import Window
from srlens.trust.reach_result import Reach, ReachCurve, ReachPoint


def curve(fill: str, radius: int, *, clean: bool) -> ReachCurve:
    change = 0.5 if clean else None
    radii = (0, 1, 2, 4, 8, 16)
    farther = tuple(ReachPoint(r, 0.2 / (1 + r), 1 / (1 + r), change) for r in radii)
    nearer = tuple(ReachPoint(r, 0.1, 1.0, change) for r in radii)
    return ReachCurve(fill, radius, (*farther, ReachPoint(31, 0.0, 0.0, 0.0 if clean else None)), nearer, 0.1, True)


@pytest.fixture
def reach() -> Reach:
    curves = tuple(curve(fill, radius, clean=True) for fill, radius in (("blur", 8), ("mean", 19), ("patches", 21)))
    return Reach(
        "IMDN",
        "ab" * 32,
        4,
        (64, 64),
        Window(120, 120, 16, 16),
        "gradient",
        40.0,
        curves,
        31,
        31,
        5.0,
        25.0,
        50,
        "full",
    )


def test_every_point_is_drawn(reach, faults):
    figure = figure_of(reach)
    assert faults(figure) == []
    assert figure.get_figwidth() * 2.54 == pytest.approx(17)
    window, share, psnr = figure.axes
    assert [len(line.get_xdata()) for line in share.lines[:6]] == [7, 6] * 3
    assert list(window.lines[0].get_ydata()) == pytest.approx([-point.change_db for point in reach.curve[:-1]] + [-80])
    assert list(psnr.lines[0].get_ydata()) == [0.5] * 6 + [0]


def test_without_clean_picture_and_for_the_smallest(reach, faults):
    local = ReachCurve("mean", 0, (ReachPoint(0, 0.0, None, None),), (), 0.1, False)
    for other in (
        replace(reach, psnr=None, curves=tuple(curve(fill, 8, clean=False) for fill in ("blur", "linear"))),
        replace(reach, psnr=None, curves=(local,), field_radius=0),
    ):
        figure = other.figure()
        assert faults(figure) == []
        assert len(figure.axes) == 2
