"""One way to name a picture."""

from pathlib import Path

import pytest
import torch

from srlens.errors import AmbiguousNameWarning, ImageError
from srlens.imaging.files import write_image
from srlens.imaging.open import image_file, open_image
from srlens.imaging.samples import sample_image


def test_a_packaged_photograph_by_its_name() -> None:
    assert torch.equal(open_image("pagoda"), sample_image("pagoda"))


def test_names_come_before_files_and_a_path_is_always_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for file in (Path("pagoda"), "./pagoda", "pagoda.png"):
        with pytest.raises(ImageError, match="no file pagoda"):
            open_image(file)
    own = torch.zeros(1, 4, 5)
    write_image("own.png", own)
    Path("own.png").rename("pagoda")
    assert torch.equal(open_image("./pagoda"), own)
    assert torch.equal(open_image(Path("pagoda")), own)
    with pytest.warns(AmbiguousNameWarning, match="Write ./pagoda for the file"):
        assert open_image("pagoda").shape == (3, 256, 256)


def test_a_folder_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert image_file("~/x.png") == tmp_path / "x.png"
