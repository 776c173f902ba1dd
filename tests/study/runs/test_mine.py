"""Mined windows are hard, apart, from many pictures, and the same every time."""

import shutil
from pathlib import Path

import pytest
import torch

from srlens.comparison.subject import read_subject
from srlens.errors import SettingError, StudyError
from srlens.imaging.files import write_image
from srlens.measures.quality import window_psnr
from srlens.networks.open import open_network
from srlens.study.contact_sheet import write_contact_sheet
from srlens.study.mine import find_images, mine
from srlens.study.window_list import read_window_list, write_window_list


@pytest.fixture
def judges(tmp_path, write_network):
    return [open_network(write_network(tmp_path / f"{seed}.pth", seed), scale=4) for seed in (1, 2)]


@pytest.fixture
def pictures(tmp_path, write_picture):
    folder = tmp_path / "pictures"
    folder.mkdir()
    write_picture(folder / "roof.png", 20)
    write_picture(folder / "wall.png", 110)
    write_picture(folder / "small.png", 0, side=40)
    (folder / "notes.txt").write_text("no picture")
    return folder


def test_windows_are_hard_apart_and_of_many_pictures(pictures, judges):
    mined = mine([pictures], judges, count=6, lr_size=24, per_image=4)
    windows = mined.windows.windows
    assert [w.psnr for w in windows] == sorted(w.psnr for w in windows)
    assert {w.image.name for w in windows} == {"roof", "wall"}
    assert mined.skipped == (("small", "its LR image is 10×10, smaller than the crop of 24"),)
    for k, a in enumerate(windows):
        for b in windows[k + 1 :]:
            if a.image == b.image:
                gap = max(abs(a.window.top - b.window.top), abs(a.window.left - b.window.left))
                assert gap >= 32  # the window's size, and as much between


def test_the_same_input_gives_the_same_bytes(pictures, judges, tmp_path):
    first, second = (mine([pictures], judges, count=5, lr_size=24).windows for _ in range(2))
    write_window_list(first, tmp_path / "one.toml")
    write_window_list(second, tmp_path / "two.toml")
    assert (tmp_path / "one.toml").read_bytes() == (tmp_path / "two.toml").read_bytes()
    assert read_window_list(tmp_path / "one.toml") == first


def test_one_picture_gives_no_more_than_its_share(pictures, judges):
    found = mine([pictures], judges, count=6, lr_size=24, per_image=1).windows.windows
    assert [w.image.name for w in found] in (["roof", "wall"], ["wall", "roof"])


def test_a_list_moves_with_its_pictures(pictures, judges, tmp_path):
    write_window_list(mine([pictures], judges, count=2, lr_size=24).windows, tmp_path / "list.toml")
    assert 'path = "pictures/' in (tmp_path / "list.toml").read_text()


def test_packaged_photographs_go_by_name(judges, tmp_path):
    listed = mine(["hopper"], judges, count=2).windows
    write_window_list(listed, tmp_path / "list.toml")
    assert read_window_list(tmp_path / "list.toml").images[0].spec == "hopper"


def test_two_pictures_of_one_name_stay_two(pictures, judges, tmp_path, write_picture):
    other = tmp_path / "other"
    other.mkdir()
    write_picture(other / "roof.png", 60)
    names = {w.image.name for w in mine([pictures, other], judges, count=30, lr_size=24).windows.windows}
    assert names == {"pictures/roof", "other/roof", "wall"}


def test_damaged_pictures_are_left_out_by_name(pictures, judges):
    (pictures / "broken.png").write_bytes((pictures / "roof.png").read_bytes()[:500])
    skipped = dict(mine([pictures], judges, count=2, lr_size=24).skipped)
    assert "broken" in skipped


def test_errors_say_what_is_wrong(pictures, judges, tmp_path):
    with pytest.raises(StudyError, match="no picture or folder"):
        find_images([tmp_path / "nowhere"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(StudyError, match="holds no picture"):
        find_images([tmp_path / "empty"])
    with pytest.raises(SettingError, match=r"quantile \(=0\)"):
        mine([pictures], quantile=0)
    with pytest.raises(StudyError, match="None of the 3 pictures"):
        mine([pictures], judges, lr_size=100)


@pytest.mark.parametrize("text", ["", "format = 'other'", "format = 'srlens-windows-1'\nscale = 4"])
def test_damaged_lists_are_refused(tmp_path, text):
    (tmp_path / "w.toml").write_text(text)
    with pytest.raises(StudyError):
        read_window_list(tmp_path / "w.toml")


def test_the_contact_sheet_is_a_picture(pictures, judges, tmp_path):
    listed = mine([pictures], judges, count=3, lr_size=24).windows
    sheet = write_contact_sheet(listed, tmp_path / "sheet.png")
    assert sheet.read_bytes().startswith(b"\x89PNG")


def test_grey_pictures_can_be_mined(judges, tmp_path):
    from srlens.imaging.samples import sample_image

    write_image(tmp_path / "grey.png", sample_image("pagoda").mean(dim=0, keepdim=True))
    assert len(mine([tmp_path / "grey.png"], judges, count=2).windows.windows) == 2


def test_bicubic_judges_unless_others_are_named(pictures):
    mined = mine([pictures], count=4, lr_size=24).windows
    assert mined.networks == ()
    roof = next(w for w in mined.windows if w.image.name == "roof")
    subject = read_subject(roof.image.spec, 4, is_hr=True)
    w = roof.window
    assert roof.psnr == pytest.approx(
        window_psnr(subject.reference, subject.hr, (w.top, w.left, w.bottom, w.right), quantise=False), abs=1e-3
    )


def test_every_picture_gives_its_share_and_those_without_are_named(tmp_path, write_picture):
    """One picture of stripes, harder everywhere than the others, gives no more than they do."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    stripes = (torch.arange(256) % 2).float().expand(3, 256, 256)
    write_image(folder / "stripes.png", stripes)
    for k in range(5):
        write_picture(folder / f"p{k}.png", 20 * k, side=256)
    write_image(folder / "copy.png", stripes)
    mined = mine([folder], count=12, lr_size=24)
    names = [w.image.name for w in mined.windows.windows]
    assert {names.count(name) for name in set(names)} == {2}
    assert len(set(names)) == 6
    assert dict(mined.skipped) == {"stripes": "it is the same picture as copy"}
    few = mine([folder], count=4, lr_size=24)
    assert len({w.image.name for w in few.windows.windows}) == 4
    assert len(few.skipped) == 3
    assert sum("raise the count" in reason for _, reason in few.skipped) == 2
    write_window_list(few.windows, tmp_path / "list.toml")
    assert read_window_list(tmp_path / "list.toml").unused == few.skipped


def test_windows_lie_in_the_hard_part_of_their_picture(pictures, judges):
    every = mine([pictures], judges, count=500, lr_size=24, separation=0, quantile=1.0).windows.windows
    hard = mine([pictures], judges, count=500, lr_size=24, separation=0, quantile=0.1).windows.windows
    for name in ("roof", "wall"):
        most = max(w.psnr for w in hard if w.image.name == name)
        assert sum(w.psnr <= most for w in every if w.image.name == name) <= 0.2 * 121


def test_a_list_is_found_again_on_another_machine(pictures, tmp_path):
    (tmp_path / "here").mkdir()
    listed = mine([pictures], count=3, lr_size=24).windows
    write_window_list(listed, tmp_path / "here" / "list.toml", root=tmp_path)
    text = (tmp_path / "here" / "list.toml").read_text()
    assert str(tmp_path) not in text
    assert 'path = "pictures/' in text
    assert read_window_list(tmp_path / "here" / "list.toml") == listed
    there = tmp_path / "there" / "data"
    shutil.copytree(pictures, there / "pictures")
    shutil.copy(tmp_path / "here" / "list.toml", tmp_path / "there" / "renamed.toml")
    moved = read_window_list(tmp_path / "there" / "renamed.toml", root=there)
    assert all(Path(image.spec).is_relative_to(there) and Path(image.spec).is_file() for image in moved.images)
    assert [image.digest for image in moved.images] == [image.digest for image in listed.images]
