"""Network: one convention for any module."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import srlens
from srlens.errors import ChannelError, ImageError, ImageTooSmallError, NetworkOutputError, SettingError
from srlens.imaging.colour import luma, rgb_to_ycbcr
from srlens.imaging.resample import bicubic_upscale

WINDOW = srlens.Window(8, 10, 6, 6)


def body(channels: int = 3, scale: int = 2) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, 6, 3, padding=1),
        nn.GELU(),
        nn.Conv2d(6, channels * scale**2, 3, padding=1),
        nn.PixelShuffle(scale),
    ).double()


class On255(nn.Module):
    """Works on 0–255, with a nonlinearity that a wrong range would show."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        return 255 * self.inner(x / 255)


def test_value_range_equals_wrapping_by_hand() -> None:
    inner = body()
    x = torch.rand(2, 3, 9, 11, dtype=torch.float64)
    on_255 = srlens.Network.wrap(On255(inner), scale=2, value_range=255.0)
    assert torch.allclose(on_255(x), inner(x), atol=1e-14)
    wrong = srlens.Network.wrap(On255(inner), scale=2)
    assert not torch.allclose(wrong(x), inner(x), atol=1e-2)
    maps = [
        srlens.attribute(network, x[0], WINDOW, steps=5).map
        for network in (on_255, srlens.Network.wrap(inner, scale=2))
    ]
    assert np.allclose(*maps, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("height", "width", "multiple"), [(9, 11, 4), (8, 12, 8), (5, 5, 16), (9, 11, 1)])
def test_padding_by_reflection_and_attribution_of_the_mirrored_pixels(height: int, width: int, multiple: int) -> None:
    """The same as a module that pads itself: what falls on a mirrored pixel belongs to the pixel that it mirrors."""
    inner = body()

    class Checked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, x: Tensor) -> Tensor:
            assert x.shape[-2] % multiple == 0
            assert x.shape[-1] % multiple == 0
            return self.inner(x)

    class PadsItself(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, x: Tensor) -> Tensor:
            def mirrored(side: int) -> list[int]:
                there_and_back = [*range(side), *range(side - 2, 0, -1)]
                needed = -(-side // multiple) * multiple
                return [there_and_back[k % len(there_and_back)] for k in range(needed)]

            y = self.inner(x[..., mirrored(height), :][..., mirrored(width)])
            return y[..., : 2 * height, : 2 * width]

    image = torch.rand(3, height, width, dtype=torch.float64)
    window = srlens.Window(2 * height - 4, 2 * width - 4, 4, 4)  # at the last corner, where the padding matters
    ours = srlens.Network.wrap(Checked(), scale=2, multiple=multiple)
    theirs = srlens.Network.wrap(PadsItself(), scale=2)
    assert torch.equal(ours(image[None]), theirs(image[None]))
    assert ours(image[None]).shape == (1, 3, 2 * height, 2 * width)
    a, b = (srlens.attribute(network, image, window, steps=4) for network in (ours, theirs))
    assert np.allclose(a.map, b.map, rtol=1e-9, atol=1e-12)
    assert a.map.shape == (3, height, width)
    bare = srlens.attribute(srlens.Network.wrap(inner, scale=2), image, window, steps=4)
    padded = height % multiple or width % multiple
    assert bool(abs(a.map - bare.map).max() > 1e-6) == bool(padded)  # the padding does make a difference


@pytest.mark.parametrize("pack", [lambda y: (y, y * 2), lambda y: [y, None], lambda y: (y,)])
def test_tuple_outputs_count_by_their_first(pack) -> None:
    inner = body()

    class Packs(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, x: Tensor) -> object:
            return pack(self.inner(x))

    x = torch.rand(1, 3, 8, 8).double()
    assert torch.equal(srlens.Network.wrap(Packs(), scale=2)(x), inner(x))


def test_forward_with_further_arguments() -> None:
    class Multi(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tails = nn.ModuleDict({str(s): body(scale=s) for s in (2, 3)})

        def forward(self, x: Tensor, scale: int, *, flip: bool) -> dict[str, Tensor]:
            y = self.tails[str(scale)](x)
            return {"sr": y.flip(-1) if flip else y}

    module = Multi()
    x = torch.rand(1, 3, 8, 9).double()
    for scale in (2, 3):
        network = srlens.Network.wrap(module, scale=scale, forward=lambda m, x, s=scale: m(x, s, flip=True)["sr"])
        assert torch.equal(network(x), module.tails[str(scale)](x).flip(-1))
    with pytest.raises(NetworkOutputError, match="pass `forward=`"):
        srlens.Network.wrap(module, scale=2, forward=lambda m, x: m(x, 3, flip=False)["sr"])(x)


def test_pre_upsampled_speaks_of_lr_pixels() -> None:
    module = nn.Conv2d(3, 3, 3, padding=1).double()
    network = srlens.Network.wrap(module, scale=3, pre_upsampled=True)
    image = torch.rand(3, 10, 12, dtype=torch.float64)
    assert torch.equal(network(image[None]), module(bicubic_upscale(image, 3)[None]))
    window = srlens.Window(12, 15, 6, 3)
    result = srlens.attribute(network, image, window, detector="intensity", steps=1)
    x = image.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(module(bicubic_upscale(x, 3)[None])[..., 12:18, 15:18].sum(), x)
    used = gradient.abs().sum(dim=0) != 0
    assert used.any()
    assert not used.all()
    assert np.array_equal(abs(result.map).sum(axis=0) != 0, used.numpy())


def test_luma_network_takes_rgb() -> None:
    inner = body(channels=1)
    network = srlens.Network.wrap(inner, scale=2, channels=1)
    assert network.colour == "y"
    image = torch.rand(3, 14, 16, dtype=torch.float64)
    y = luma(image)
    assert torch.allclose(y * 255, 16 + (65.481 * image[:1] + 128.553 * image[1:2] + 24.966 * image[2:]), atol=1e-4)
    assert torch.equal(network.prepare(image), y)
    of_luma_itself = srlens.Network.wrap(inner, scale=2, channels=1, colour="any")
    from_rgb, from_y = (
        srlens.attribute(given_to, given, WINDOW, steps=3)
        for given_to, given in ((network, image), (of_luma_itself, y))
    )
    assert from_rgb.map.shape == (1, 14, 16)
    assert (from_rgb.map == from_y.map).all()

    sr = network.upscale(image)
    assert sr.shape == (3, 28, 32)
    back = rgb_to_ycbcr(sr.double())
    inside = ((sr > 0) & (sr < 1)).all(dim=0)
    assert torch.allclose(back[0][inside], inner(y[None])[0, 0][inside], atol=1e-6)
    chroma = rgb_to_ycbcr(bicubic_upscale(image, 2))[1:]
    assert torch.allclose(back[1:][:, inside], chroma[:, inside], atol=1e-6)


def test_grey_image_for_an_rgb_network_is_repeated() -> None:
    network = srlens.Network.wrap(body(), scale=2)
    grey = torch.rand(1, 14, 16)
    assert torch.equal(network.prepare(grey), grey.expand(3, 14, 16))
    assert srlens.attribute(network, grey, WINDOW, steps=2).map.shape == (3, 14, 16)


@pytest.mark.parametrize("channels", [2, 4, 31])
def test_other_channel_counts(channels: int) -> None:
    network = srlens.Network.wrap(body(channels=channels), scale=2, channels=channels)
    assert network.colour == "any"
    image = torch.rand(channels, 14, 16)
    assert srlens.attribute(network, image, WINDOW, steps=2).map.shape == (channels, 14, 16)
    for wrong in (1, 3):
        with pytest.raises(ChannelError, match=f"{wrong} channels; Sequential takes {channels}"):
            network.prepare(torch.rand(wrong, 14, 16))


def test_single_channel_that_is_no_luma_takes_no_rgb() -> None:
    network = srlens.Network.wrap(body(channels=1), scale=2, channels=1, colour="any")
    with pytest.raises(ChannelError):
        network.prepare(torch.rand(3, 14, 16))


def test_output_is_neither_clamped_nor_rounded_and_upscale_is_clamped() -> None:
    module = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(3, 3, 1))
    with torch.no_grad():
        module[1].weight.fill_(3.0)
    network = srlens.Network.wrap(module, scale=2)
    image = torch.rand(3, 6, 6)
    assert network(image[None]).max() > 2
    assert network(image[None]).requires_grad  # of the weights, which wrapping does not freeze
    sr = network.upscale(image)
    assert not sr.requires_grad
    assert (float(sr.min()), float(sr.max())) >= (0, 0)
    assert float(sr.max()) == 1
    assert srlens.Network.wrap(body(), scale=2).upscale(image).dtype == torch.float32  # the image's own type


@pytest.mark.filterwarnings("ignore::srlens.OutsideRangeWarning")
def test_nothing_is_written_to_the_callers_tensor() -> None:
    class Overwrites(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("anchor", torch.zeros(1))

        def forward(self, x: Tensor) -> Tensor:
            x *= 255
            return nn.functional.interpolate(x, scale_factor=2)

    network = srlens.Network.wrap(Overwrites(), scale=2)
    x = torch.rand(1, 3, 6, 6)
    copy = x.clone()
    first = network(x)
    assert torch.equal(x, copy)
    assert torch.equal(network(x), first)
    network.upscale(x[0])
    assert torch.equal(x, copy)
    leaf = x.clone().requires_grad_(True)
    network(leaf).sum().backward()
    assert torch.equal(leaf.grad, torch.full_like(leaf, 4 * 255))


def test_digest_follows_the_weights() -> None:
    module = body()
    network = srlens.Network.wrap(module, scale=2)
    first = network.digest
    assert len(first) == 64
    assert network.digest == first
    assert network.to(dtype=torch.float32).digest != first
    assert network.to().digest == first
    with torch.no_grad():
        module[0].bias[0] += 1e-12
    assert network.digest != first
    renamed = nn.Sequential(nn.Identity(), *module)
    assert srlens.Network.wrap(renamed, scale=2).digest != network.digest
    with_buffer = nn.Sequential(*module, nn.BatchNorm2d(3))
    wrapped = srlens.Network.wrap(with_buffer, scale=2)
    before = wrapped.digest
    with_buffer[-1].running_mean[0] = 1
    assert wrapped.digest != before
    for dtype in (torch.float16, torch.bfloat16):
        assert len(network.to(dtype=dtype).digest) == 64


def test_to_leaves_the_original() -> None:
    module = body()
    network = srlens.Network.wrap(module, scale=2, name="mine", value_range=255.0, multiple=2)
    single = network.to(dtype=torch.float32)
    assert (network.dtype, single.dtype) == (torch.float64, torch.float32)
    assert network.module is module
    assert single.module is not module
    assert all(p.dtype == torch.float64 for p in module.parameters())
    with torch.no_grad():
        single.module[0].weight.zero_()
    assert module[0].weight.abs().sum() > 0
    for field in dataclasses.fields(network):
        if field.name != "module":
            assert getattr(single, field.name) == getattr(network, field.name)


def test_facts() -> None:
    network = srlens.Network.wrap(body(), scale=2)
    assert network.parameters == sum(p.numel() for p in network.module.parameters()) == 3 * 6 * 9 + 6 + 6 * 12 * 9 + 12
    assert network.device == torch.device("cpu")
    assert (network.name, network.family, network.value_range) == ("Sequential", None, 1.0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        network.scale = 3
    bare = srlens.Network.wrap(nn.Upsample(scale_factor=2), scale=2)
    assert (bare.dtype, bare.device, bare.parameters) == (torch.float32, torch.device("cpu"), 0)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"scale": 0}, "scale must be a whole number of at least 1, got 0"),
        ({"scale": 2.5}, "scale must be"),
        ({"scale": "2"}, "scale must be"),
        ({"scale": True}, "scale must be"),
        ({"scale": 2, "channels": 0}, "channels must be"),
        ({"scale": 2, "multiple": -1}, "multiple must be"),
        ({"scale": 2, "minimum": 0}, "minimum must be"),
        ({"scale": 2, "value_range": 0}, "value_range must be positive .1.0 or 255.0"),
        ({"scale": 2, "value_range": float("nan")}, "value_range must be positive"),
        ({"scale": 2, "value_range": float("inf")}, "value_range must be positive"),
        ({"scale": 2, "colour": "bgr"}, "colour must be 'rgb' .3 channels., 'y', 'grey' .* or 'any', got 'bgr' for 3"),
        ({"scale": 2, "colour": "grey"}, "colour must be .* got 'grey' for 3"),
        ({"scale": 2, "channels": 1, "colour": "rgb"}, "colour must be .* got 'rgb' for 1"),
    ],
)
def test_wrap_checks_its_values(keywords, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        srlens.Network.wrap(body(), **keywords)


def test_wrap_takes_modules_only() -> None:
    with pytest.raises(SettingError, match=r"takes a torch.nn.Module, got function"):
        srlens.Network.wrap(bicubic_upscale, scale=2)


def test_calls_that_cannot_be() -> None:
    network = srlens.Network.wrap(body(), scale=2, minimum=6)
    with pytest.raises(ImageError, match=r"batch N×C×h×w, got shape \(3, 8, 8\); for one image: image\[None\]"):
        network(torch.rand(3, 8, 8))
    with pytest.raises(ChannelError, match="1 channels"):
        network(torch.rand(1, 1, 8, 8))
    with pytest.raises(ImageTooSmallError, match="5×8; this network takes sides of at least 6"):
        network(torch.rand(1, 3, 5, 8))
    with pytest.raises(NetworkOutputError, match="at scale 4"):
        srlens.Network.wrap(body(), scale=4)(torch.rand(1, 3, 8, 8))


def test_a_network_shows_itself_without_its_module() -> None:
    """Its repr was that of the whole module: 3,000 characters."""
    network = srlens.load_default("channel")
    text = repr(network)
    assert text.startswith("Network srlens-channel-x4: family SmallSR, kind global pooling, scale ×4, ")
    assert f"parameters {network.parameters:,}" in text
    assert len(text) < 200
    html = network._repr_html_()
    for label in ("network", "family", "kind", "scale", "value range", "receptive field", "parameters", "source"):
        assert f"<th>{label}</th>" in html
    unknown = srlens.Network.wrap(torch.nn.Upsample(scale_factor=2), scale=2, name="<b>" * 99)
    assert len(repr(unknown)) < 200
    assert "<b>" not in unknown._repr_html_()
    assert "<td>unknown</td>" in unknown._repr_html_()
