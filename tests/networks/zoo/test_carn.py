import pytest
import torch

from srlens.errors import SettingError
from srlens.networks.zoo.carn import CARN, FAMILY

MOBILE = {"recursive": True, "efficient": True, "groups": 4, "upsampler_groups": 4}


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_single_scale(reload, scale):
    loaded = reload(FAMILY, CARN(scales=(scale,), width=12), 3)
    assert loaded.scale == scale


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"upsampler_groups": 2},
        MOBILE,
        {**MOBILE, "recursive": False},
        {**MOBILE, "groups": 2, "upsampler_groups": 1},
    ],
)
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_one_file_for_three_scales(reload, options, scale):
    module = CARN(scales=(2, 3, 4), shared_trunk=True, width=8, **options)
    assert module.scale == 4
    module.select_scale(scale)
    assert reload(FAMILY, module, 3).scales == (2, 3, 4)
    assert FAMILY.load(module.state_dict()).scale == 4


def test_a_scale_that_is_not_held_is_refused():
    with pytest.raises(SettingError, match="scales 2, 3, not 4"):
        CARN(scales=(2, 3), shared_trunk=True, width=4).select_scale(4)


@pytest.mark.parametrize("options", [{}, MOBILE])
def test_receptive_field_is_the_published_one(options):
    field = FAMILY.receptive_field_of(CARN(width=4, **options))
    assert (field.paper, field.true) == (45, 42.5)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_gradient_stays_inside_the_footprint(check_footprint, scale):
    module = CARN(scales=(2, 3, 4), shared_trunk=True, width=4, **MOBILE)
    module.select_scale(scale)
    check_footprint(module, FAMILY.receptive_field_of(module), scale, 48)


@pytest.mark.parametrize("value_range", [1.0, 255.0])
def test_value_range_is_read_off_the_mean_shift(value_range):
    module = CARN(width=4, value_range=value_range)
    assert FAMILY.value_range_of(FAMILY.load(module.state_dict())) == value_range


def test_published_file_loads(shared):
    path = shared / "weights" / "carn-m-multiscale.pth"
    loaded = FAMILY.load(torch.load(path, map_location="cpu", weights_only=True))
    assert (loaded.scale, loaded.scales) == (4, (2, 3, 4))
    assert FAMILY.value_range_of(loaded) == 1.0
