"""Studies of networks of four bands and of clips, whose pictures are arrays and folders."""

import sys

import numpy as np
import pytest
import torch

import srlens
from srlens.errors import StudyError
from srlens.imaging.files import read_image, write_image
from srlens.imaging.samples import sample_image
from srlens.study.plan import make_plan
from srlens.study.report.build import build_report
from srlens.study.run import run_study
from srlens.study.schema import study_from
from srlens.study.store import Store

CODE = """
import torch
from torch import nn
import srlens


class Mean(nn.Module):
    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(()))

    def forward(self, x):
        return self.gain * x.mean(dim=1)


def bands():
    torch.manual_seed(4)
    return nn.Sequential(nn.Conv2d(4, 4, 5, padding=2), nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1))


def clip():
    return srlens.Network.wrap(Mean(), scale=1, frames=3, name="mean")
"""


@pytest.fixture
def base(tmp_path, monkeypatch):
    """Code of a user, a picture of four bands, a clip of three frames."""
    (tmp_path / "studied_here.py").write_text(CODE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    picture = sample_image("pagoda")[:, 100:148, 60:108]
    np.save(tmp_path / "cube.npy", torch.cat([picture, picture[:1].flip(-1)]).numpy())
    (tmp_path / "walk").mkdir()
    for k in range(3):
        write_image(tmp_path / "walk" / f"{k}.png", picture.roll(k, dims=-1))
    yield tmp_path
    sys.modules.pop("studied_here", None)


def study(base, factory, image, entry=None, **images):
    content = {
        "scale": 1,
        "networks": [{"open": f"studied_here:{factory}", "module": True, **(entry or {})}],
        "windows": [{"image": image, "top": 16, "left": left, "height": 8, "width": 8} for left in (8, 24)],
        "images": {"degradation": "noise:25", "lr_size": 24, **images},
        "method": {"steps": 2},
        "verification": {"reach": False},
    }
    return study_from(content, base=base)


def reported(summary):
    assert summary.failures == ()
    return build_report(summary.folder), Store(summary.folder).read_plan()


def test_a_network_of_four_bands(base, here):
    of = study(base, "bands", "cube.npy", {"channels": 4, "name": "four"}, bands=[3, 2, 1])
    built, plan = reported(run_study(of, executor=here))
    assert plan["reading"] == {"degradation": "noise:25", "seed": 0, "bands": [3, 2, 1]}
    assert "PSNR and SSIM: all bands of the input crop" in built.page.read_text(encoding="utf-8").replace("&#39;", "'")
    store = Store(built.page.parents[1])
    assert srlens.load(store.map(plan["jobs"][0][0])).map.shape == (4, 24, 24)
    shown = read_image(store.place(plan["windows"][0]["place"]))
    cube = torch.from_numpy(np.load(base / "cube.npy"))
    assert torch.allclose(shown, cube[[2, 1, 0], 8:32, 0:24], atol=1 / 255)


def test_a_network_of_clips(base, here):
    built, plan = reported(run_study(study(base, "clip", "walk"), executor=here))
    assert plan["reading"] == {"degradation": "noise:25", "seed": 0, "clip": True}
    assert built.frame["psnr_image"].min() > built.frame["reference_psnr_image"].max() - 20
    assert "PSNR and SSIM: RGB of" in built.page.read_text(encoding="utf-8")
    assert "the windows are in the centre frame" in built.page.read_text(encoding="utf-8")
    assert srlens.load(Store(built.page.parents[1]).map(plan["jobs"][0][0])).map.shape == (3, 3, 24, 24)
    (base / "walk" / "1.png").write_bytes((base / "walk" / "0.png").read_bytes())
    before = [job for row in plan["jobs"] for job in row]
    assert set(before).isdisjoint(job.id for job in make_plan(study(base, "clip", "walk")).jobs)  # every frame counts


def test_clips_and_pictures_are_not_compared(base):
    of = study(base, "clip", "walk")
    both = of.model_copy(
        update={
            "networks": (*of.networks, of.networks[0].model_copy(update={"open": "denoise-plain", "module": False}))
        }
    )
    with pytest.raises(StudyError, match=r"clips of 3 frames\), denoise-plain \(pictures\)\. Make a study of each"):
        make_plan(both)


def test_a_clip_of_another_length_fails_by_name(base, here):
    write_image(base / "walk" / "3.png", sample_image("pagoda")[:, 100:148, 60:108])
    failures = run_study(study(base, "clip", "walk"), executor=here).failures
    assert {failure.error for failure in failures} == {"ChannelError"}
    assert "takes clips of 3 frames" in failures[0].message
