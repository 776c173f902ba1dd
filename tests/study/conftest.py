"""Two tiny networks, a picture, and comparisons of them."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from srlens.attribution.window import Window
from srlens.imaging.samples import sample_image
from srlens.networks.network import Network
from srlens.study.compare import Comparison, compare
from srlens.study.subject import Subject

WINDOW = Window(24, 28, 8, 8)


def tiny(name: str, radius: int) -> Network:
    """One convolution, a rectifier and the shuffle; the wider one looks further."""
    size = 2 * radius + 1
    body = nn.Sequential(
        nn.Conv2d(3, 12, size, padding=radius), nn.LeakyReLU(0.2), nn.Conv2d(12, 12, 1), nn.PixelShuffle(2)
    )
    return Network.wrap(body, scale=2, name=name)


@pytest.fixture
def networks() -> list[Network]:
    torch.manual_seed(1)
    return [tiny("narrow", 1), tiny("wide", 4)]


@pytest.fixture
def make_subject() -> Callable[..., Subject]:
    def make(side: int = 64, *, hr: bool = True) -> Subject:
        picture = Subject.from_hr(sample_image("pagoda")[:, 120 : 120 + side, 120 : 120 + side], 2, name="roof & eaves")
        return picture if hr else Subject("roof", picture.lr, None, "given")

    return make


@pytest.fixture
def make_comparison(networks: list[Network], make_subject: Callable[..., Subject]) -> Callable[..., Comparison]:
    """Compare the tiny networks; untrained ones are below bicubic, which is not the point here."""
    import warnings

    from srlens.errors import BelowBicubicWarning

    def make(side: int = 64, *, hr: bool = True, **settings: object) -> Comparison:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BelowBicubicWarning)
            return compare(networks, make_subject(side, hr=hr), WINDOW, **{"steps": 4, **settings})

    return make
