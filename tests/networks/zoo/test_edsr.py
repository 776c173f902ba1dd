import pytest
import torch

from srlens.networks.zoo.edsr import EDSR, FAMILY


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
@pytest.mark.parametrize(("channels", "width", "blocks", "mean_shift"), [(3, 8, 3, True), (1, 6, 1, False)])
def test_any_configuration_is_read_off_its_state_dict(reload, scale, channels, width, blocks, mean_shift):
    module = EDSR(scale=scale, channels=channels, width=width, blocks=blocks, mean_shift=mean_shift)
    loaded = reload(FAMILY, module, channels)
    assert loaded.scale == scale


def test_residual_scale_follows_the_paper():
    for width, expected in [(64, 1.0), (256, 0.1)]:
        with torch.device("meta"):
            block = EDSR(width=width, blocks=1).body[0]
        assert block.residual_scale == expected


@pytest.mark.parametrize(("mean_shift", "value_range"), [(True, 1.0), (True, 255.0), (False, 1.0)])
def test_value_range_is_read_off_the_mean_shift(mean_shift, value_range):
    module = EDSR(width=4, blocks=1, value_range=value_range, mean_shift=mean_shift)
    assert FAMILY.value_range_of(FAMILY.load(module.state_dict())) == value_range


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_names_of_basicsr_are_understood(scale):
    module = EDSR(scale=scale, width=6, blocks=3, value_range=255.0)
    prefixes = {"head.0": "conv_first", "body.3": "conv_after_body", "tail.0": "upsample", "tail.1": "conv_last"}
    prefixes |= {f"body.{i}.body.{j}": f"body.{i}.conv{1 + j // 2}" for i in range(3) for j in (0, 2)}
    theirs = {
        prefixes[ours] + key.removeprefix(ours): value
        for key, value in module.state_dict().items()
        for ours in prefixes
        if key.startswith(ours + ".")
    }
    assert len(theirs) == len(module.state_dict()) - 4  # all but the mean shifts
    assert FAMILY.detect(theirs)
    loaded = FAMILY.load(theirs)
    x = torch.rand(1, 3, 9, 11) * 255
    assert loaded.scale == scale
    assert FAMILY.value_range_of(loaded) == 255.0
    assert torch.equal(loaded(x), module(x))


def test_receptive_field_is_the_published_one():
    field = FAMILY.receptive_field_of(EDSR(width=4))
    assert (field.paper, field.true) == (75, 72.5)


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_gradient_stays_inside_the_footprint(check_footprint, scale):
    module = EDSR(scale=scale, width=4, blocks=2)
    check_footprint(module, FAMILY.receptive_field_of(module), scale, 24, value_range=255.0)
