from pathlib import Path

import pytest
import torch

from srlens.errors import CheckpointError, ImageError, SrlensError
from srlens.web.callbacks import Page
from srlens.web.limits import Limits
from srlens.web.session import Session
from srlens.web.uploads import display_name, take_network, take_picture


def test_bad_pictures_are_refused_with_a_sentence_and_good_ones_read(
    hostile_pictures: dict[str, tuple[Path, str | None]],
) -> None:
    for name, (path, refusal) in hostile_pictures.items():
        if refusal is None:
            picture = take_picture(path, Limits())
            assert picture.name == name
            assert picture.image.shape[-2:] == (64, 64)
            assert picture.image.shape[0] == (1 if name == "grey.png" else 3)
        else:
            with pytest.raises(ImageError) as caught:
                take_picture(path, Limits())
            assert refusal in str(caught.value), name
            assert str(path.parent) not in str(caught.value), name
        assert not path.exists(), name


def test_bad_network_files_are_refused_with_a_sentence_and_nothing_runs(
    hostile_networks: dict[str, tuple[Path, str]], dropped: Path
) -> None:
    for name, (path, refusal) in hostile_networks.items():
        with pytest.raises(SrlensError) as caught:
            take_network(path, Limits())
        assert refusal in str(caught.value), (name, str(caught.value))
        assert str(dropped) not in str(caught.value), name
        assert not path.exists(), name
    assert not (dropped / "marker").exists()


def test_a_16_bit_picture_keeps_its_depth(hostile_pictures: dict[str, tuple[Path, str | None]]) -> None:
    image = take_picture(hostile_pictures["sixteen.png"][0], Limits()).image
    assert torch.unique(image).numel() > 256


def test_limits_count_bytes_before_anything_is_read(dropped: Path) -> None:
    picture, network = dropped / "a.png", dropped / "a.pth"
    for path in (picture, network):
        path.write_bytes(b"\0" * 2048)
    small = Limits(picture_bytes=1024, checkpoint_bytes=1024)
    with pytest.raises(ImageError, match="takes pictures up to"):
        take_picture(picture, small)
    with pytest.raises(CheckpointError, match="takes up to"):
        take_network(network, small)


def test_a_file_that_has_gone_is_a_sentence(dropped: Path) -> None:
    with pytest.raises(ImageError, match="Choose it again"):
        take_picture(dropped / "gone.png", Limits())
    with pytest.raises(CheckpointError):
        take_network(dropped / "gone.pth", Limits())


def test_names_are_short_and_printable() -> None:
    assert display_name(Path("/tmp/x") / ("a" * 200 + ".png")) == "a" * 70 + "….png"
    assert display_name(Path("/tmp/x/a\nb\x1b.png")) == "ab.png"


def test_a_tab_keeps_few_networks_of_its_own(page: Page, session: Session, dropped: Path) -> None:
    session.uploads = {f"{k}.pth": page.listed.open("plain") for k in range(page.limits.uploaded_networks)}
    path = dropped / "one-more.pth"
    path.write_bytes(b"x")
    with pytest.raises(SrlensError, match="keeps 3 networks"):
        page.add_network(session, path)
    assert not path.exists()
