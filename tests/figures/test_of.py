"""One function draws every kind of result, with as much beside it as is at hand."""

import dataclasses

import numpy as np
import pytest

import srlens
from srlens.attribution.attribute import field_method
from srlens.attribution.field import Field, FieldPoint, grid_windows
from srlens.comparison.compare import Comparison
from srlens.comparison.interest import area_of_interest
from srlens.errors import ImageError, SettingError, ZeroMapError
from srlens.figures.of import FIGURES, figure_of


def labels(figure):
    return {axes.get_label() for axes in figure.axes}


def make_field(size=(30, 45), *, flat=2):
    windows = grid_windows(4 * size[0], 4 * size[1], 16, 16)
    points = tuple(
        FieldPoint(window, None if k < flat else 1.0 + k, None if k < flat else 10.0 + k, 1.0, 0.01, 0.02)
        for k, window in enumerate(windows)
    )
    return Field(points, size, 4, "IMDN", "ab" * 32, field_method(), 12, "full")


def test_an_attribution_is_drawn_on_the_picture_that_it_holds():
    network, image = srlens.open_network("plain"), srlens.make_lr(srlens.open_image("hopper"), 4)[:, :24, :24]
    result = srlens.attribute(network, image, srlens.Window(32, 32, 16, 16), tolerance=0.1)
    figure = result.figure()
    assert labels(figure) == {"lr", "map", "area", "map bar", "area bar"}
    (lr,) = (axes for axes in figure.axes if axes.get_label() == "lr")
    np.testing.assert_allclose(lr.images[0].get_array(), np.moveaxis(image.numpy(), 0, -1), atol=1 / 255)
    assert labels(dataclasses.replace(result, image=None).figure()) == {"map", "area", "map bar", "area bar"}


@pytest.mark.parametrize("size", [(40, 40), (16, 80), (120, 12), (200, 320)])
def test_an_attribution_is_drawn_alone_or_beside_its_images(alone, make_result, make_images, faults, all_words, size):
    lr, sr, hr = make_images(size)
    result = make_result(size=size)
    explained, subject = alone(result, lr, sr, hr, psnr=21.0)
    for given, options, expected in (
        (result, {}, set()),
        (result, {"style": "paper"}, set()),
        (result, {"subject": subject}, {"lr", "hr window"}),
        (explained, {}, {"sr window"}),
        (explained, {"subject": subject}, {"lr", "sr window", "hr window"}),
    ):
        figure = figure_of(given, **options)
        assert labels(figure) == {"map", "area", "map bar", "area bar"} | expected
        assert faults(figure) == []
        words = all_words(figure)
        assert result.conditions[1:] in words
        assert ("LR image" in words or "dashed" in words) <= ("lr" in expected)


def test_every_kind_of_result_has_a_figure(make_rows, make_images, compared):
    lr, _, hr = make_images()
    comparison = compared(make_rows(["a", "b"]), lr, hr)
    assert "map a" in labels(figure_of(comparison))
    assert "agreement" in labels(figure_of(area_of_interest(comparison)))
    assert "sr window" in labels(figure_of(compared(make_rows(["a"]), lr, hr)))
    assert {kind.__name__ for kind in FIGURES} >= {"Attribution", "Explained", "Sweep", "FieldOfView", "Field"}
    assert Comparison in FIGURES


@pytest.mark.parametrize("nothing", [3, "map", [], [3], None])
def test_what_is_no_result_is_refused(nothing):
    with pytest.raises(SettingError, match="known: Attribution"):
        figure_of(nothing)


@pytest.mark.parametrize("size", [(30, 45), (60, 20), (10, 120)])
@pytest.mark.parametrize("with_lr", [True, False])
def test_a_field_with_and_without_its_image(make_images, faults, size, with_lr):
    field = make_field(size)
    figure = figure_of(field, lr=make_images(size)[0] if with_lr else None)
    assert faults(figure) == []
    panels = {"diffusion_index", "effective_pixels"}
    assert labels(figure) == panels | {f"{name} bar" for name in panels} | ({"lr"} if with_lr else set())
    (axes,) = [axes for axes in figure.axes if axes.get_label() == "diffusion_index"]
    cells = axes.images[-1]
    np.testing.assert_array_equal(np.ma.filled(cells.get_array(), np.nan), field.grid())
    tops, lefts = ([getattr(point.window, edge) / 4 for point in field.points] for edge in ("top", "left"))
    assert cells.get_extent() == [min(lefts), max(lefts) + 4, max(tops) + 4, min(tops)]
    assert (axes.get_xlim(), axes.get_ylim()) == ((0, size[1]), (size[0], 0))


def test_a_field_that_cannot_be_drawn(make_images):
    with pytest.raises(ImageError, match="belongs to"):
        figure_of(make_field(), lr=make_images((31, 45))[0])
    with pytest.raises(ZeroMapError, match="flat"):
        figure_of(make_field(flat=10**6))


def test_a_field_says_how_far_its_windows_are_apart(make_images, all_words):
    figure = figure_of(make_field((30, 45)))
    assert "windows of 16×16 SR pixels, one every 16," in all_words(figure)
