"""Synthetic results, and a look at where the text of a figure stands."""

from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from torch import Tensor, nn

from srlens.attribution.method import Method
from srlens.attribution.result import Attribution
from srlens.comparison.compare import Comparison
from srlens.comparison.explained import Explained
from srlens.comparison.subject import Subject
from srlens.figures.style import styled
from srlens.imaging.window import Window
from srlens.networks.network import Network

SCALE = 4


def _make_result(
    name: str = "IMDN",
    size: tuple[int, int] = (40, 40),
    *,
    reach: float = 3.0,
    seed: int = 0,
    strength: float = 1.0,
    preset: str | None = None,
    window: Window | None = None,
) -> Attribution:
    """A peaked signed map around a window in the middle of the image."""
    height, width = size
    chosen = window if window is not None else Window.square(2 * height - 8, 2 * width - 8, 16)
    top, left, bottom, right = chosen.on_lr(SCALE)
    y, x = np.arange(height)[:, None] - (top + bottom) / 2, np.arange(width) - (left + right) / 2
    rng = np.random.default_rng(seed)
    signed = strength * np.exp(-np.hypot(y, x) / reach) * rng.standard_normal((3, height, width))
    return Attribution(
        map=signed,
        window=chosen,
        detector_at_image=float(signed.sum()) + 0.01,
        detector_at_baseline=0.0,
        map_error=0.0321,
        evaluations=9 + seed,
        converged=True,
        method=Method(preset=preset),
        network=name,
        network_digest=f"{seed:x}" * 8 + "f" * 56,
        scale=SCALE,
    )


def _make_images(size: tuple[int, int] = (40, 40)) -> tuple[Tensor, Tensor, Tensor]:
    """LR, SR and HR of noise."""
    height, width = size
    return (
        torch.rand(3, height, width),
        torch.rand(3, SCALE * height, SCALE * width),
        torch.rand(3, SCALE * height, SCALE * width),
    )


def _explained(
    result: Attribution, sr: Tensor, psnr: float | None = None, psnr_image: float | None = None
) -> Explained:
    network = Network(nn.Identity(), scale=SCALE, name=result.network)
    made = Explained(network, result, sr, Subject("image", torch.zeros(3, *result.lr_size), None, "given"), 1.0)
    vars(made).update(psnr_window=psnr, psnr_image=psnr_image)  # as if HR had been known
    return made


def _alone(
    result: Attribution,
    lr: Tensor,
    sr: Tensor,
    hr: Tensor | None = None,
    *,
    psnr: float | None = None,
    psnr_image: float | None = None,
) -> tuple[Explained, Subject]:
    """What a figure of one network takes."""
    return _explained(result, sr, psnr, psnr_image), Subject("image", lr, hr, "given")


def _make_rows(names: list[str], size: tuple[int, int] = (40, 40), *, psnr: bool = True) -> list[Explained]:
    """Networks of different reach and strength."""
    return [
        _explained(
            replace(_make_result(name, size, reach=1.5 + 2 * i, seed=i, strength=1 + i), evaluations=9 + 2 * i),
            _make_images(size)[1],
            21.5 + i if psnr else None,
        )
        for i, name in enumerate(names)
    ]


def _compared(rows: list[Explained], lr: Tensor, hr: Tensor | None = None) -> Comparison:
    """A comparison of these rows on that image."""
    window = rows[0].result.window if rows else Window.square(0, 0, 16)
    return Comparison(Subject("image", lr, hr, "given"), window, "given", tuple(rows))


def _texts(figure: Figure) -> list[Text]:
    """Every text that is drawn."""
    return [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]


def _all_words(figure: Figure) -> str:
    """The figure's text in one line, as a reader reads the wrapped caption."""
    return " ".join(" ".join(t.get_text().split()) for t in _texts(figure))


def _faults(figure: Figure, dpi: float = 120) -> list[str]:
    """Texts below 7 pt, outside the figure, on one another, or on a panel; panels on one another."""
    figure.set_dpi(dpi)
    with styled():
        renderer = FigureCanvasAgg(figure).get_renderer()
        figure.draw(renderer)
        boxes = [(t.get_text()[:40], t.get_window_extent(renderer)) for t in _texts(figure)]
    panels = [(str(axes.get_label()), axes.get_window_extent(renderer)) for axes in figure.axes]
    page = figure.bbox
    found = [f"small: {t.get_text()!r}" for t in _texts(figure) if t.get_fontsize() < 7]
    found += [f"outside: {name!r}" for name, box in boxes + panels if not _inside(box, page)]
    found += [f"on one another: {a!r}, {b!r}" for (a, x), (b, y) in combinations(boxes + panels, 2) if _overlap(x, y)]
    return found


def _inside(box: Bbox, page: Bbox) -> bool:
    return bool(box.x0 >= page.x0 - 1 and box.y0 >= page.y0 - 1 and box.x1 <= page.x1 + 1 and box.y1 <= page.y1 + 1)


def _overlap(a: Bbox, b: Bbox) -> bool:
    return bool(min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1)


@pytest.fixture
def make_result() -> Any:
    return _make_result


@pytest.fixture
def make_images() -> Any:
    return _make_images


@pytest.fixture
def make_rows() -> Any:
    return _make_rows


@pytest.fixture
def all_words() -> Any:
    return _all_words


@pytest.fixture
def faults() -> Any:
    return _faults


@pytest.fixture
def alone() -> Any:
    return _alone


@pytest.fixture
def compared() -> Any:
    return _compared
