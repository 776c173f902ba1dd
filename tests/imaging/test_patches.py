"""The bank of natural patches."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import srlens
from srlens.imaging.colour import luma
from srlens.imaging.patches import PatchBank, find_bank, packaged_bank, with_channels
from srlens.imaging.resample import bicubic
from srlens.imaging.samples import SAMPLES, sample_image


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def numbered(height: int, width: int) -> torch.Tensor:
    """A picture each of whose pixels is another value, so that a patch tells where it was cut."""
    return (torch.arange(3 * height * width) / (3 * height * width)).reshape(3, height, width)


def test_packaged_bank_is_the_same_on_every_machine() -> None:
    bank = packaged_bank()
    assert bank.patches.shape == (10_000, 3, 8, 8)
    assert not bank.patches.flags.writeable
    assert bank is find_bank("packaged")
    assert bank.digest == "78a8c3a503dd0b7f9634a16998c799b5ed99d1b446b7e3dfbe63f45e88dcd028"


def test_patches_are_parts_of_their_picture_in_its_channel_order() -> None:
    picture = numbered(11, 13)
    bank = PatchBank.of([picture], "numbered", count=300)
    places = set()
    for patch in torch.from_numpy(np.array(bank.patches)):
        top, left = divmod(int((patch[0, 0, 0] * picture.numel()).round()), 13)
        assert torch.equal(patch, picture[:, top : top + 8, left : left + 8])
        places.add((top, left))
    assert places == {(top, left) for top in range(4) for left in range(6)}  # the last row and column too


def test_each_picture_gives_the_same_number() -> None:
    bank = PatchBank.of([torch.full((1, 8, 9), level / 4) for level in range(4)], "grey", count=10)
    levels, counts = np.unique(bank.patches, return_counts=True)
    assert levels.tolist() == [0, 0.25, 0.5, 0.75]
    assert set((counts / (3 * 64)).tolist()) == {2, 3}


def test_folder_gives_what_its_pictures_give(tmp_path: Path) -> None:
    folder = tmp_path / "inside" / "deeper"
    folder.mkdir(parents=True)
    for place, name in enumerate(SAMPLES):
        srlens.write_image(folder / f"{place}-{name}.png", sample_image(name))
    (folder / "notes.txt").write_text("no picture")
    again = PatchBank.of_folder(tmp_path)
    assert again.digest == packaged_bank().digest
    assert find_bank(str(tmp_path)) is find_bank(str(tmp_path))
    assert PatchBank.of_folder(tmp_path, seed=1).digest != again.digest


def test_small_sides_are_shrunk_and_large_ones_put_together_of_whole_patches() -> None:
    bank = packaged_bank()
    eight = bank.draw(5, 8, seeded())
    assert torch.equal(bank.draw(5, 2, seeded()), bicubic(eight, Fraction(1, 4)).clamp(0, 1))
    assert bank.draw(5, 2, seeded()).std() > 0.1  # they are no grey
    twenty = bank.draw(1, 20, seeded())
    nine = bank.draw(9, 8, seeded())
    assert torch.equal(twenty[0, :, 8:16, 8:16], nine[4])
    assert torch.equal(twenty[0, :, 16:, :8], nine[6, :, :4])


@given(count=st.integers(1, 4), side=st.integers(1, 19), seed=st.integers(0, 9))
@settings(max_examples=25, deadline=None)
def test_draws_are_seeded_and_in_range(count: int, side: int, seed: int) -> None:
    drawn = packaged_bank().draw(count, side, seeded(seed))
    assert drawn.shape == (count, 3, side, side)
    assert drawn.dtype == torch.float64
    assert 0 <= float(drawn.min()) <= float(drawn.max()) <= 1
    assert torch.equal(drawn, packaged_bank().draw(count, side, seeded(seed)))


def test_mosaic_is_made_of_draws() -> None:
    bank = packaged_bank()
    picture, patches = bank.mosaic(5, 7, 3, seeded()), bank.draw(6, 3, seeded())
    assert picture.shape == (3, 5, 7)
    assert torch.equal(picture[:, :3, 3:6], patches[1])
    assert torch.equal(picture[:, 3:, 6:], patches[5, :, :2, :1])


def test_channels() -> None:
    patches = packaged_bank().draw(4, 8, seeded())
    assert with_channels(patches, 3) is patches
    assert torch.equal(with_channels(patches, 1), luma(patches))
    assert torch.equal(with_channels(patches, 4), patches[:, [0, 0, 1, 2]])
    assert torch.equal(with_channels(patches, 6), patches[:, [0, 0, 1, 1, 2, 2]])


def test_errors(tmp_path: Path) -> None:
    with pytest.raises(srlens.ImageError, match="no folder that holds a picture"):
        PatchBank.of_folder(tmp_path)
    with pytest.raises(srlens.ImageError, match="at least one picture"):
        PatchBank.of([], "none")
    with pytest.raises(srlens.ImageTooSmallError, match="7×20 pixels holds no patch of 8×8"):
        PatchBank.of([torch.rand(3, 7, 20)], "small")
    for wrong in (0, 1.5, True):
        with pytest.raises(srlens.SettingError, match="side must be a whole number"):
            packaged_bank().draw(1, wrong, seeded())  # type: ignore[arg-type]
