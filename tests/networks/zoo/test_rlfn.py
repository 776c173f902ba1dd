import pytest

from srlens.networks.zoo.rlfn import FAMILY, RLFN


def small(**options):
    return RLFN(**({"width": 8, "inner": 6, "attention_width": 3, "blocks": 1} | options)).eval()


@pytest.mark.parametrize(
    "options",
    [
        {"width": 10, "inner": 10, "blocks": 2, "scale": 2},
        {"width": 46, "inner": 48, "attention_width": 16, "blocks": 4, "scale": 3},
        {"width": 9, "inner": 7, "attention_width": 2, "blocks": 6, "scale": 4, "channels": 1},
    ],
)
def test_any_configuration_is_read_off_its_state_dict(reload_any, options):
    reload_any(FAMILY, RLFN(**options), options["scale"], options.get("channels", 3), (17, 23))


def test_published_size_and_range():
    module = RLFN()
    assert sum(parameter.numel() for parameter in module.parameters()) == 543_740
    assert FAMILY.value_range_of(module) == 255.0


def test_receptive_field():
    field = FAMILY.receptive_field_of(RLFN())
    # Head 1; six times 3 convolutions and the attention's 19; tail 2.
    assert field.true == 1 + 2 * (1 + 6 * (3 + 19) + 2)
    assert not field.is_global


@pytest.mark.parametrize("size", [160, 165])
def test_gradients_stay_within_the_footprint(strip_support, size):
    module = small(blocks=2, scale=2)
    field = FAMILY.receptive_field_of(module)
    widest = 0
    for place in (0, size // 3, size // 2, size - 1):
        first, last = strip_support(module, 2 * place, 2 * place + 2, size)
        low, high = field.footprint(2 * place, 2 * place + 2, 2, size)
        assert low <= first
        assert last <= high
        widest = max(widest, last - first)
    assert 0.6 * field.true < widest <= field.true + 1


def test_it_can_be_exported(exported_agrees):
    exported_agrees(small())
