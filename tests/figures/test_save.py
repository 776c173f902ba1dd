"""Figures as files."""

import re
from pathlib import Path

import pytest
from PIL import Image

from srlens import __version__
from srlens.errors import SettingError
from srlens.figures.explain import explain_figure
from srlens.figures.save import save_figure


@pytest.fixture
def figure(alone, make_result, make_images):
    lr, sr, hr = make_images()
    return explain_figure(*alone(make_result(), lr, sr, hr, psnr=21.0))


@pytest.mark.parametrize(("dpi", "width"), [(300, 2008), (100, 669)])
def test_pixels_are_those_of_the_paper_size(figure, tmp_path, dpi, width):
    (path,) = save_figure(figure, tmp_path / "new" / "folder" / "imdn.x4", ["png"], dpi=dpi)
    assert path == tmp_path / "new" / "folder" / "imdn.x4.png"
    with Image.open(path) as image:
        assert image.width == pytest.approx(width, abs=1)
        assert image.text["Software"] == f"srlens {__version__}"


def test_fonts_are_embedded_and_text_stays_text(figure, tmp_path):
    pdf, svg = save_figure(figure, tmp_path / "f", ["pdf", "svg"])
    content = pdf.read_bytes()
    assert b"/FontFile2" in content  # TrueType, embedded
    assert b"/Type3" not in content
    assert f"srlens {__version__}".encode() in content
    assert "<text" in svg.read_text(encoding="utf-8")


def test_the_same_bytes_in_every_run_and_no_dates(alone, make_result, make_images, tmp_path):
    lr, sr, hr = make_images()
    formats = ["png", "pdf", "svg"]
    files = [
        save_figure(explain_figure(*alone(make_result(), lr, sr, hr)), tmp_path / name, formats)
        for name in ("one", "two")
    ]
    for first, second in zip(*files, strict=True):
        assert first.read_bytes() == second.read_bytes()
        assert not re.search(rb"CreationDate|dc:date|D:20\d\d|Creation Time", first.read_bytes())


def test_a_failed_write_leaves_the_old_file_and_no_other(figure, tmp_path, monkeypatch):
    save_figure(figure, tmp_path / "f", ["png"])
    before = (tmp_path / "f.png").read_bytes()
    write = Path.write_bytes

    def break_off(path: Path, content: bytes) -> int:
        write(path, content[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", break_off)
    with pytest.raises(OSError, match="No space"):
        save_figure(figure, tmp_path / "f", ["png"], dpi=100)
    assert [path.name for path in tmp_path.iterdir()] == ["f.png"]
    assert (tmp_path / "f.png").read_bytes() == before


def test_unknown_formats_and_sizes_are_refused_before_anything_is_written(figure, tmp_path):
    with pytest.raises(SettingError, match="'jpeg'; known: png, pdf, svg"):
        save_figure(figure, tmp_path / "f", ["png", "jpeg"])
    with pytest.raises(SettingError, match="dpi"):
        save_figure(figure, tmp_path / "f", dpi=0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dpi", [72, 100, 200, 300])
def test_text_keeps_its_place_at_any_resolution(figure, faults, dpi):
    assert faults(figure, dpi) == []
