import pytest
import torch

from srlens.networks.zoo.rfdn import FAMILY, RFDN


def small(**options):
    return RFDN(**({"width": 8, "distilled": 4, "attention_width": 2, "blocks": 1} | options)).eval()


@pytest.mark.parametrize(
    "options",
    [
        {"width": 10, "distilled": 5, "attention_width": 3, "blocks": 2, "scale": 2},
        {"width": 52, "distilled": 26, "attention_width": 13, "blocks": 4, "scale": 3},
        {"width": 9, "distilled": 3, "attention_width": 2, "blocks": 6, "scale": 4, "channels": 1},
    ],
)
def test_any_configuration_is_read_off_its_state_dict(reload_any, options):
    reload_any(FAMILY, RFDN(**options), options["scale"], options.get("channels", 3), (17, 23))


def test_published_size():
    assert sum(parameter.numel() for parameter in RFDN().parameters()) == 433_448


def test_an_image_smaller_than_the_attention_needs_is_announced():
    module = small()
    assert FAMILY.minimum == 15
    module(torch.rand(1, 3, 15, 15))
    with pytest.raises(RuntimeError):
        module(torch.rand(1, 3, 14, 15))


def test_range_and_grouping():
    assert FAMILY.value_range_of(RFDN()) == 255.0
    assert FAMILY.kind == "global pooling"


def test_receptive_field_is_finite_though_the_paper_says_global():
    field = FAMILY.receptive_field_of(RFDN())
    # Head 1; four times 4 convolutions and the attention's 31; tail 2.
    assert field.true == 1 + 2 * (1 + 4 * (4 + 31) + 2)
    assert not field.is_global
    assert field.paper is None
    assert str(field) == "287 LR px"


@pytest.mark.parametrize("size", [160, 165, 163, 700])
def test_gradients_stay_within_the_footprint(strip_support, size):
    module = small(scale=2)
    field = FAMILY.receptive_field_of(module)
    widest = 0
    for place in (0, size // 3, size // 2, size - 60, size - 1):
        start = 2 * place
        first, last = strip_support(module, start, start + 2, size)
        low, high = field.footprint(start, start + 2, 2, size)
        assert low <= first
        assert last <= high
        assert high - low < size
        widest = max(widest, last - first)
    assert 0.7 * field.true < widest <= field.true + 1


def test_the_published_depth_does_not_see_the_whole_of_a_long_image(strip_support):
    module = small(blocks=4, scale=2)
    field = FAMILY.receptive_field_of(module)
    low, high = field.footprint(800, 816, 2, 900)
    first, last = strip_support(module, 800, 816, 900)
    assert 0 < low <= first
    assert last <= high < 900
    assert last - first > 120


def test_it_can_be_exported(exported_agrees):
    exported_agrees(small())
