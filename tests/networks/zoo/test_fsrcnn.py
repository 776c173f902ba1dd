import pytest
import torch

from srlens.errors import SettingError
from srlens.networks.zoo.fsrcnn import FAMILY, FSRCNN


@pytest.mark.parametrize(
    ("channels", "width", "narrow", "mappings", "scale"), [(1, 56, 12, 4, 4), (3, 9, 5, 1, 3), (1, 16, 7, 6, 2)]
)
def test_any_configuration_is_read_off_its_state_dict(reload, channels, width, narrow, mappings, scale):
    module = FSRCNN(scale=scale, channels=channels, width=width, narrow=narrow, mappings=mappings)
    reload(FAMILY, module, channels)


def test_random_weights_tell_no_scale_so_it_is_four():
    assert FAMILY.load(FSRCNN(scale=2).state_dict()).scale == 4


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_scale_is_found_where_the_weights_enlarge(scale):
    module = FSRCNN(scale=scale, width=4, narrow=3, mappings=1)
    for parameter in module.parameters():
        torch.nn.init.zeros_(parameter)
    module.first_part[0].weight.data[0, 0, 2, 2] = 1.0
    for layer, centre in [(0, 0), (2, 1), (4, 0)]:
        module.mid_part[layer].weight.data[0, 0, centre, centre] = 1.0
    module.last_part.weight.data[0, 0, 4 : 4 + scale, 4 : 4 + scale] = 1.0  # each pixel becomes a square
    loaded = FAMILY.load(module.state_dict())
    assert loaded.scale == scale


def test_a_scale_that_is_not_held_is_refused():
    with pytest.raises(SettingError, match="2, 3, 4, not 5"):
        FSRCNN().select_scale(5)


@pytest.mark.parametrize(("mappings", "side"), [(4, 13), (6, 17)])
def test_receptive_field_in_the_papers_convention(mappings, side):
    field = FAMILY.receptive_field_of(FSRCNN(width=48, mappings=mappings))
    assert field.paper == side
    assert field.true == side + 2  # the transposed convolution reaches 4 SR pixels


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_gradient_stays_inside_the_footprint(check_footprint, scale):
    module = FSRCNN(scale=scale, width=6, narrow=4, mappings=2)
    # A transposed convolution of stride s reaches a pixel less on one side, depending on the phase.
    check_footprint(module, FAMILY.receptive_field_of(module), scale, 24, channels=1, slack=1)


def test_published_file_tells_its_scale(shared):
    state_dict = torch.load(shared / "weights" / "fsrcnn-y-x4.pth", map_location="cpu", weights_only=True)
    loaded = FAMILY.load(state_dict)
    assert (loaded.scale, loaded.channels) == (4, 1)
    assert FAMILY.receptive_field_of(loaded).paper == 13
