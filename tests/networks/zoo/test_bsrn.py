import pytest
import torch

from srlens.networks.zoo.bsrn import BSRN, FAMILY, contrast


def small(**options):
    settings = {"width": 8, "distilled": 4, "attention_width": 2, "squeezed": 2, "blocks": 1}
    return BSRN(**(settings | options)).eval()


@pytest.mark.parametrize(
    "options",
    [
        {"width": 10, "distilled": 5, "attention_width": 3, "squeezed": 1, "blocks": 2, "scale": 2},
        {"width": 48, "distilled": 24, "attention_width": 12, "squeezed": 3, "blocks": 5, "scale": 3},
        {"width": 9, "distilled": 3, "squeezed": 2, "blocks": 3, "scale": 4, "channels": 1},
    ],
)
def test_any_configuration_is_read_off_its_state_dict(reload_any, options):
    reload_any(FAMILY, BSRN(**options), options["scale"], options.get("channels", 3), (17, 23))


def test_published_size_and_range():
    module = BSRN()
    assert sum(parameter.numel() for parameter in module.parameters()) == 352_400
    assert FAMILY.value_range_of(module) == 1.0


def test_it_sees_the_whole_map(strip_support):
    module = small()
    assert FAMILY.receptive_field_of(module).is_global
    assert strip_support(module, 0, 1, 200) == (0, 200)


def test_a_flat_map_has_a_finite_gradient():
    x = torch.rand(1, 4, 5, 5)
    x[:, 1] = 0.5
    x.requires_grad_()
    (gradient,) = torch.autograd.grad(contrast(x).sum(), x)
    assert gradient.isfinite().all()


def test_it_can_be_exported(exported_agrees):
    exported_agrees(small())
