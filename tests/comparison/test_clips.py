"""Clips and cubes as subjects: what is degraded, what they are compared with, what is kept of them."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import srlens
from srlens.comparison.parts import part_rows
from srlens.comparison.subject import Subject
from srlens.imaging.degrade import degrade, for_scale
from srlens.imaging.samples import sample_image
from srlens.measures.quality import psnr

WINDOW = srlens.Window(20, 20, 16, 16)


class Average(nn.Module):
    """The mean of all frames: the simplest video denoiser of a scene at rest."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(dim=1)


def test_a_clip_is_degraded_frame_by_frame_and_judged_by_its_centre() -> None:
    still = sample_image("pagoda")[:, 60:124, 60:124].expand(4, -1, -1, -1)
    subject = Subject.from_hr(still, 1, name="clip", degradation="noise:25", seed=3)
    assert subject.lr.shape == still.shape
    assert subject.hr is not None
    assert torch.equal(subject.hr, still[2])
    assert torch.equal(subject.lr, degrade(still, "noise:25", seed=3))
    noise = (subject.lr - still).flatten(1)
    assert torch.corrcoef(noise).sub(torch.eye(4)).abs().max() < 0.05  # every frame has noise of its own
    network = srlens.Network.wrap(Average(), scale=1, frames=4)
    compared = srlens.compare([network], subject, WINDOW, steps=4)
    (row,) = compared.rows
    assert row.as_reference is not None
    assert row.reference_name == "noisy picture"
    assert row.as_reference.psnr_image == pytest.approx(psnr(subject.lr[2].clamp(0, 1), still[2], border=0, luma=False))
    gain = (row.psnr_image or 0) - (row.as_reference.psnr_image or 0)
    assert gain == pytest.approx(6.0, abs=0.6)  # four frames halve σ: 6 dB, and clamping takes some of it
    assert sorted(part["number"] for part in part_rows([row.result])) == [1, 2, 3, 4]
    for share in row.result.shares or ():
        assert share == pytest.approx(0.25, abs=0.03)


def test_super_resolution_of_a_clip() -> None:
    clip = torch.rand(3, 3, 41, 48)
    subject = Subject.from_hr(clip, 2, name="clip")
    assert subject.lr.shape == (3, 3, 20, 24)
    assert subject.hr is not None
    assert torch.equal(subject.hr, clip[1, :, :40])
    assert subject.reference.shape == (3, 40, 48)
    part = subject.cropped(srlens.Window(4, 6, 20, 20), 2)
    assert part.lr.shape == (3, 3, 10, 10)
    assert part.picture.shape == (3, 10, 10)


def test_comparisons_of_clips_and_cubes_come_back_from_their_files(tmp_path: Path) -> None:
    clip, cube = torch.rand(3, 3, 40, 40), torch.rand(4, 40, 40)
    video = srlens.Network.wrap(Average(), scale=1, frames=3)
    near = srlens.Network.wrap(nn.Conv2d(4, 4, 3, padding=1), scale=1, channels=4)
    named = Subject("cube", cube, cube, "given", scale=1, bands=(4, 3, 2))
    for network, image in ((video, Subject("clip", clip, None, "given", scale=1)), (near, named)):
        compared = srlens.compare([network], image, WINDOW, steps=3)
        again = srlens.load(compared.save(tmp_path / f"{image.name}.safetensors"))
        assert torch.equal(again.subject.lr, image.lr)
        assert again.subject.bands == image.bands
        assert again.rows[0].result.map.shape == image.lr.shape
        assert again.rows[0].result.shares == compared.rows[0].result.shares
        assert again.record() == compared.record()


def test_every_degradation_takes_clips() -> None:
    clip = sample_image("pagoda")[:, 60:124, 60:124].expand(3, -1, -1, -1)
    for entry in for_scale(1):
        observed = degrade(clip, entry.written, seed=5)
        assert observed.shape == clip.shape
        assert torch.equal(observed[1], degrade(clip[1], entry.written, seed=6)), entry.name
