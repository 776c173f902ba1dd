"""Layers that several network families share. Attribute names are the published keys of the state dicts."""

from collections import OrderedDict
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from srlens.errors import SettingError
from srlens.networks.zoo.reading import upsampler_steps

#: Average R, G, B of the DIV2K training images, in [0, 1]. For new modules: a checkpoint brings its own.
DIV2K_MEAN = (0.4488, 0.4371, 0.4040)


def named(**layers: nn.Module) -> nn.Sequential:
    """Layers in a row under names of their own, as the published keys want them."""
    return nn.Sequential(OrderedDict(layers))


def convolution(inputs: int, outputs: int, groups: int = 1) -> nn.Conv2d:
    """A 3×3 convolution that keeps the size."""
    return nn.Conv2d(inputs, outputs, 3, padding=1, groups=groups)


class MeanShift(nn.Conv2d):
    """Adds a constant per channel, as the 1×1 convolution that published files hold; never trained.

    Takes and gives N×C×h×w. State-dict keys: ``weight`` (C×C×1×1, the identity) and ``bias`` (C).
    """

    def __init__(self, shift: Sequence[float]) -> None:
        channels = len(shift)
        super().__init__(channels, channels, 1)
        self.requires_grad_(False)
        nn.init.dirac_(self.weight)
        if self.bias is not None:
            self.bias.copy_(torch.tensor(shift))


def channel_means(channels: int, value_range: float = 1.0) -> tuple[float, ...]:
    """Scale the DIV2K mean to ``value_range``; for other than three channels, repeat the average of all."""
    means = DIV2K_MEAN if channels == 3 else (sum(DIV2K_MEAN) / 3,) * channels
    return tuple(value_range * mean for mean in means)


def mean_shifts(channels: int, value_range: float) -> tuple[MeanShift, MeanShift]:
    """The shift that takes the mean off the image, and the one that puts it back."""
    means = channel_means(channels, value_range)
    return MeanShift([-mean for mean in means]), MeanShift(means)


def nested_mean_shifts(channels: int, value_range: float) -> tuple[nn.Sequential, nn.Sequential]:
    """:func:`mean_shifts` one level down (key ``shifter``), as the files of CARN and DRLN hold them."""
    first, last = mean_shifts(channels, value_range)
    return named(shifter=first), named(shifter=last)


def range_of_shift(module: nn.Module) -> float:
    """Tell the value range (1.0 or 255.0) that a module's mean shift was made for: means lie near 0.4 of the range.

    1.0 where there is no mean shift: nothing tells, and it is the commoner habit there.
    """
    shifts = (part.bias for part in module.modules() if isinstance(part, MeanShift) and part.bias is not None)
    return 255.0 if any(float(bias.abs().max()) > 2.0 for bias in shifts) else 1.0


def two_convolutions(width: int, groups: int = 1) -> nn.Sequential:
    """3×3, ReLU, 3×3 (keys ``0`` and ``2``), the inside of most residual blocks."""
    return nn.Sequential(convolution(width, width, groups), nn.ReLU(), convolution(width, width, groups))


class Residual(nn.Sequential):
    """``x + residual_scale · layers(x)`` on N×C×h×w, the layers in a row under names of their own."""

    def __init__(self, residual_scale: float = 1.0, **layers: nn.Module) -> None:
        super().__init__(OrderedDict(layers))
        self.residual_scale = residual_scale

    def forward(self, x: Tensor) -> Tensor:
        """Refine ``x`` (N×C×h×w)."""
        y = x
        for layer in self:
            y = layer(y)
        return x + (y if self.residual_scale == 1 else self.residual_scale * y)


class Rectified(Residual):
    """``relu(x + layers(x))``."""

    def forward(self, x: Tensor) -> Tensor:
        """Refine ``x`` (N×C×h×w)."""
        return torch.relu(super().forward(x))


class ChannelAttention(nn.Module):
    """Scales each map by a weight in (0, 1) drawn from one number per map, over the whole image.

    Args:
        width: maps.
        squeezed: maps inside.
        describe: the numbers, N×C×h×w to N×C×1×1.
    """

    def __init__(self, width: int, squeezed: int, describe: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.describe = describe
        self.conv_du = nn.Sequential(
            nn.Conv2d(width, squeezed, 1), nn.ReLU(), nn.Conv2d(squeezed, width, 1), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        """N×C×h×w in and out; every output pixel depends on every input pixel."""
        return x * self.conv_du(self.describe(x))


class NonLocalBlock(nn.Module):
    """Adds to every pixel a sum over all, weighted by the match of two 1×1 embeddings: N×C×h×w in and out.

    Args:
        width: C.
        inner: maps of the embeddings.
        pooled: the sum goes over the map pooled by two (SAN).
        over_readers: the weights of one *source* pixel sum to one over the pixels that read it, instead of those of
            one reader over its sources: so RNAN's published code computes, unlike the paper's formula.
    """

    def __init__(self, width: int, inner: int, *, pooled: bool, over_readers: bool) -> None:
        super().__init__()
        self.axis = 1 if over_readers else 2
        self.g = _embedding(width, inner, pooled)
        self.W = nn.Conv2d(inner, width, 1)
        self.theta = _embedding(width, inner, pooled=False)
        self.phi = _embedding(width, inner, pooled)

    def forward(self, x: Tensor) -> Tensor:
        """Memory grows with (h·w)²."""
        readers = self.theta(x).flatten(2).transpose(1, 2)
        weights = (readers @ self.phi(x).flatten(2)).softmax(dim=self.axis)
        gathered = weights @ self.g(x).flatten(2).transpose(1, 2)
        return self.W(gathered.transpose(1, 2).unflatten(2, x.shape[-2:])) + x


def _embedding(width: int, inner: int, pooled: bool) -> nn.Module:
    layer = nn.Conv2d(width, inner, 1)
    return nn.Sequential(layer, nn.MaxPool2d(2)) if pooled else layer


class Upsampler(nn.Sequential):
    """Sub-pixel convolution as in EDSR: N×C×h×w to N×C×sh×sw.

    A power of two is climbed in steps of two (3×3 convolutions at keys ``0``, ``2``, ``4``, each before a
    pixel shuffle); three is one step (key ``0``). With ``rectified``, of CARN and DRLN, a rectifier stands before
    each shuffle, so that the keys are ``0``, ``3``, ``6``.
    """

    def __init__(self, scale: int, width: int, *, groups: int = 1, rectified: bool = False) -> None:
        layers: list[nn.Module] = []
        for step in upsampler_steps(scale):
            layers.append(convolution(width, width * step**2, groups))
            layers += [nn.ReLU(), nn.PixelShuffle(step)] if rectified else [nn.PixelShuffle(step)]
        super().__init__(*layers)


def shuffled(width: int, scale: int, channels: int) -> nn.Sequential:
    """One 3×3 convolution (key ``0``) and one pixel shuffle: N×width×h×w to N×channels×sh×sw."""
    return nn.Sequential(convolution(width, channels * scale**2), nn.PixelShuffle(scale))


class EnlargingNetwork(nn.Module):
    """What every family's network says of itself.

    Args:
        scale: SR pixels per LR pixel.
        channels: of the image, going in and coming out.
    """

    def __init__(self, scale: int = 4, channels: int = 3) -> None:
        super().__init__()
        self.scale, self.channels = scale, channels


class MeanShiftedNetwork(EnlargingNetwork):
    """The frame that EDSR, MSRN, RNAN and SAN share; a subclass sets ``tail`` last and says what the ``trunk`` does.

    Takes N×C×h×w and gives N×C×sh×sw, in [0, ``value_range``] (the mean shift is made for it). Without a
    ``value_range`` there is no mean shift, and no key ``sub_mean`` or ``add_mean``.
    """

    sub_mean: nn.Module
    add_mean: nn.Module
    tail: nn.Module

    def __init__(self, width: int, value_range: float | None, **image: int) -> None:
        super().__init__(**image)
        self.sub_mean, self.add_mean = (
            (nn.Identity(), nn.Identity()) if value_range is None else mean_shifts(self.channels, value_range)
        )
        self.head = nn.Sequential(convolution(self.channels, width))

    def trunk(self, shallow: Tensor) -> Tensor:
        """From the features of the head (N×width×h×w) to those that ``tail`` enlarges."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge ``x`` (N×C×h×w) to N×C×sh×sw."""
        return self.add_mean(self.tail(self.trunk(self.head(self.sub_mean(x)))))


def subpixel_tail(scale: int, width: int, channels: int) -> nn.Sequential:
    """An :class:`Upsampler` (key ``0``) and one 3×3 convolution on the SR grid (key ``1``)."""
    return nn.Sequential(Upsampler(scale, width), convolution(width, channels))


def run_blocks(module: nn.Module, names: Sequence[str], x: Tensor) -> list[Tensor]:
    """The outputs of the named parts of a module, each of which reads the one before."""
    outputs = []
    for name in names:
        x = module.get_submodule(name)(x)
        outputs.append(x)
    return outputs


class ScaleSelectable(nn.Module):
    """Adds a choice of scales to a network: ``scale`` is the one in use, ``scales`` are all that its weights serve."""

    scale: int
    scales: tuple[int, ...]

    def select_scale(self, scale: int) -> None:
        """Enlarge by ``scale`` from now on.

        Raises:
            SettingError: the network does not hold it.
        """
        if scale not in self.scales:
            raise SettingError(f"This network holds the scales {', '.join(map(str, self.scales))}, not {scale}.")
        self.scale = scale
