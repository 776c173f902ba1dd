import pytest
import torch

from srlens.networks.zoo.imdn import FAMILY, IMDN, deviation


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
@pytest.mark.parametrize(
    ("channels", "width", "blocks", "distilled", "hidden"), [(3, 16, 6, 4, 1), (1, 12, 2, 5, 3), (3, 64, 1, 16, 4)]
)
def test_any_configuration_is_read_off_its_state_dict(reload, scale, channels, width, blocks, distilled, hidden):
    module = IMDN(scale=scale, channels=channels, width=width, blocks=blocks, distilled=distilled, hidden=hidden)
    loaded = reload(FAMILY, module, channels)
    assert loaded.scale == scale


def test_strided_variant_is_not_taken_for_it():
    state_dict = IMDN(width=8, blocks=1, distilled=2).state_dict()
    state_dict["fea_conv.0.weight"] = state_dict.pop("fea_conv.weight")  # IMDN-AS: two strided convolutions
    assert not FAMILY.detect(state_dict)


def test_receptive_field_is_global(support):
    module = IMDN(width=8, blocks=1, distilled=2)
    assert FAMILY.receptive_field_of(module).is_global
    assert support(module, 40, 44, 24) == ((0, 24), (0, 24))


def test_deviation_is_torchs():
    x = torch.rand(2, 3, 7, 5, dtype=torch.float64)
    torch.testing.assert_close(deviation(x), x.std(dim=(2, 3), correction=0, keepdim=True))


def test_a_constant_channel_has_a_gradient_all_the_same():
    x = torch.rand(1, 2, 4, 4)
    x[:, 1] = 0.5
    x.requires_grad_()
    (gradient,) = torch.autograd.grad(deviation(x).sum(), x)
    assert gradient.isfinite().all()
    assert gradient[:, 0].abs().sum() > 0
    assert (gradient[:, 1] == 0).all()


def test_published_file_loads(shared):
    saved = torch.load(shared / "weights" / "imdn-x4.pth", map_location="cpu", weights_only=True)
    loaded = FAMILY.load({key.removeprefix("module."): value for key, value in saved.items()})
    assert (loaded.scale, loaded.blocks) == (4, 6)
    assert loaded.fea_conv.out_channels == 64
