"""CARN and CARN-M: cascading residual networks (Ahn, Kang & Sohn, ECCV 2018, arXiv 1803.08664)."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from srlens.networks.checkpoint import StateDict
from srlens.networks.zoo import layers
from srlens.networks.zoo.family import Family, holds, own_facts
from srlens.networks.zoo.reading import subpixel_receptive_field, upsampler_scale

#: Blocks of the network, and residual units of a block.
LEVELS = 3


def _fusion(collected: int, width: int) -> nn.Sequential:
    """Rectified 1×1 convolution that brings everything collected so far back to ``width`` maps."""
    return layers.named(body=nn.Sequential(nn.Conv2d(collected, width, 1), nn.ReLU()))


def _unit(width: int, groups: int, efficient: bool) -> layers.Rectified:
    """A residual unit; ``efficient`` is CARN-M's: grouped, with a 1×1 mixer."""
    mixer = [nn.ReLU(), nn.Conv2d(width, width, 1)] if efficient else []
    return layers.Rectified(body=nn.Sequential(*layers.two_convolutions(width, groups), *mixer))


class Cascade(nn.Module):
    """Three stages whose inputs are fused from all that came before; both levels of CARN have this form.

    The stages are found under ``b1``, ``b2``, ``b3``, the fusions under ``c1``, ``c2``, ``c3``; with
    ``recursive`` there is ``b1`` only, used three times (CARN-M).
    """

    def __init__(self, width: int, stage: Callable[[], nn.Module], recursive: bool = False) -> None:
        super().__init__()
        self.recursive = recursive
        self.b1 = stage()
        if not recursive:
            self.b2, self.b3 = stage(), stage()
        self.c1 = _fusion(2 * width, width)
        self.c2 = _fusion(3 * width, width)
        self.c3 = _fusion(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Run the three stages on ``x`` (N×C×h×w)."""
        stages = (self.b1,) * LEVELS if self.recursive else (self.b1, self.b2, self.b3)
        collected = x
        for stage, fuse in zip(stages, (self.c1, self.c2, self.c3), strict=True):
            collected = torch.cat([collected, stage(x)], dim=1)
            x = fuse(collected)
        return x


class CARN(Cascade, layers.ScaleSelectable):
    """CARN, or CARN-M with ``recursive``, ``efficient`` and four groups.

    Takes N×C×h×w and gives N×C×sh×sw in the range of its mean shift ([0, 1] as published).
    With ``shared_trunk`` one trunk serves all ``scales``, each with its own upsampler (keys ``up2``,
    ``up3``, ``up4``); without, there is one scale and the key is ``up``. The attribute ``scale`` is the
    one in use; change it by :meth:`select_scale`.
    """

    def __init__(
        self,
        *,
        scales: Sequence[int] = (4,),
        shared_trunk: bool = False,
        channels: int = 3,
        width: int = 64,
        recursive: bool = False,
        efficient: bool = False,
        groups: int = 1,
        upsampler_groups: int = 1,
        value_range: float = 1.0,
    ) -> None:
        super().__init__(width, lambda: Cascade(width, lambda: _unit(width, groups, efficient), recursive))
        self.scales, self.shared_trunk, self.channels = tuple(scales), shared_trunk, channels
        self.scale = 4 if 4 in self.scales else self.scales[-1]
        self.sub_mean, self.add_mean = layers.nested_mean_shifts(channels, value_range)
        self.entry = layers.convolution(channels, width)
        self.upsample = nn.ModuleDict()
        for scale in self.scales:
            upsampler = layers.Upsampler(scale, width, groups=upsampler_groups, rectified=True)
            self.upsample[f"up{scale}" if shared_trunk else "up"] = layers.named(body=upsampler)
        self.exit = layers.convolution(width, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge ``x`` (N×C×h×w) to N×C×sh×sw."""
        features = super().forward(self.entry(self.sub_mean(x)))
        enlarged = self.upsample[f"up{self.scale}" if self.shared_trunk else "up"](features)
        return self.add_mean(self.exit(enlarged))


_PUBLISHED = holds("entry", "b1.b1.body.2", "b3.c3.body.0", "c3.body.0", "exit", "sub_mean.shifter.bias")


def _first_kernels(state: StateDict) -> dict[str, Tensor]:
    """Of each upsampler the first kernel, by its name: ``"up"``, or ``"up2"``, ``"up3"``, ``"up4"``."""
    names = ("up", "up2", "up3", "up4")
    return {name: state[key] for name in names if (key := f"upsample.{name}.body.0.weight") in state}


def _build(state: StateDict) -> CARN:
    width, channels = state["entry.weight"].shape[:2]
    kernels = _first_kernels(state)
    shared_trunk = "up" not in kernels
    scales = [int(name.removeprefix("up")) for name in kernels] if shared_trunk else []
    return CARN(
        scales=scales or [upsampler_scale(state, "upsample.up.body", width)],
        shared_trunk=shared_trunk,
        channels=channels,
        width=width,
        recursive="b1.b2.body.0.weight" not in state,
        efficient="b1.b1.body.4.weight" in state,
        groups=width // state["b1.b1.body.0.weight"].shape[1],
        upsampler_groups=width // next(iter(kernels.values())).shape[1],
    )


FAMILY = Family(
    **own_facts("CARN"),
    detect=lambda state: _PUBLISHED(state) and bool(_first_kernels(state)),
    build=_build,
    # Entry, then 3 blocks of 3 units of two 3×3 convolutions; fusions and CARN-M's mixers are 1×1.
    receptive_field=lambda module: subpixel_receptive_field(1 + 2 * LEVELS**2, module.scale),
    value_range=layers.range_of_shift,
)
