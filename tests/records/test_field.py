"""A field that was cut off goes on where it stopped, and ends as if nothing had happened."""

from pathlib import Path

import polars
import pytest
import torch
from torch import nn

import srlens
from srlens.attribution.attribute import field_method
from srlens.comparison.subject import Subject
from srlens.records.field_run import run_field


class StoppedError(Exception):
    pass


@pytest.fixture
def network() -> srlens.Network:
    body = nn.Sequential(nn.Conv2d(3, 12, 3, padding=1), nn.PixelShuffle(2), nn.Conv2d(3, 3, 3, padding=1))
    return srlens.Network.wrap(body, scale=2, name="tiny")


def test_a_field_of_other_noise_is_another(tmp_path: Path) -> None:
    def drawn(image: torch.Tensor) -> torch.Tensor:
        return image * torch.rand_like(image)

    sampled = srlens.Network.from_sampler(drawn, scale=1, name="drawn")
    subject, method = Subject("noise", torch.rand(3, 20, 20), None, "given", scale=1), field_method(steps=2)
    found = [run_field(sampled.seeded(seed), subject, method, tmp_path, size=10)[0] for seed in (0, 1)]
    assert found[0].points != found[1].points
    (table,) = tmp_path.glob("*.parquet")
    assert set(polars.read_parquet(table)["seed"]) == {1}


def test_resume_computes_only_what_is_missing(network: srlens.Network, tmp_path: Path) -> None:
    subject = Subject("noise", torch.rand(3, 20, 20), None, "given")
    settings = field_method(steps=3)
    whole, _ = run_field(network, subject, settings, tmp_path / "whole", size=8)

    def stop(done: int, total: int) -> None:
        if done > total * 2 // 3:
            raise StoppedError

    # Little memory, so that the first windows are finished before the stop.
    with pytest.raises(StoppedError):
        run_field(network, subject, settings, tmp_path / "cut", size=8, memory=50_000, progress=stop)
    log = tmp_path / "cut/noise_tiny_field_8x8_steps-3.jsonl"
    finished = len(log.read_text().splitlines()) - 1
    assert 0 < finished < len(whole.points)
    with log.open("a") as file:
        file.write('{"window": {"to')  # a line that was being written when the power went
    counts: list[int] = []
    resumed, files = run_field(
        network, subject, settings, tmp_path / "cut", size=8, progress=lambda _, total: counts.append(total)
    )
    assert counts[-1] == (len(whole.points) - finished) * 3
    assert [point.window for point in resumed.points] == [point.window for point in whole.points]
    for ours, theirs in zip(resumed.points, whole.points, strict=True):
        assert ours.diffusion_index == pytest.approx(theirs.diffusion_index, rel=1e-5)
    table = polars.read_parquet(next(file for file in files if file.suffix == ".parquet"))
    assert len(table) == len(whole.points)
    assert {"diffusion_index", "effective_pixels", "map_error", "steps", "lr_height"} <= set(table.columns)
    assert files[0].suffix == ".png"


def test_other_settings_start_anew(network: srlens.Network, tmp_path: Path) -> None:
    subject = Subject("noise", torch.rand(3, 20, 20), None, "given")
    run_field(network, subject, field_method(steps=3), tmp_path, size=8)
    totals: list[int] = []
    run_field(network, subject, field_method(steps=4), tmp_path, size=8, progress=lambda _, total: totals.append(total))
    assert totals[-1] == 25 * 4


def test_another_part_of_the_picture_starts_anew(network: srlens.Network, tmp_path: Path) -> None:
    whole = Subject("noise", torch.rand(3, 40, 40), None, "given", digest="ab", scale=2)
    for top in (0, 40):
        part = whole.cropped(srlens.Window(top, 0, 40, 40), 2)
        found, _ = run_field(network, part, field_method(steps=3), tmp_path, size=20)
        expected = srlens.field(network, part.lr, steps=3, size=20)
        assert [p.diffusion_index for p in found.points] == [p.diffusion_index for p in expected.points]
