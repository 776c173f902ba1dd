"""The page with a network that samples: its noise is chosen, and its picture bounded."""

from dataclasses import replace

import pytest
import torch

from srlens.errors import ImageError, SettingError
from srlens.networks.sampled import sampled_module
from srlens.web.answers import Answer
from srlens.web.callbacks import Page
from srlens.web.choices import Choices
from srlens.web.limits import Limits
from srlens.web.session import Session

BOTH = Choices(top=96, left=120, networks=("plain", "diffusion"), sampler_seed=5, settings={"steps": 1})


def test_only_networks_that_sample_are_given_the_noise(page: Page, session: Session) -> None:
    plain, diffusion = page.drawn(session, BOTH)
    assert plain is page.listed.open("plain")
    assert sampled_module(diffusion).seed == 5
    assert sampled_module(page.listed.open("diffusion")).seed == 0  # what other tabs are given stays as it is


@pytest.mark.parametrize(
    ("seed", "words"), [(-1, "at least 0, got -1"), (1.5, "whole number"), (2**32, "up to 4294967295, got 4294967296")]
)
def test_a_seed_out_of_range_is_refused(page: Page, session: Session, seed: int, words: str) -> None:
    page.use_sample(session, "pagoda")
    with pytest.raises(SettingError, match=words):
        list(page.run(session, replace(BOTH, sampler_seed=seed)))
    with pytest.raises(SettingError, match=words):
        list(page.run_field(session, replace(BOTH, sampler_seed=seed), "diffusion", stride=64, steps=1))


def test_what_was_not_drawn_is_no_condition(page: Page, session: Session) -> None:
    page.use_sample(session, "pagoda")
    *_, last = page.run(session, replace(BOTH, networks=("plain",)))
    assert isinstance(last, Answer)
    assert last.choices.sampler_seed == 0
    assert "seed" not in " ".join(last.comparison.conditions)


def test_a_picture_too_large_for_its_steps_is_refused(session: Session) -> None:
    page = Page(limits=Limits(lr_pixels=64 * 64 * 12 - 1))
    page.use_sample(session, "pagoda")
    assert page.sr_size(session, replace(BOTH, networks=("plain",))) == (256, 256)
    words = r"LR image would have 64×64 pixels; this page takes 4095 at most with srlens-diffusion-x4, .* 12 steps"
    for attempt in (
        lambda: page.use_sample(session, "hopper", BOTH),
        lambda: list(page.run(session, BOTH)),
        lambda: list(page.run_field(session, BOTH, "diffusion", stride=64, steps=1)),
    ):
        with pytest.raises(ImageError, match=words):
            attempt()
    assert session.picture is not None
    assert session.picture.name == "pagoda"
    session.picture = replace(session.picture, image=torch.rand(3, 252, 252))
    assert page.sr_size(session, BOTH) == (252, 252)
    page.close()
