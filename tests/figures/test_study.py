"""Charts of a study and sheets of windows: nothing off the page, nothing on anything else."""

import numpy as np
import pytest
import torch

from srlens.figures.study_charts import (
    KIND_MARKS,
    Mark,
    Reach,
    distribution_figure,
    reach_figure,
    scatter_figure,
    texture_figure,
)
from srlens.figures.window_sheet import Tile, window_sheet

NAMES = ["FSRCNN", "a-checkpoint-of-a-very-long-file-name_x4_v2", "$x^2$", *(f"network-{k}" for k in range(6))]
KINDS = [[*KIND_MARKS, "another"][k % 6] for k in range(len(NAMES))]


def on_the_page(faults, figure, *allowed):
    """No fault but texts that stand on the chart on purpose."""
    return [fault for fault in faults(figure) if not any(f"'{label}" in fault for label in allowed)]


def test_a_scatter_keeps_names_within_its_axes(faults):
    marks = [
        Mark(name, kind, (2 + 1.5 * k, 1.8 + 1.4 * k, 2.3 + 1.6 * k), (26 + 0.3 * k, 25.8 + 0.3 * k, 26.3 + 0.3 * k))
        for k, (name, kind) in enumerate(zip(NAMES, KINDS, strict=True))
    ]
    figure = scatter_figure(marks, x_label="mean " * 30, y_label="PSNR, dB", notes=("Pearson 0.9 (paper 0.851)",))
    assert on_the_page(faults, figure, "chart") == []
    (axes,) = figure.axes
    boxes = [text.get_window_extent() for text in axes.texts if text.get_text()]
    assert len(boxes) == len(NAMES)
    assert all(axes.bbox.x0 <= box.x0 and box.x1 <= axes.bbox.x1 for box in boxes)


def test_names_of_points_close_together_stand_apart():
    """Five of nine networks within 4 % of a decade and 0.5 dB, as published ones are."""
    close = [("dctlsa-x4", 14.0, 22.1), ("smfanet-x4", 15.8, 21.75), ("imdn-x4", 16.4, 21.6), ("bsrn-x4", 17.7, 22.1)]
    far = [
        ("fsrcnn", 0.7, 20.8),
        ("rfdn-x4", 11.8, 21.8),
        ("rlfn-x4", 7.8, 21.8),
        ("pan-x4", 2.3, 21.7),
        ("carn-m", 1.4, 21.3),
    ]
    networks = [*close, *far]
    marks = [Mark(name, "convolution", (x, x, x), (20 + y / 30,) * 3) for name, x, y in networks]
    figure = scatter_figure(marks, x_label="DI", y_label="PSNR, dB", notes=())
    figure.canvas.draw()
    (axes,) = figure.axes
    assert axes.yaxis.label.get_window_extent().x0 >= 0
    boxes = [text.get_window_extent() for text in axes.texts if text.get_text()]
    assert not any(box.overlaps(other) for k, box in enumerate(boxes) for other in boxes[:k])
    points = axes.transData.transform([(mark.x[0], mark.y[0]) for mark in marks])
    assert not any(box.contains(*point) for box in boxes for point in points)


@pytest.mark.parametrize("low", [0.5, 2.3, 2.6, 11.0])
@pytest.mark.parametrize("ratio", [1.2, 1.6, 3, 40])
def test_every_axis_has_three_ticks_or_more(low, ratio):
    values = np.geomspace(low, low * ratio, 30)
    boxes = distribution_figure(["a", "b"], ["unknown"] * 2, np.stack([values, values]), "diffusion index")
    dots = texture_figure([("regularity", values / 100, "")], values, ["one"] * 30)
    for axis in (boxes.axes[0].xaxis, dots.axes[0].xaxis, dots.axes[0].yaxis):
        start, end = axis.get_view_interval()
        assert sum(start <= tick <= end for tick in axis.get_majorticklocs()) >= 3


def test_rows_of_boxes_and_bars(faults):
    values = np.exp(np.random.default_rng(0).standard_normal((len(NAMES), 50)))
    assert faults(distribution_figure(NAMES, KINDS, values, "diffusion index of each window")) == []
    numbers = [(k / 8, k / 9, min(1, k / 7), 1 / (k + 2)) for k in range(len(NAMES))]
    rows = [
        Reach(name, kind, "29 (22 LR px)", span, gaussian, 0.3 if name == NAMES[0] else None)
        for name, kind, (*span, gaussian) in zip(NAMES, KINDS, numbers, strict=True)
    ]
    figure = reach_figure(rows)
    assert on_the_page(faults, figure, "chart") == []
    names = {text.get_text(): text.get_position()[1] for text in figure.texts if "·" in text.get_text()}
    lowest = min(names, key=lambda name: names[name])
    assert lowest == "FSRCNN · 29 (22 LR px)"


@pytest.mark.parametrize("pictures", [3, 24, 40])
@pytest.mark.parametrize("count", [1, 4, 6])
def test_textures(faults, pictures, count):
    rng = np.random.default_rng(0)
    panels = [(f"texture {k}, surroundings", rng.random(80), "ρ = −0.34") for k in range(count)]
    figure = texture_figure(
        panels, np.exp(rng.standard_normal(80)), [f"picture_{k % pictures:03d}.png" for k in range(80)]
    )
    assert faults(figure) == []
    assert len(figure.axes) == count


@pytest.mark.parametrize("columns", [4, 8])
@pytest.mark.parametrize("size", [(40, 40), (20, 60), (60, 20)])
def test_sheets_of_windows(faults, columns, size):
    picture, mass = torch.rand(3, *size), np.random.default_rng(0).random(size)
    tile = Tile(picture, (4, 6, 8, 8), ["#1 a-picture-of-a-very-long-name.png", "20.33 dB"], mass)
    gone = Tile(None, (0, 0, 0, 0), ["#2", ""])
    figure = window_sheet([tile] * 9 + [gone], title="$ Windows", columns=columns, note="Note. " * 40)
    assert on_the_page(faults, figure, "picture") == []
    box = figure.axes[0].get_window_extent()
    assert box.width / box.height == pytest.approx(size[1] / size[0], rel=1e-3)
