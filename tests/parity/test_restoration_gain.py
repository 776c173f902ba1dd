"""Published restoration networks undo what the synthetic degradations do, and nothing warns of them."""

from pathlib import Path

import pytest

import srlens
from srlens.comparison.sanity import check_against_reference
from srlens.comparison.subject import Subject, in_grey

# network, degradation, grey, side of the crop, least gain in dB. The gain of whole pictures is in docs/tasks.md.
CASES = [
    ("dncnn-color-blind", "noise:25", False, 160, 8.0),
    ("dncnn-gray-25", "noise:25", True, 160, 8.0),
    ("prenet6r-rain100h", "rain:4", False, 160, 5.0),
    ("aodnet-dehazer", "haze:1", False, 200, 3.0),
    ("iat-lol", "dark:0.2", False, 200, 1.0),
]


@pytest.mark.shared
@pytest.mark.parametrize(("file", "degradation", "grey", "side", "least"), CASES)
@pytest.mark.parametrize("picture", ["bird", "woman"])
def test_the_picture_gains(
    file: str, degradation: str, grey: bool, side: int, least: float, picture: str, shared: Path
) -> None:
    network = srlens.load_network(shared / f"restoration/weights/{file}.pth")
    clean = srlens.read_image(shared / f"images/Set5/HR/{picture}.png")[:, :side, :side]
    clean = in_grey(clean) if grey else clean
    subject = Subject.from_hr(clean, 1, name=picture, degradation=degradation)
    # Warnings are errors in tests: none may be given here.
    found = check_against_reference(network, subject.lr, clean, degradation=subject.degradation)
    print(f"\n{file} {degradation} {picture}: {found.reference_psnr:.2f} dB to {found.psnr:.2f} dB", end=" ")
    assert found.passed
    assert found.psnr - found.reference_psnr >= least
    assert found.reference_name == subject.reference_name
    assert found.reference_name != "bicubic"
