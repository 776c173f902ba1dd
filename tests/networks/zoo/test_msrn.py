import pytest

from srlens.networks.zoo.msrn import FAMILY, MSRN


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
@pytest.mark.parametrize(("channels", "width", "blocks"), [(3, 6, 3), (1, 4, 1)])
def test_any_configuration_is_read_off_its_state_dict(reload, scale, channels, width, blocks):
    module = MSRN(scale=scale, channels=channels, width=width, blocks=blocks)
    loaded = reload(FAMILY, module, channels)
    assert loaded.scale == scale


@pytest.mark.parametrize("value_range", [1.0, 255.0])
def test_value_range_is_read_off_the_mean_shift(value_range):
    module = MSRN(width=4, blocks=1, value_range=value_range)
    assert FAMILY.value_range_of(FAMILY.load(module.state_dict())) == value_range


def test_receptive_field_published_and_true():
    field = FAMILY.receptive_field_of(MSRN(width=2))
    assert (field.paper, field.true) == (107, 72.5)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_gradient_stays_inside_the_footprint(check_footprint, scale):
    module = MSRN(scale=scale, width=4, blocks=2)
    check_footprint(module, FAMILY.receptive_field_of(module), scale, 32, value_range=255.0)
