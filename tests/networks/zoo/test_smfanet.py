import pytest
import torch

from srlens.networks.zoo.smfanet import FAMILY, SMFANet


def small(**options):
    settings = {"width": 8, "blocks": 2, "detail_width": 16, "hidden": 16, "partial": 4}
    return SMFANet(**(settings | options)).eval()


@pytest.mark.parametrize(
    "options",
    [
        {"width": 6, "blocks": 3, "detail_width": 12, "hidden": 9, "partial": 2, "scale": 2},
        {"width": 48, "blocks": 2, "detail_width": 96, "hidden": 96, "partial": 24, "scale": 3},
        {"width": 5, "blocks": 1, "detail_width": 5, "hidden": 8, "partial": 8, "scale": 4, "channels": 1},
    ],
)
def test_any_configuration_is_read_off_its_state_dict(reload_any, options):
    reload_any(FAMILY, SMFANet(**options), options["scale"], options.get("channels", 3), (9, 23))


def test_published_size_and_range():
    module = SMFANet()
    assert sum(parameter.numel() for parameter in module.parameters()) == 197_328
    assert FAMILY.value_range_of(module) == 1.0


def test_training_and_evaluation_compute_the_same():
    module = small()
    x = torch.rand(1, 3, 16, 17)
    assert torch.equal(module.eval()(x), module.train()(x))


def test_it_sees_the_whole_map_once_its_variance_weighs_in(strip_support):
    module = small()
    for name, parameter in module.named_parameters():
        if name.endswith("belt"):
            torch.nn.init.ones_(parameter)
    assert FAMILY.receptive_field_of(module).is_global
    assert strip_support(module, 0, 1, 200) == (0, 200)


def test_it_can_be_exported(exported_agrees):
    exported_agrees(small())
