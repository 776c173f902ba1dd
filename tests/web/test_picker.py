import pytest

from srlens.errors import WindowError
from srlens.web.picker import picker_value, window_at


@pytest.mark.parametrize(
    ("x", "y", "top", "left"),
    [(128, 100, 92, 120), (0, 0, 0, 0), (256, 256, 240, 240), (-50, 999, 240, 0), (8.4, 8.4, 0, 0), (8.6, 9.6, 2, 1)],
)
def test_the_window_is_centred_on_the_point_and_kept_inside(x: float, y: float, top: int, left: int) -> None:
    window = window_at(x, y, 16, 256, 256)
    assert (window.top, window.left, window.height, window.width) == (top, left, 16, 16)


def test_a_window_larger_than_the_picture_is_named() -> None:
    with pytest.raises(WindowError, match="does not fit"):
        window_at(1, 1, 64, 32, 100)


def test_names_are_escaped() -> None:
    assert "<" not in picker_value("data:", '<img onerror="x">', 1, 1, None)["label"]
