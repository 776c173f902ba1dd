import pytest
import torch

from srlens.networks.zoo.san import FAMILY, SAN, covariance, matrix_square_root


def small(**options):
    settings = {"width": 8, "squeezed": 2, "inner": 2, "inner_squeezed": 2, "groups": 2, "blocks": 1, "scale": 2}
    return SAN(**(settings | options)).eval()


@pytest.mark.parametrize(
    "options",
    [
        {"groups": 3, "blocks": 2},
        {"width": 6, "inner": 3, "inner_squeezed": 1, "scale": 3},
        {"squeezed": 1, "groups": 1, "blocks": 3, "scale": 4, "channels": 1},
        {"scale": 8},
    ],
)
def test_any_configuration_is_read_off_its_state_dict(reload_any, options):
    reload_any(FAMILY, small(**options), options.get("scale", 2), options.get("channels", 3), (9, 11))


def test_the_mean_shift_is_the_files_own_and_the_range_stays():
    state_dict = small().state_dict()
    state_dict["sub_mean.bias"] = torch.tensor([-0.1, -0.2, -0.3])
    loaded = FAMILY.load(dict(state_dict))
    assert torch.equal(loaded.sub_mean.bias, state_dict["sub_mean.bias"])
    assert FAMILY.value_range_of(loaded) == 255.0


def test_covariance_is_numpys():
    x = torch.rand(2, 3, 4, 5, dtype=torch.float64)
    expected = torch.stack([torch.cov(image.flatten(1), correction=0) for image in x])
    torch.testing.assert_close(covariance(x), expected)


def test_the_square_root_converges():
    torch.manual_seed(1)
    factor = torch.rand(2, 6, 6, dtype=torch.float64)
    matrix = factor @ factor.transpose(1, 2) + torch.eye(6, dtype=torch.float64)
    errors = []
    for iterations in (3, 5, 8, 12):
        root = matrix_square_root(matrix, iterations)
        errors.append(float((root @ root - matrix).norm() / matrix.norm()))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-12


def test_the_square_root_has_the_right_gradient():
    matrix = (torch.eye(3, dtype=torch.float64) + 0.1).expand(1, 3, 3).clone().requires_grad_()
    assert torch.autograd.gradcheck(matrix_square_root, matrix)


def test_each_quarter_of_the_map_is_attended_by_itself():
    module = small().double()
    x = torch.rand(1, 8, 8, 12, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(module.non_local(x)[..., :4, :6].sum(), x)
    touched = gradient.abs().amax(dim=(0, 1)) > 0
    assert touched[:4, :6].all()
    assert touched.sum() == 24


def test_it_sees_the_whole_map(strip_support):
    module = small(squeezed=8)
    assert FAMILY.receptive_field_of(module).is_global
    assert strip_support(module, 0, 1, 60) == (0, 60)


def test_it_can_be_exported(exported_agrees):
    exported_agrees(small())
