import pytest
import torch

from srlens.errors import SettingError
from srlens.networks.zoo.pan import FAMILY, PAN


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize(("channels", "width", "tail_width", "blocks", "group"), [(3, 8, 6, 3, None), (1, 10, 5, 1, 3)])
def test_any_configuration_is_read_off_its_state_dict(reload, scale, channels, width, tail_width, blocks, group):
    module = PAN(scale=scale, channels=channels, width=width, tail_width=tail_width, blocks=blocks, group=group)
    loaded = reload(FAMILY, module, channels)
    assert (loaded.scale == 4) == (scale == 4)


@pytest.mark.parametrize(("held", "asked"), [(4, 2), (2, 4), (3, 8)])
def test_a_scale_that_is_not_held_is_refused(held, asked):
    with pytest.raises(SettingError, match=f"not {asked}"):
        PAN(scale=held, blocks=1).select_scale(asked)


@pytest.mark.parametrize(("scale", "paper", "true"), [(4, 79, 72.5), (3, 75, 71.0), (2, 75, 72.0)])
def test_receptive_field(scale, paper, true):
    field = FAMILY.receptive_field_of(PAN(scale=scale))
    assert (field.paper, field.true) == (paper, true)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_gradient_stays_inside_the_footprint(check_footprint, scale):
    module = PAN(scale=scale, width=6, tail_width=4, blocks=2)
    check_footprint(module, FAMILY.receptive_field_of(module), scale, 28)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_published_files_tell_their_scale(shared, scale):
    path = shared / "weights" / f"pan-x{scale}.pth"
    loaded = FAMILY.load(torch.load(path, map_location="cpu", weights_only=True))
    assert loaded.scale == scale
