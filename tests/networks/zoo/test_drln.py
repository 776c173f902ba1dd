import pytest
import torch

from srlens.networks.zoo.drln import DRLN, FAMILY


@pytest.mark.parametrize(
    ("options", "scale"),
    [
        ({"width": 4, "squeezed": 2}, 2),
        ({"width": 3, "squeezed": 1}, 3),
        ({"width": 4, "squeezed": 1, "channels": 1}, 4),
        ({"width": 2, "squeezed": 1}, 8),
    ],
)
def test_any_configuration_is_read_off_its_state_dict(reload_any, options, scale):
    module = DRLN(**options, scale=scale)
    reload_any(FAMILY, module, scale, options.get("channels", 3), (5, 7))


def test_published_size_and_range():
    with torch.device("meta"):
        assert sum(t.numel() for t in DRLN().state_dict().values()) == 34_577_867
    module = DRLN(width=2, squeezed=1)
    module.sub_mean.shifter.bias.data = torch.tensor([-0.4, -0.4, -0.4])
    assert FAMILY.value_range_of(module) == 255.0


def test_every_weight_but_the_fourth_fusions_matters():
    module = DRLN(width=3, squeezed=3, scale=2).double()
    for name, parameter in module.named_parameters():
        parameter.data = parameter.data.abs() if "shifter" not in name else parameter.data
    module(torch.rand(1, 3, 6, 6, dtype=torch.float64) * 255 + 255).sum().backward()
    idle = [name for name, p in module.named_parameters() if p.requires_grad and p.grad is None]
    assert idle == ["c4.body.0.weight", "c4.body.0.bias"]


def test_it_sees_the_whole_map(strip_support):
    module = DRLN(width=4, squeezed=2, scale=2)
    assert FAMILY.receptive_field_of(module).is_global
    assert strip_support(module, 0, 1, 200) == (0, 200)


def test_it_can_be_exported(exported_agrees):
    exported_agrees(DRLN(width=2, squeezed=1, scale=2))
