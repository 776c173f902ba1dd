"""Several networks side by side: common scales, every panel, every number, nothing on anything else."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from matplotlib.colors import FuncNorm

from srlens.errors import ImageError, SettingError
from srlens.figures.comparison import comparison_figure
from srlens.imaging.window import Window
from srlens.measures.density import contribution_density

THREE = ["FSRCNN", "PAN", "IMDN"]


def panels(figure, start):
    return [axes for axes in figure.axes if axes.get_label().startswith(start)]


def shown(axes):
    """What the topmost image of a panel holds."""
    return axes.images[-1]


@pytest.mark.parametrize("style", ["default", "paper"])
@pytest.mark.parametrize("with_hr", [True, False])
@pytest.mark.parametrize(
    ("count", "size"),
    [
        (1, (40, 40)),
        (2, (40, 40)),
        (3, (40, 40)),
        (8, (40, 40)),
        (10, (40, 40)),
        (3, (24, 96)),
        (5, (16, 96)),
        (3, (96, 24)),
        (2, (120, 12)),
        (3, (160, 240)),
    ],
)
def test_panels_bars_and_text_stand_apart(compared, make_rows, make_images, faults, count, size, with_hr, style):
    window = None if min(size) > 12 else Window(100, 10, 16, 16)
    rows = make_rows([f"network-{i}" for i in range(count)], size)
    if window:
        rows = [replace(row, result=replace(row.result, window=window)) for row in rows]
    lr, _, hr = make_images(size)
    figure = comparison_figure(compared(rows, lr, hr if with_hr else None), style=style)
    assert faults(figure) == []
    assert figure.get_figwidth() * 2.54 == pytest.approx(8.5 if count == 1 else 17)
    for kind in ("sr window ", "map network", "area network"):
        assert len(panels(figure, kind)) == count
    bands = len(panels(figure, "map bar"))
    assert len(panels(figure, "area bar")) == len(panels(figure, "lr window")) == bands >= 1
    assert len(panels(figure, "hr window")) == (bands if with_hr else 0)
    assert len({axes.get_position().size.round(6).tobytes() for axes in panels(figure, "map n")}) == 1
    box = panels(figure, "map n")[0].get_window_extent()
    assert box.width / box.height == pytest.approx(size[1] / size[0], rel=1e-3)


def test_ten_networks_fit_on_a_page(compared, make_rows, make_images):
    lr, _, hr = make_images()
    figure = comparison_figure(compared(make_rows([f"network {i}" for i in range(10)]), lr, hr))
    assert figure.get_figheight() * 2.54 <= 22.6


def test_scales_are_common_to_all_networks(compared, make_rows, make_images):
    rows = make_rows(THREE)
    lr, _, hr = make_images()
    figure = comparison_figure(compared(rows, lr, hr), bandwidth=1.5)
    limit = max(np.abs(row.result.map.sum(axis=0)).max() for row in rows)
    density = max(contribution_density(row.result.map, 1.5)[0].max() for row in rows)
    maps = [shown(axes) for axes in panels(figure, "map ") if not axes.get_label().startswith("map bar")]
    areas = [shown(axes) for axes in panels(figure, "area ") if not axes.get_label().startswith("area bar")]
    assert len(maps) == len(areas) == 3
    for image, row in zip(maps, rows, strict=True):
        assert (image.norm.vmin, image.norm.vmax) == pytest.approx((-limit, limit))
        np.testing.assert_array_equal(image.get_array(), row.result.map.sum(axis=0))
        assert isinstance(image.norm, FuncNorm)
    for image, row in zip(areas, rows, strict=True):
        assert (image.norm.vmin, image.norm.vmax) == pytest.approx((0, 100 * density))
        np.testing.assert_allclose(image.get_array(), 100 * contribution_density(row.result.map, 1.5)[0])
    ends = panels(figure, "map bar")[0].get_ylim()
    assert ends == pytest.approx((-limit, limit))


def test_one_bandwidth_for_all_is_chosen_and_stated(compared, make_rows, make_images, all_words):
    rows = make_rows(THREE)
    lr, _, hr = make_images()
    words = all_words(comparison_figure(compared(rows, lr, hr)))
    stated = float(re.search(r"σ = ([\d.]+) LR pixels for all", words)[1])
    own = [np.linalg.det(np.array(contribution_density(row.result.map)[1].covariance)) ** 0.25 for row in rows]
    assert stated == pytest.approx(np.prod(own) ** (1 / 3), rel=0.05)
    assert min(own) < stated < max(own)


def test_numbers_and_conditions_are_stated(compared, make_rows, make_images, all_words):
    rows = make_rows(THREE)
    lr, _, hr = make_images()
    words = all_words(comparison_figure(compared(rows, lr, hr)))
    for row in rows:
        result = row.result
        di = result.diffusion_index
        assert (f"{di:.2f}" if di >= 1 else f"{di:.2g}") in words
        assert f"{row.psnr_window:.2f} dB" in words
        assert f"{result.network}: {result.evaluations} steps" in words
        assert result.network_digest[:8] in words
    for word in ("DI (LR 40×40)", "Completeness gap", "Map error, est.", "3.2 %", "Effective pixels", "PSNR, window"):
        assert word in words
    assert "PSNR, image" not in words  # no network has one
    shared = (
        "Window 16×16 at (top 72, left 72), ×4, LR 40×40, lam, gradient detector, progressive-blur, σ 1.2, kernel 9"
    )
    assert shared in words
    assert words.count("gradient detector") == 1
    assert "default preset" in words
    assert "cube root" in words


def test_a_missing_number_is_a_dash_and_a_missed_tolerance_is_marked(compared, make_rows, make_images, all_words):
    rows = make_rows(["A", "B"])
    rows[1] = replace(rows[1], result=replace(rows[1].result, converged=False))
    lr, _, _ = make_images()
    words = all_words(comparison_figure(compared(rows, lr)))
    assert " – " in words
    assert "3.2 % †" in words
    assert "† the step limit came before the tolerance" in words
    assert "†" not in all_words(comparison_figure(compared(rows[:1], lr)))


def test_paper_style_divides_each_map_by_its_maximum(compared, make_rows, make_images, all_words):
    rows = make_rows(THREE)
    lr, _, hr = make_images()
    figure = comparison_figure(compared(rows, lr, hr), style="paper")
    for row in rows:
        (axes,) = panels(figure, f"map {row.result.network}")
        expected = row.result.absolute / row.result.absolute.max()
        np.testing.assert_allclose(shown(axes).get_array(), expected)
        assert (shown(axes).norm.vmin, shown(axes).norm.vmax) == (0, 1)
        assert shown(axes).cmap(0.3)[3] == shown(axes).cmap(1.0)[3] == 0.5
    assert "half blended" in all_words(figure)


def test_the_same_window_of_every_picture(compared, make_rows, make_images):
    rows = make_rows(["A", "B"])
    rows = [replace(row, result=replace(row.result, window=Window(30, 50, 12, 20))) for row in rows]
    lr, _, hr = make_images()
    figure = comparison_figure(compared(rows, lr, hr))
    for axes in [*panels(figure, "sr window"), *panels(figure, "hr window")]:
        assert (axes.get_xlim(), axes.get_ylim()) == ((50, 70), (42, 30))
        box = axes.get_window_extent()
        assert box.width / box.height == pytest.approx(20 / 12)
    (crop,) = panels(figure, "lr window")
    assert (crop.get_xlim(), crop.get_ylim()) == ((12.5, 17.5), (10.5, 7.5))
    np.testing.assert_allclose(panels(figure, "sr window B")[0].images[0].get_array(), rows[1].sr.permute(1, 2, 0))


@pytest.mark.parametrize("style", ["default", "paper"])
def test_any_name_is_set_as_it_stands(compared, make_rows, make_images, faults, all_words, style):
    names = ["$x^2$ of_a_{net", "a\nname\twith breaks", "imdn-multiscale-very-long-file-name-without-blanks_x4_v2", ""]
    lr, _, _ = make_images()
    figure = comparison_figure(compared(make_rows(names), lr), style=style)
    assert faults(figure) == []
    assert "$x^2$" in all_words(figure)


def test_a_luma_network_is_drawn_beside_rgb_ones(compared, make_rows, make_images, faults):
    rows = make_rows(["Y", "RGB"])
    y = rows[0].result
    rows[0] = replace(rows[0], sr=rows[0].sr[:1], result=replace(y, map=y.map[:1]))
    lr, _, hr = make_images()
    assert faults(comparison_figure(compared(rows, lr, hr))) == []


def test_what_does_not_belong_together_is_refused(compared, make_rows, make_images):
    lr, _, hr = make_images()
    rows = make_rows(["A", "B"])
    with pytest.raises(SettingError, match="at least one"):
        comparison_figure(compared([], lr))
    moved = replace(rows[1], result=replace(rows[1].result, window=Window(0, 0, 16, 16)))
    with pytest.raises(SettingError, match="top 0, left 0"):
        comparison_figure(compared([rows[0], moved], lr))
    with pytest.raises(SettingError, match="×2"):
        comparison_figure(compared([rows[0], replace(rows[1], result=replace(rows[1].result, scale=2))], lr))
    with pytest.raises(ImageError, match="41"):
        comparison_figure(compared(rows, torch.rand(3, 40, 41)))
    with pytest.raises(ImageError, match="SR image of B"):
        comparison_figure(compared([rows[0], replace(rows[1], sr=torch.rand(3, 160, 164))], lr))
    with pytest.raises(ImageError, match="HR image"):
        comparison_figure(compared(rows, lr, hr[:, :-1]))
    with pytest.raises(SettingError, match="paper"):
        comparison_figure(compared(rows, lr), style="pretty")
    with pytest.raises(SettingError, match="bandwidth"):
        comparison_figure(compared(rows, lr), bandwidth=0)
