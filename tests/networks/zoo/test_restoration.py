"""PReNet, AOD-Net and IAT: read off their state dicts, within their receptive fields, exported."""

import pytest
import torch

from srlens.networks.zoo import aodnet, iat, prenet

NETWORKS = [
    (prenet.FAMILY, lambda: prenet.PReNet(width=4), 3),
    (prenet.FAMILY, lambda: prenet.PReNet(width=4, channels=1, blocks=5), 1),
    (aodnet.FAMILY, aodnet.AODNet, 3),
    (iat.FAMILY, lambda: iat.IAT(width=8, blocks=2, embedding=16, hidden=12, global_hidden=20), 3),
]


@pytest.mark.parametrize(("family", "build", "channels"), NETWORKS)
def test_any_configuration_is_read_off_its_state_dict(reload_any, family, build, channels):
    reload_any(family, build(), 1, channels, (17, 23))


@pytest.mark.parametrize(("family", "build", "channels"), NETWORKS)
def test_it_can_be_exported(exported_agrees, family, build, channels):
    exported_agrees(build(), channels)


@pytest.mark.parametrize(("module", "count"), [(prenet.PReNet(blocks=5), 168_963), (iat.IAT(), 91_154)])
def test_published_size(module, count):
    """PReNet: 168,963 in the tables of the paper; IAT: the 90 K of its title."""
    assert sum(parameter.numel() for parameter in module.parameters()) == count


def test_footprint_of_aod_net(check_footprint):
    check_footprint(aodnet.AODNet(), aodnet.FAMILY.receptive_field_of(aodnet.AODNet()), 1, 64)


def test_footprint_of_prenet(strip_support):
    module = prenet.PReNet(width=4)
    field = prenet.FAMILY.receptive_field_of(module)
    assert field.true == field.paper == 157
    first, last = field.footprint(100, 101, 1, 201)
    low, high = strip_support(module, 100, 101, 201)
    assert first <= low < high <= last
    assert high - low > 40  # farther ones round to nothing: gates and small weights stand in a row


def test_iat_sees_everything():
    module = iat.IAT().eval()
    torch.nn.init.normal_(module.global_net.generator.attn.v.weight)
    x = torch.rand(1, 3, 24, 24, requires_grad=True)
    (gradient,) = torch.autograd.grad(module(x)[..., 0, 0].sum(), x)
    assert (gradient[0].abs().sum(dim=0) > 0).float().mean() > 0.95
