"""What the verbs print and draw of a network of scale 1 has no word of super-resolution."""

import re
import warnings
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

import srlens
from srlens.cli.main import app
from srlens.imaging.samples import sample_image

#: The verb, its options, what must stand in print or in the figure: of what the picture is, of a length.
VERBS = [
    ("explain", ("--steps", "2", "--reach"), ("input 40×40", "input px")),
    ("explain", ("--method", "causal-effect", "--block", "8", "--reach"), ("blocks of 8 input pixels", "input px")),
    ("explain", ("--method", "occlusion", "--block", "8"), ("input 40×40",)),
    ("compare", ("--steps", "2", "--reach"), ("input 40×40", "input px")),
    ("compare", ("--steps", "2", "--sweep", "sigma", "--values", "1", "2"), ("of the baseline's blur, input pixels",)),
    ("compare", ("--methods", "lam,gradient", "--steps", "2"), ("input 40×40", "dB (RGB)")),
    ("verify", ("--budget", "quick", "--steps", "2"), ("input 40×40", "input px", "one output pixel aside")),
    ("field", ("--steps", "2", "--size", "8", "--stride", "16"), ("input 40×40", "output pixels")),
    ("field-of-view", ("--side", "40", "--places", "2", "--steps", "2", "--size", "8"), ("Support, input pixels",)),
]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text of the figures that are saved."""
    texts: list[str] = []
    save = Figure.savefig

    def kept(figure: Figure, *given: Any, **options: Any) -> None:
        texts.extend(text.get_text() for text in figure.findobj(Text) if text.get_visible())
        save(figure, *given, **options)

    monkeypatch.setattr(Figure, "savefig", kept)
    return texts


@pytest.mark.parametrize(("verb", "options", "told"), VERBS)
def test_no_word_of_super_resolution(
    verb: str,
    options: tuple[str, ...],
    told: tuple[str, ...],
    drawn: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    srlens.write_image("clean.png", sample_image("pagoda")[:, 120:160, 120:160])
    picture = ("--images", "clean.png") if verb == "field-of-view" else ("clean.png",)
    window = () if verb in ("field", "field-of-view") else ("--window", "12,12,8")
    made = ("--clean", "--degradation", "noise:25", "--format", "png", "--device", "cpu", "-o", "out")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", srlens.SrlensWarning)  # of a few steps, a small picture
        with pytest.raises(SystemExit) as end:
            app([verb, "denoise-plain", *picture, *window, *options, *made])
    assert not end.value.code
    printed = capsys.readouterr()
    words = " ".join(" ".join([printed.out, printed.err, *drawn]).split())
    assert re.findall(r".{0,30}\b(?:LR|SR|HR|bicubic)\b.{0,30}", words) == []
    assert drawn
    for part in told:
        assert part in words
    for table in tmp_path.glob("out/*.tex"):
        assert not re.search(r"\b(LR|SR|HR|bicubic)\b", table.read_text(encoding="utf-8"))
