"""CARN and CARN-M: cascading residual networks (Ahn, Kang & Sohn, ECCV 2018, arXiv 1803.08664)."""

from collections.abc import Callable, Sequence

import torch
from spandrel import Architecture, ImageModelDescriptor, StateDict
from spandrel.util import KeyCondition
from torch import Tensor, nn

from srlens.networks.receptive_field import ReceptiveField
from srlens.networks.zoo.family import Family
from srlens.networks.zoo.layers import (
    MeanShift,
    channel_means,
    checked_scale,
    range_of_shift,
    subpixel_receptive_field,
    upsampler_scale,
    upsampler_steps,
)

LEVELS = 3
"""Blocks of the network, and residual units of a block."""


class Shift(nn.Module):
    """A mean shift one level down (key ``shifter``), as CARN's files hold it."""

    def __init__(self, shift: Sequence[float]) -> None:
        super().__init__()
        self.shifter = MeanShift(shift)

    def forward(self, x: Tensor) -> Tensor:
        """Shift ``x`` (N×C×h×w)."""
        shifted: Tensor = self.shifter(x)
        return shifted


class Fusion(nn.Module):
    """Rectified 1×1 convolution that brings everything collected so far back to ``width`` maps."""

    def __init__(self, collected: int, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(collected, width, 1), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        """Fuse ``x`` (N×collected×h×w) to N×width×h×w."""
        fused: Tensor = self.body(x)
        return fused


class ResidualUnit(nn.Module):
    """Residual unit, N×C×h×w to the same; ``efficient`` is CARN-M's: grouped, with a 1×1 mixer."""

    def __init__(self, width: int, groups: int = 1, efficient: bool = False) -> None:
        super().__init__()
        layers: list[nn.Module] = [
            nn.Conv2d(width, width, 3, padding=1, groups=groups),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, groups=groups),
        ]
        if efficient:
            layers += [nn.ReLU(), nn.Conv2d(width, width, 1)]
        self.body = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Refine ``x`` (N×C×h×w)."""
        return torch.relu(self.body(x) + x)


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
            self.b2 = stage()
            self.b3 = stage()
        self.c1 = Fusion(2 * width, width)
        self.c2 = Fusion(3 * width, width)
        self.c3 = Fusion(4 * width, width)

    def cascade(self, x: Tensor) -> Tensor:
        """Run the three stages on ``x`` (N×C×h×w)."""
        stages = (self.b1,) * LEVELS if self.recursive else (self.b1, self.b2, self.b3)
        collected = x
        for stage, fuse in zip(stages, (self.c1, self.c2, self.c3), strict=True):
            collected = torch.cat([collected, stage(x)], dim=1)
            x = fuse(collected)
        return x

    def forward(self, x: Tensor) -> Tensor:
        """Refine ``x`` (N×C×h×w)."""
        return self.cascade(x)


class Enlargement(nn.Module):
    """Sub-pixel convolution with a rectifier before each shuffle: N×C×h×w to N×C×sh×sw."""

    def __init__(self, scale: int, width: int, groups: int = 1) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for step in upsampler_steps(scale):
            convolution = nn.Conv2d(width, width * step**2, 3, padding=1, groups=groups)
            layers += [convolution, nn.ReLU(), nn.PixelShuffle(step)]
        self.body = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge ``x`` (N×C×h×w)."""
        enlarged: Tensor = self.body(x)
        return enlarged


class CARN(Cascade):
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
        super().__init__(
            width,
            lambda: Cascade(width, lambda: ResidualUnit(width, groups, efficient), recursive),
        )
        self.scales = tuple(scales)
        self.scale = 4 if 4 in self.scales else self.scales[-1]
        self.shared_trunk = shared_trunk
        means = channel_means(channels, value_range)
        self.sub_mean = Shift([-mean for mean in means])
        self.add_mean = Shift(means)
        self.entry = nn.Conv2d(channels, width, 3, padding=1)
        self.upsample = nn.ModuleDict(
            {
                f"up{scale}" if shared_trunk else "up": Enlargement(scale, width, upsampler_groups)
                for scale in self.scales
            }
        )
        self.exit = nn.Conv2d(width, channels, 3, padding=1)

    def select_scale(self, scale: int) -> None:
        """Use the upsampler of ``scale`` from now on."""
        self.scale = checked_scale(scale, self.scales)

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge ``x`` (N×C×h×w) to N×C×sh×sw."""
        features = self.cascade(self.entry(self.sub_mean(x)))
        enlarged = self.upsample[f"up{self.scale}" if self.shared_trunk else "up"](features)
        output: Tensor = self.add_mean(self.exit(enlarged))
        return output


class CARNArchitecture(Architecture[CARN]):
    """Recognises and loads CARN and CARN-M files, for one scale or several."""

    def __init__(self) -> None:
        super().__init__(
            id="CARN",
            detect=KeyCondition.has_all(
                "entry.weight",
                "b1.b1.body.2.weight",
                "b3.c3.body.0.weight",
                "c3.body.0.weight",
                "exit.weight",
                "sub_mean.shifter.bias",
                KeyCondition.has_any(*(f"upsample.up{s}.body.0.weight" for s in ("", 2, 3, 4))),
            ),
        )

    def load(self, state_dict: StateDict) -> ImageModelDescriptor[CARN]:
        """Build the network that ``state_dict`` describes and load it strictly."""
        width, channels = state_dict["entry.weight"].shape[:2]
        shared_trunk = "upsample.up.body.0.weight" not in state_dict
        if shared_trunk:
            scales = [s for s in (2, 3, 4) if f"upsample.up{s}.body.0.weight" in state_dict]
            kernel = state_dict[f"upsample.up{scales[0]}.body.0.weight"]
        else:
            scales = [upsampler_scale(state_dict, "upsample.up.body", width, stride=3)]
            kernel = state_dict["upsample.up.body.0.weight"]
        efficient = "b1.b1.body.4.weight" in state_dict
        groups = width // state_dict["b1.b1.body.0.weight"].shape[1]
        module = CARN(
            scales=scales,
            shared_trunk=shared_trunk,
            channels=channels,
            width=width,
            recursive="b1.b2.body.0.weight" not in state_dict,
            efficient=efficient,
            groups=groups,
            upsampler_groups=width // kernel.shape[1],
        )
        return ImageModelDescriptor(
            module,
            state_dict,
            architecture=self,
            purpose="SR",
            tags=["CARN-M" if efficient else "CARN", f"{width} maps", f"{groups} groups"],
            supports_half=True,
            supports_bfloat16=True,
            scale=module.scale,
            input_channels=channels,
            output_channels=channels,
        )


def _receptive_field(module: nn.Module) -> ReceptiveField:
    assert isinstance(module, CARN)
    # Entry, then 3 blocks of 3 units of two 3×3 convolutions; fusions and CARN-M's mixers are 1×1.
    return subpixel_receptive_field(1 + 2 * LEVELS**2, module.scale)


def _value_range(module: nn.Module) -> float:
    assert isinstance(module, CARN)
    assert module.sub_mean.shifter.bias is not None
    return range_of_shift(module.sub_mean.shifter.bias)


ARCHITECTURE = CARNArchitecture()
FAMILY = Family(
    id="CARN",
    name="CARN",
    kind="convolution",
    paper="Ahn, Kang & Sohn, ECCV 2018, arXiv 1803.08664",
    receptive_field=_receptive_field,
    value_range=_value_range,
    note="CARN and CARN-M; published files hold the scales 2, 3 and 4, of which 4 is used unless told.",
)
