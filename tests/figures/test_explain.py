"""One network explained."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from srlens.errors import ImageError, SettingError
from srlens.figures.explain import explain_figure
from srlens.imaging.window import Window


def panel(figure, label):
    (axes,) = [axes for axes in figure.axes if axes.get_label() == label]
    return axes


@pytest.mark.parametrize("style", ["default", "paper"])
@pytest.mark.parametrize("with_hr", [True, False])
@pytest.mark.parametrize(
    "size", [(40, 40), (48, 64), (32, 64), (16, 80), (10, 100), (64, 40), (100, 25), (160, 16), (200, 320)]
)
def test_panels_bars_and_text_stand_apart(alone, make_result, make_images, faults, size, with_hr, style):
    lr, sr, hr = make_images(size)
    figure = explain_figure(
        *alone(make_result(size=size), lr, sr, hr if with_hr else None, psnr=21.34, psnr_image=28.1), style=style
    )
    assert faults(figure) == []
    assert figure.get_figwidth() * 2.54 == pytest.approx(17)
    assert figure.get_figheight() * 2.54 < 22.5
    labels = {axes.get_label() for axes in figure.axes}
    assert labels == {"lr", "sr window", "map", "area", "map bar", "area bar"} | ({"hr window"} if with_hr else set())
    sizes = [panel(figure, label).get_position().size for label in ("lr", "map", "area")]
    np.testing.assert_allclose(sizes, [sizes[0]] * 3)
    box = panel(figure, "lr").get_window_extent()
    assert box.width / box.height == pytest.approx(size[1] / size[0], rel=1e-3)


@pytest.mark.parametrize("shape", [(4, 40), (40, 4), (64, 64), (1, 1)])
def test_windows_of_any_shape(alone, make_result, make_images, faults, shape):
    lr, sr, hr = make_images()
    result = make_result(window=Window(60, 60, *shape))
    figure = explain_figure(*alone(result, lr, sr, hr))
    assert faults(figure) == []
    for label in ("sr window", "hr window"):
        box = panel(figure, label).get_window_extent()
        assert box.width / box.height == pytest.approx(shape[1] / shape[0], rel=1e-3)


@pytest.mark.parametrize("preset", [None, "paper"])
def test_the_caption_says_everything_that_the_numbers_depend_on(alone, make_result, make_images, all_words, preset):
    lr, sr, hr = make_images()
    result = make_result(preset=preset)
    words = all_words(explain_figure(*alone(result, lr, sr, hr, psnr=21.34, psnr_image=28.1)))
    assert result.conditions[1:] in words
    for word in (
        "IMDN",
        "DI (LR 40×40)",
        f"{result.diffusion_index:.2f}",
        f"{result.effective_pixels:.0f}",
        "21.34 dB",
        "28.10 dB",
        "Completeness gap",
        "3.2 %",
        result.network_digest[:8],
        "Scott's rule",
        "cube root",
        "DI depends on the LR size",
    ):
        assert word in words
    assert ("authors' shift" in words) == (preset == "paper")


def test_what_is_not_known_is_not_said(alone, make_result, make_images, all_words):
    lr, sr, _ = make_images()
    words = all_words(explain_figure(*alone(replace(make_result(), map_error=None), lr, sr)))
    assert "PSNR" not in words
    assert "Map error" not in words
    assert "HR window" not in words


def test_the_outline_runs_around_the_window(alone, make_result, make_images):
    lr, sr, _ = make_images()
    result = make_result(window=Window(40, 60, 16, 24))
    figure = explain_figure(*alone(result, lr, sr))
    for label in ("lr", "map", "area"):
        outlines = [p for p in panel(figure, label).patches if isinstance(p, Rectangle)]
        assert outlines
        for patch in outlines:
            x0, y0 = patch.get_xy()
            # A little outside (top 10, left 15, bottom 14, right 21) on the LR grid, by less than a pixel.
            assert 9 < y0 < 10
            assert 14 < x0 < 15
            assert 14 < y0 + patch.get_height() < 15
            assert 21 < x0 + patch.get_width() < 22
    colours = [p.get_edgecolor()[:3] for p in panel(figure, "lr").patches]
    assert colours == [(1, 1, 1), (0, 0, 0)]  # seen on any background


def test_zero_has_the_middle_colour_and_the_bar_is_that_of_the_map(alone, make_result, make_images):
    lr, sr, _ = make_images()
    figure = explain_figure(*alone(make_result(), lr, sr))
    image = panel(figure, "map").images[0]
    assert image.norm(0.0) == pytest.approx(0.5)
    assert image.norm.vmin == -image.norm.vmax
    assert panel(figure, "map bar").get_xlim() == pytest.approx((image.norm.vmin, image.norm.vmax))
    assert len(panel(figure, "map bar").get_xticklabels()) == 5


def test_a_narrow_map_of_a_large_image_is_shown_enlarged(alone, make_result, make_images, all_words):
    size = (200, 320)
    lr, sr, _ = make_images(size)
    result = make_result(size=size)
    figure = explain_figure(*alone(result, lr, sr))
    left, right = panel(figure, "map").get_xlim()
    bottom, top = panel(figure, "map").get_ylim()
    assert right - left < 160
    assert result.absolute[int(top) : int(bottom), int(left) : int(right)].sum() >= 0.99 * result.absolute.sum()
    assert panel(figure, "area").get_xlim() == (left, right)
    assert panel(figure, "lr").get_xlim() == (0, 320)
    assert f"rows {top:.0f}–{bottom - 1:.0f} and columns {left:.0f}–{right - 1:.0f} (dashed)" in all_words(figure)


def test_the_user_s_matplotlib_settings_neither_matter_nor_change(alone, make_result, make_images, faults):
    import matplotlib

    lr, sr, hr = make_images()
    with matplotlib.rc_context({"font.size": 30, "figure.facecolor": "black", "axes.grid": True, "text.color": "red"}):
        before = dict(matplotlib.rcParams)
        figure = explain_figure(*alone(make_result(), lr, sr, hr))
        assert dict(matplotlib.rcParams) == before
    assert faults(figure) == []
    assert figure.get_facecolor() == (1, 1, 1, 1)
    assert figure.texts[0].get_color() == "black"


def test_what_does_not_belong_together_is_refused(alone, make_result, make_images):
    lr, sr, hr = make_images()
    result = make_result()
    with pytest.raises(ImageError, match="LR image"):
        explain_figure(*alone(result, lr[:, 1:], sr))
    with pytest.raises(ImageError, match="SR image"):
        explain_figure(*alone(result, lr, lr))
    with pytest.raises(ImageError, match="HR image"):
        explain_figure(*alone(result, lr, sr, hr[0]))
    with pytest.raises(SettingError, match="default"):
        explain_figure(*alone(result, lr, sr), style="neon")


def test_the_checks_of_these_tests_see_faults(alone, make_result, make_images, faults):
    lr, sr, _ = make_images()
    figure = explain_figure(*alone(make_result(), lr, sr))
    figure.text(0.5, 0.5, "on a panel", fontsize=8)
    figure.text(0.97, 0.98, "beyond the edge", fontsize=8)
    figure.text(0.3, 0.99, "tiny", fontsize=4)
    found = " ".join(faults(figure))
    assert "on one another: 'on a panel'" in found
    assert "outside: 'beyond the edge'" in found
    assert "small: 'tiny'" in found
