import pytest
import torch

from srlens.networks.zoo.layers import NonLocalBlock
from srlens.networks.zoo.rnan import FAMILY, RNAN


def small(**options):
    return RNAN(**({"width": 4, "inner": 2, "groups": 3, "scale": 2} | options)).eval()


@pytest.mark.parametrize(
    "options",
    [
        {"width": 6, "inner": 3, "groups": 4, "scale": 2},
        {"width": 4, "inner": 2, "groups": 3, "scale": 3},
        {"width": 4, "inner": 1, "groups": 3, "scale": 4, "channels": 1},
        {"width": 4, "inner": 4, "groups": 3, "scale": 8},
    ],
)
def test_any_configuration_is_read_off_its_state_dict(reload_any, options):
    reload_any(FAMILY, RNAN(**options), options["scale"], options.get("channels", 3), (10, 14))


def test_odd_sides_are_announced():
    module = small()
    assert FAMILY.multiple == 2
    with pytest.raises(RuntimeError):
        module(torch.rand(1, 3, 9, 10))


def test_the_mean_shift_is_the_files_own():
    state_dict = small().state_dict()
    state_dict["sub_mean.bias"] = torch.tensor([-0.1, -0.2, -0.3])
    loaded = FAMILY.load(dict(state_dict))
    assert torch.equal(loaded.sub_mean.bias, state_dict["sub_mean.bias"])
    assert FAMILY.value_range_of(loaded) == 255.0


def test_attention_weights_of_one_source_sum_to_one_over_its_readers():
    block = NonLocalBlock(4, 2, pooled=False, over_readers=True).double()
    torch.nn.init.eye_(block.g.weight.data.view(2, 4))
    torch.nn.init.zeros_(block.g.bias)
    torch.nn.init.eye_(block.W.weight.data.view(4, 2))
    torch.nn.init.zeros_(block.W.bias)
    x = torch.rand(1, 4, 3, 5, dtype=torch.float64)
    added = block(x) - x
    torch.testing.assert_close(added.sum(dim=(2, 3))[:, :2], x.sum(dim=(2, 3))[:, :2])


def test_it_sees_the_whole_map(strip_support):
    module = small()
    assert FAMILY.receptive_field_of(module).is_global
    assert strip_support(module, 0, 1, 100) == (0, 100)


def test_it_can_be_exported(exported_agrees):
    exported_agrees(small())
