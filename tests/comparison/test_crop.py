"""The LR crop: always of one size, around the window, on the LR grid."""

import pytest
import torch

from srlens.comparison.crop import crop_around
from srlens.comparison.subject import Subject
from srlens.errors import ImageTooSmallError, WindowError
from srlens.imaging.window import Window


@pytest.fixture
def picture():
    return Subject.from_hr(torch.rand(3, 130, 203), 4, name="noise")


@pytest.mark.parametrize(("top", "left"), [(0, 0), (112, 184), (57, 91), (3, 150)])
def test_the_window_shows_the_same_pixels(picture, top, left):
    window = Window(top, left, 16, 16)
    crop, w = crop_around(picture, window, 4, 20)
    assert crop.lr.shape == (3, 20, 20)
    assert crop.hr.shape == (3, 80, 80)
    expected = picture.hr[:, top : top + 16, left : left + 16]
    assert torch.equal(crop.hr[:, w.top : w.bottom, w.left : w.right], expected)
    row, column = crop.part.top // 4, crop.part.left // 4
    assert torch.equal(crop.lr, picture.lr[:, row : row + 20, column : column + 20])


def test_inner_windows_are_centred(picture):
    _, w = crop_around(picture, Window(57, 91, 16, 16), 4, 20)
    assert abs((w.top + w.bottom) / 2 - 40) <= 2
    assert abs((w.left + w.right) / 2 - 40) <= 2


def test_no_size_is_the_whole_picture(picture):
    assert crop_around(picture, Window(0, 0, 16, 16), 4, None)[0].lr is picture.lr


def test_what_does_not_fit_is_named(picture):
    with pytest.raises(ImageTooSmallError, match="lower lr_size to 32"):
        crop_around(picture, Window(0, 0, 16, 16), 4, 33)
    with pytest.raises(ImageTooSmallError, match="raise lr_size"):
        crop_around(picture, Window(0, 0, 80, 80), 4, 20)
    with pytest.raises(WindowError):
        crop_around(picture, Window(120, 0, 16, 16), 4, 20)


def test_given_lr_has_no_hr():
    picture = Subject("noise", torch.rand(3, 30, 30), None, "given")
    assert crop_around(picture, Window(60, 60, 16, 16), 4, 20)[0].hr is None
