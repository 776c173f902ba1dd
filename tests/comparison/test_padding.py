"""Size-honest numbers: what padding an LR image changes, and what it does not."""

import re
from dataclasses import replace

import numpy as np
import pytest

from srlens.attribution.method import Method
from srlens.attribution.result import Attribution
from srlens.comparison.comparable import check_comparable
from srlens.errors import IncomparableWarning
from srlens.figures.caption import fact_table
from srlens.imaging.window import Window
from srlens.measures.extent import mass_area, mass_radius

SCALE, PAD = 4, 32


@pytest.fixture
def pair() -> tuple[Attribution, Attribution]:
    """A result of a 64×64 LR image, and the same map in the middle of 128×128."""
    rng = np.random.default_rng(0)
    y, x = np.indices((64, 64)) - 31.5
    small = Attribution(
        map=rng.standard_normal((3, 64, 64)) * np.exp(-np.hypot(y, x) / 6),
        window=Window.square(120, 120, 16),
        detector_at_image=2.0,
        detector_at_baseline=1.0,
        map_error=0.02,
        evaluations=9,
        converged=True,
        method=Method(),
        network="IMDN",
        network_digest="0" * 64,
        scale=SCALE,
    )
    padded = np.pad(small.map, ((0, 0), (PAD, PAD), (PAD, PAD)))
    shift = PAD * SCALE
    return small, replace(small, map=padded, window=Window.square(120 + shift, 120 + shift, 16))


def test_effective_pixels_and_extent_stay(pair: tuple[Attribution, Attribution]) -> None:
    small, large = pair
    assert large.lr_size == (128, 128)
    assert large.effective_pixels == pytest.approx(small.effective_pixels, rel=1e-12)
    for share in (0.5, 0.9, 0.95):
        assert mass_area(large.map, share) == pytest.approx(mass_area(small.map, share), rel=1e-12)
    near, far = (mass_radius(result.map, result.window.on_lr(SCALE)) for result in pair)
    assert far.mean == pytest.approx(near.mean, rel=1e-12)
    assert far.rms == pytest.approx(near.rms, rel=1e-12)


def test_the_diffusion_index_changes_by_the_ratio_of_areas(pair: tuple[Attribution, Attribution]) -> None:
    small, large = pair
    # With n → 4n pixels of which 3n are zero, 1 − G is divided by 4 exactly.
    assert large.diffusion_index == pytest.approx(small.diffusion_index / 4, rel=1e-12)


def test_captions_and_records_state_the_size(pair: tuple[Attribution, Attribution]) -> None:
    for result, size in zip(pair, ("64×64", "128×128"), strict=True):
        (index,) = [label for label, _ in fact_table([result]) if label.startswith("DI")]
        assert size in index
        assert re.search(rf"LR {size}\b", result.conditions)
        assert "x".join(map(str, result.record()["lr_size"])) == size.replace("×", "x")


def test_comparing_the_two_is_warned_of(pair: tuple[Attribution, Attribution]) -> None:
    assert check_comparable([pair[0], pair[0]])
    assert check_comparable([])
    with pytest.warns(IncomparableWarning, match="64×64, 128×128"):
        assert not check_comparable(pair)
