from dataclasses import replace

import numpy as np
import pytest

from srlens.errors import SettingError, SrlensError
from srlens.web.answers import FieldAnswer
from srlens.web.callbacks import Page
from srlens.web.choices import Choices
from srlens.web.field_view import _cells, field_legend, field_value
from srlens.web.session import Session

CHOICES = Choices(size=16)


def test_a_field_and_the_window_under_a_click(page: Page, session: Session) -> None:
    page.use_sample(session, "pagoda")
    with pytest.raises(SettingError, match="Compute the field first"):
        page.of_field(session, CHOICES, 1, 1)
    *_, answer = page.run_field(session, CHOICES, "plain", stride=80, steps=2)
    assert isinstance(answer, FieldAnswer)
    assert len(answer.field.points) == 16
    assert {file.suffix for file in answer.files} == {".png", ".pdf", ".parquet", ".jsonl"}
    assert field_value(answer)["height"] == 256
    assert "16 windows of 16×16 SR pixels, one every 80" in field_legend(answer)
    sampled = replace(answer, sampling=("sampler of 12 steps", "seed 5"))
    assert "; 2 steps, sampler of 12 steps, seed 5.</p>" in field_legend(sampled)
    point = answer.field.points[6]
    ticked = replace(CHOICES, size=24, networks=("channel", "nonlocal"))
    found = page.of_field(session, ticked, point.window.left + 3, point.window.top + 3)
    assert found.window == point.window
    assert found.networks == ("plain",)  # that of the field, whatever is ticked beside it
    *_, single = page.run(session, found.but(steps=2))
    shown = single.comparison.rows[0].result.diffusion_index  # type: ignore[union-attr]
    assert shown == pytest.approx(
        point.diffusion_index, rel=5e-3
    )  # float32: shared and single passes round differently
    with pytest.raises(SettingError, match="none of this picture"):
        page.of_field(session, replace(CHOICES, is_hr=False), 1, 1)
    page.use_sample(session, "hopper")
    with pytest.raises(SettingError, match="none of this picture"):
        page.of_field(session, CHOICES, 1, 1)


@pytest.mark.parametrize(
    ("stride", "steps", "words"),
    [(1, 2, "a wider grid"), (0, 2, "at least 1"), (64, 0, "at least 1"), (64, 10**6, "up to 2187")],
)
def test_what_a_field_cannot_be(page: Page, session: Session, stride: int, steps: int, words: str) -> None:
    page.use_sample(session, "pagoda")
    with pytest.raises(SrlensError, match=words):
        list(page.run_field(session, CHOICES, "plain", stride=stride, steps=steps))


def test_cells_lie_around_their_windows() -> None:
    cells = _cells({8, 24, 40}, 16, 16, 64)
    assert (cells[8:24] == 0).all()
    assert (cells[40:56] == 2).all()
    assert (np.r_[cells[:8], cells[56:]] == -1).all()
    assert (_cells({8}, 16, 16, 32)[8:24] == 0).all()
