"""Every error of the core: its type, and that the message says value, accepted range and remedy."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import srlens
from srlens.errors import (
    ChannelError,
    ImageError,
    ImageTooSmallError,
    InputError,
    NetworkOutputError,
    NotDifferentiableError,
    NotFiniteError,
    OutOfMemoryError,
    SettingError,
    SrlensError,
    WindowError,
    ZeroMapError,
)

WINDOW = srlens.Window(8, 10, 6, 6)


class Enlarge(nn.Module):
    """×2 by a convolution and a pixel shuffle, with something done to the input first or to the output last."""

    def __init__(self, before=lambda x: x, after=lambda x: x) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 12, 3, padding=1)
        self.before, self.after = before, after

    def forward(self, x: Tensor) -> Tensor:
        return self.after(nn.functional.pixel_shuffle(self.convolution(self.before(x)), 2))


def wrap(before=lambda x: x, after=lambda x: x, **keywords) -> srlens.Network:
    return srlens.Network.wrap(Enlarge(before, after), scale=2, **keywords)


# Windows


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 0, 0, 4), "empty: height 0, width 4. Both must be at least 1"),
        ((0, 0, 4, -1), "empty"),
        ((-1, 0, 4, 4), "top -1, left 0; both ≥ 0"),
        ((0, -3, 4, 4), "starts outside"),
        ((0.5, 0, 4, 4), "Window top must be a whole number of SR pixels, got 0.5"),
        ((0, "1", 4, 4), "Window left must be a whole number"),
        ((0, 0, None, 4), "Window height"),
        ((0, 0, 4, float("nan")), "Window width"),
        ((0, 0, 4, torch.tensor([1, 2])), "Window width"),
    ],
)
def test_impossible_windows(arguments, message: str) -> None:
    with pytest.raises(WindowError, match=message):
        srlens.Window(*arguments)


def test_whole_numbers_of_other_libraries_make_windows() -> None:
    assert srlens.Window(np.int64(3), torch.tensor(4), np.uint8(5), 6) == srlens.Window(3, 4, 5, 6)
    assert type(srlens.Window(np.int64(3), 0, 5, 6).top) is int


@pytest.mark.parametrize(
    ("window", "message"),
    [
        (srlens.Window(23, 0, 6, 6), "top 0…22, left 0…26 .SR pixels, not LR"),
        (srlens.Window(0, 27, 6, 6), "28×32 pixels"),
        (srlens.Window(0, 0, 29, 6), "larger than the SR image of 28×32"),
        (srlens.Window(1000, 1000, 1, 1), "reaches outside"),
        (srlens.Window(27, 31, 1, 1), "'gradient' needs 2 a side"),
        (srlens.Window(27, 4, 1, 6), "leaves 1×7 SR pixels at the border"),
    ],
)
def test_windows_outside_the_sr_image(image, window: srlens.Window, message: str) -> None:
    with pytest.raises(WindowError, match=message):
        srlens.attribute(wrap(), image, window)


def test_last_admissible_windows_work(image) -> None:
    for window in (srlens.Window(22, 26, 6, 6), srlens.Window(0, 0, 28, 32), srlens.Window(26, 30, 1, 1)):
        assert srlens.attribute(wrap(), image, window, steps=2).map.any()


def test_a_tuple_is_no_window(image) -> None:
    with pytest.raises(WindowError, match=r"srlens.Window.*got \(8, 10, 6, 6\)"):
        srlens.attribute(wrap(), image, (8, 10, 6, 6))


# Images


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_not_finite_image(image, value: float) -> None:
    bad = image.clone()
    bad[1, 5, 6] = bad[2, 9, 9] = value
    with pytest.raises(NotFiniteError, match=r"2 of 672 values; first at channel 1, pixel \(row 5, column 6\)"):
        srlens.attribute(wrap(), bad, WINDOW)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (torch.rand(14, 16), r"C×h×w, got shape \(14, 16\)"),
        (torch.rand(1, 3, 14, 16), "C×h×w"),
        (torch.rand(3, 0, 16), "C×h×w"),
        (torch.zeros(3, 14, 16, dtype=torch.uint8), "uint8. Divide by 255"),
        (np.zeros((3, 14, 16), dtype=np.uint8), "uint8. Divide by 255"),
        (np.zeros((3, 14, 16), dtype=bool), "floating point"),
        (np.full((3, 14, 16), "x"), "floating point"),
        ([[[0.1, 0.2], [0.3]]], "no array|floating point"),
        (torch.rand(3, 14, 16) * 255, r"\[0, 1\] for every network.*Divide by the largest"),
        (torch.rand(3, 14, 16) - 1, "Image values run from"),
    ],
)
def test_unusable_images(bad, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        srlens.attribute(wrap(), bad, WINDOW)


def test_arrays_of_any_layout_and_float_type_are_the_same_image(image) -> None:
    expected = srlens.attribute(wrap().to(dtype=torch.float64), image, WINDOW, detector="intensity", steps=3)
    assert expected.map.any()
    network = wrap()
    array = image.numpy()
    maps = [
        srlens.attribute(network, given, WINDOW, detector="intensity", steps=3).map
        for given in (
            array,
            np.asfortranarray(array),
            array[:, ::-1][:, ::-1],
            array.astype(">f8"),
            array.astype(np.longdouble),
            array.tolist(),
            image.clone().requires_grad_(True),
        )
    ]
    for one in maps[1:]:
        assert np.array_equal(one, maps[0])


def test_image_is_not_written_to(image) -> None:
    for network in (wrap(), wrap(before=lambda x: x.mul_(2))):
        for given in (image.clone(), image.float(), image.numpy().copy()):
            copy = given.clone() if isinstance(given, Tensor) else given.copy()
            srlens.attribute(network, given, WINDOW, steps=2)
            assert (given == copy).all()


def test_wrong_channel_count() -> None:
    with pytest.raises(ChannelError, match="2 channels; Enlarge takes 3"):
        srlens.attribute(wrap(), torch.rand(2, 14, 16), WINDOW)
    with pytest.raises(ChannelError, match="4 channels"):
        srlens.attribute(wrap(), torch.rand(4, 14, 16), WINDOW)


def test_image_smaller_than_the_blur_kernel() -> None:
    with pytest.raises(ImageTooSmallError, match="4×16; a blur with kernel=9 needs sides of at least 5"):
        srlens.attribute(wrap(), torch.rand(3, 4, 16), srlens.Window(0, 0, 4, 4))
    network = wrap()
    assert srlens.attribute(network, torch.rand(3, 5, 16), srlens.Window(0, 0, 4, 4), steps=2).map.any()
    assert srlens.attribute(
        network, torch.rand(3, 2, 2), srlens.Window(0, 0, 4, 4), path=srlens.ProgressiveBlur(0.3, 3), steps=2
    ).map.any()
    with pytest.raises(ImageTooSmallError, match="smaller sigma and kernel"):
        srlens.attribute(network, torch.rand(3, 4, 4), srlens.Window(0, 0, 4, 4), path="linear-blur")
    assert srlens.attribute(network, torch.rand(3, 1, 1), srlens.Window(0, 0, 2, 2), path="linear-black").map.any()


def test_image_smaller_than_the_network() -> None:
    with pytest.raises(ImageTooSmallError, match="14×16; this network takes sides of at least 15"):
        srlens.attribute(wrap(minimum=15), torch.rand(3, 14, 16), WINDOW)


# Settings


@pytest.mark.parametrize("steps", [0, -1, 2.0, "5", True, float("nan")])
def test_steps_must_be_a_whole_number_of_at_least_one(image, steps) -> None:
    with pytest.raises(SettingError, match="steps must be a whole number of at least 1, got"):
        srlens.attribute(wrap(), image, WINDOW, steps=steps)


@pytest.mark.parametrize("tolerance", [0, 1, -0.1, 1.5, float("nan"), "0.1", True])
def test_tolerance_must_lie_between_0_and_1(image, tolerance) -> None:
    with pytest.raises(SettingError, match="tolerance must lie between 0 and 1, got"):
        srlens.attribute(wrap(), image, WINDOW, tolerance=tolerance)


@pytest.mark.parametrize("limit", [8, 0, -5, 9.5, True])
def test_max_steps(image, limit) -> None:
    with pytest.raises(SettingError, match="max_steps must be a whole number of at least 9"):
        srlens.attribute(wrap(), image, WINDOW, max_steps=limit)


@pytest.mark.parametrize("sigma", [0, -1.0, float("nan"), float("inf"), None, "1.2", True])
@pytest.mark.parametrize("path", [srlens.ProgressiveBlur, srlens.LinearFromBlur])
def test_sigma_must_be_positive(path, sigma) -> None:
    with pytest.raises(SettingError, match=r"sigma must be a positive number of LR pixels, got .*the paper uses 1.2"):
        path(sigma=sigma)


@pytest.mark.parametrize("kernel", [8, 0, -9, 1, 9.0, True])
@pytest.mark.parametrize("path", [srlens.ProgressiveBlur, srlens.LinearFromBlur])
def test_kernel_must_be_odd(path, kernel) -> None:
    with pytest.raises(SettingError, match="kernel must be an odd whole number of LR pixels, at least 3, got"):
        path(kernel=kernel)


@pytest.mark.parametrize("sigma", [0.5, 1.2, 1.34, 1.67, 2.5, 5.0, 33.4])
@pytest.mark.parametrize("kernel", [3, 5, 9, 11, 17])
def test_the_advice_on_sigma_and_kernel_can_be_followed(sigma: float, kernel: int) -> None:
    try:
        srlens.ProgressiveBlur(sigma, kernel)
    except SettingError as error:
        text = str(error)
        assert "too large for kernel" in text
        srlens.ProgressiveBlur(sigma, int(text.split("at least ")[1].partition(",")[0]))
        srlens.ProgressiveBlur(float(text.split("at most ")[1].rstrip(".")), kernel)
    else:
        assert 3 * sigma <= kernel // 2


@pytest.mark.parametrize(
    ("keyword", "known"),
    [
        ("detector", "gradient, intensity, gabor, residual, residual-gradient, error"),
        ("path", "progressive-blur, linear-blur, linear-black"),
        ("rule", "midpoint, right-riemann, gauss-legendre"),
        ("preset", "default, paper"),
    ],
)
@pytest.mark.parametrize("name", ["nonsense", "", "Gradient", 5, ["gradient"]])
def test_unknown_names_list_the_known_ones(image, keyword: str, known: str, name) -> None:
    with pytest.raises(SettingError, match=f"is called .*known: {known}"):
        srlens.attribute(wrap(), image, WINDOW, **{keyword: name})


def test_a_path_class_is_no_path(image) -> None:
    with pytest.raises(SettingError, match="path object"):
        srlens.attribute(wrap(), image, WINDOW, path=srlens.ProgressiveBlur)


def test_unknown_parameterisation(image) -> None:
    with pytest.raises(SettingError, match="'Laplacian arc length', 'arc length', 'uniform'"):
        srlens.attribute(wrap(), image, WINDOW, parameterisation="arc")


def test_a_bare_module_is_told_to_be_wrapped(image) -> None:
    with pytest.raises(SettingError, match=r"bare module Enlarge. Wrap it first: srlens.Network.wrap"):
        srlens.attribute(Enlarge(), image, WINDOW)


@pytest.mark.parametrize("explain", [lambda n, x: srlens.attribute(n, x, WINDOW), lambda n, x: srlens.compare([n], x)])
def test_a_name_is_told_to_be_opened(explain, image) -> None:
    with pytest.raises(SettingError, match=r"got 'plain'. Open it first: srlens.open_network"):
        explain("plain", image)


def test_a_picture_in_memory_is_told_where_it_goes() -> None:
    with pytest.raises(ImageError, match=r"got ndarray. A picture in memory goes to srlens as it is"):
        srlens.open_image(np.zeros((3, 8, 8)))


def test_detector_of_the_wrong_shape(image) -> None:
    with pytest.raises(SettingError, match=r"'mine' returned \(\) for a patch of \(1, 3, 6, 6\); one value per image"):
        srlens.attribute(wrap(), image, WINDOW, detector=srlens.Detector("mine", torch.sum))
    with pytest.raises(SettingError, match="returned float"):
        srlens.attribute(wrap(), image, WINDOW, detector=srlens.Detector("mine", lambda patch: float(patch.sum())))


def test_residual_detector_needs_equal_channels() -> None:
    module = nn.Sequential(nn.Conv2d(1, 12, 3, padding=1), nn.PixelShuffle(2))
    network = srlens.Network.wrap(module, scale=2, channels=1)
    with pytest.raises(SettingError, match="makes 3 channels and that has 1"):
        srlens.attribute(network, torch.rand(1, 14, 16), WINDOW, detector="residual")


# What the network does wrong


def test_not_finite_weights_are_named(image) -> None:
    network = wrap()
    with torch.no_grad():
        network.module.convolution.bias[1] = float("nan")
    with pytest.raises(NotFiniteError, match=r"1 of 12 values of 'convolution.bias'.*checkpoint is damaged"):
        srlens.attribute(network, image, WINDOW)


def test_not_finite_statistics_are_named(image) -> None:
    module = nn.Sequential(nn.BatchNorm2d(3), nn.Upsample(scale_factor=2)).eval()
    module[0].running_var[0] = float("inf")
    module[0].running_mean[0] = float("inf")
    with pytest.raises(NotFiniteError, match=r"'0.running_mean'"):
        srlens.attribute(srlens.Network.wrap(module, scale=2), image, WINDOW)


def test_not_finite_output_inside_the_window(image) -> None:
    network = wrap(after=lambda y: y / 0)
    with pytest.raises(
        NotFiniteError, match="output of Enlarge is NaN or infinite inside the window, though its weights"
    ):
        srlens.attribute(network, image, WINDOW)


def test_not_finite_gradient_says_where(image) -> None:
    """The root of an exact 0 has an infinite slope."""
    zero = image.clone()
    zero[:, 4:8, 5:9] = 0
    network = srlens.Network.wrap(Enlarge(before=lambda x: (x**2).sqrt()), scale=2)
    with pytest.raises(
        NotFiniteError, match=r"gradient of Enlarge is not finite in \d+ of 672 values; first at channel 0"
    ):
        srlens.attribute(network, zero, WINDOW, path="linear-black")


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        (lambda x: x.detach(), "detach, no_grad, NumPy or rounding"),
        (lambda x: torch.from_numpy(x.detach().numpy()), "detach, no_grad, NumPy"),
        (lambda x: torch.from_numpy(x.numpy()), "detach, no_grad, NumPy"),
        (torch.no_grad()(lambda x: x * 2), "no_grad"),
        (lambda x: (x * 255).int().float() / 255, "rounding"),
    ],
    ids=["detach", "numpy after detach", "numpy", "no_grad", "integer"],
)
@pytest.mark.parametrize("detector", ["gradient", "residual"])
def test_modules_without_gradient(image, before, reason: str, detector: str) -> None:
    """With a residual detector a gradient arrives by way of bicubic alone: that must not pass for the network's."""
    with pytest.raises(NotDifferentiableError, match=f"(?s)Enlarge is not differentiable.*{reason}.*plain autograd"):
        srlens.attribute(wrap(before), image, WINDOW, detector=detector)


@pytest.mark.parametrize("place", ["before", "after"])
def test_rounding_modules(image, place: str) -> None:
    network = wrap(**{place: lambda x: (x * 255).round() / 255})
    with pytest.raises(NotDifferentiableError, match="Every gradient of Enlarge is zero, though the detector changes"):
        srlens.attribute(network, image, WINDOW)


def test_module_that_overwrites_what_its_gradient_needs(image) -> None:
    def before(x: Tensor) -> Tensor:
        y = x.sigmoid()
        y.mul_(2)  # the sigmoid's gradient needs its own output
        return y

    torch.manual_seed(0)
    one = srlens.attribute(wrap(before), image, WINDOW, steps=6)
    torch.manual_seed(0)
    plain = srlens.attribute(wrap(lambda x: x.sigmoid() * 2), image, WINDOW, steps=6)
    np.testing.assert_allclose(one.map, plain.map, rtol=1e-9, atol=1e-12)


def test_module_in_inference_mode(image) -> None:
    with pytest.raises(NotDifferentiableError):
        srlens.attribute(wrap(torch.inference_mode()(lambda x: x * 2)), image, WINDOW)


def test_modules_that_overwrite_their_input_are_fine(image) -> None:
    network = wrap(lambda x: x.mul_(2).sub_(0.5))
    same = srlens.Network.wrap(Enlarge(lambda x: x * 2 - 0.5), scale=2)
    same.module.load_state_dict(network.module.state_dict())
    a, b = (srlens.attribute(n, image, WINDOW, steps=3) for n in (network, same))
    assert np.array_equal(a.map, b.map)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_works_inside_the_callers_no_grad(image, mode) -> None:
    network = wrap()
    expected = srlens.attribute(network, image, WINDOW, steps=3)
    with mode():
        result = srlens.attribute(network, image * 1.0, WINDOW, steps=3)
    assert np.array_equal(result.map, expected.map)


@pytest.mark.parametrize(
    ("after", "message"),
    [
        (lambda y: y[..., 1:], r"\(1, 3, 28, 31\) for an input of \(1, 3, 14, 16\); at scale 2"),
        (lambda y: y[0], r"returned \(3, 28, 32\)"),
        (lambda y: nn.functional.interpolate(y, scale_factor=2), "Check `scale`, or pass `forward=`"),
        (lambda y: {"sr": y}, "returned dict"),
        (lambda y: None, "returned NoneType"),
        (lambda y: (), "returned tuple"),
    ],
)
def test_wrong_output(image, after, message: str) -> None:
    with pytest.raises(NetworkOutputError, match=message):
        srlens.attribute(wrap(after=after), image, WINDOW)


@pytest.mark.parametrize("call", [1, 2, 3, 6])
@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
    ],
    ids=["cuda", "cpu"],
)
def test_out_of_memory_at_any_call_says_what_to_lower(image, call: int, error: Exception) -> None:
    calls = 0

    def before(x: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        if calls == call:
            raise error
        return x

    with pytest.raises(OutOfMemoryError, match=r"Crop the LR image around the window.*memory="):
        srlens.attribute(wrap(before), image, WINDOW, regional=False)


def test_errors_of_the_module_itself_are_not_disguised(image) -> None:
    def before(x: Tensor) -> Tensor:
        raise RuntimeError("the module's own affair")

    with pytest.raises(RuntimeError, match=r"RuntimeError: the module's own affair\. ") as caught:
        srlens.attribute(wrap(before), image, WINDOW)
    assert str(caught.value.__cause__) == "the module's own affair"


# The tree


def test_the_tree_of_errors() -> None:
    for error in (WindowError, SettingError, ImageError):
        assert issubclass(error, InputError)
        assert issubclass(error, ValueError)
    for error in (NetworkOutputError, NotDifferentiableError, NotFiniteError, ZeroMapError, OutOfMemoryError):
        assert issubclass(error, SrlensError)
        assert not issubclass(error, ValueError)
