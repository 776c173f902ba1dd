"""EDSR: enhanced deep residual network (Lim et al., CVPR Workshops 2017, arXiv 1707.02921)."""

from collections.abc import Mapping

import torch
from spandrel import Architecture, ImageModelDescriptor, StateDict
from spandrel.util import KeyCondition
from torch import Tensor, nn

from srlens.networks.receptive_field import ReceptiveField
from srlens.networks.zoo.family import Family
from srlens.networks.zoo.layers import (
    MeanShift,
    Upsampler,
    channel_means,
    count_blocks,
    range_of_shift,
    subpixel_receptive_field,
    upsampler_scale,
)

LARGE = 256
"""Maps from which on the paper scales residuals by 0.1 (section 3.3); the state dict does not tell."""


class ResidualBlock(nn.Module):
    """``x + residual_scale · conv(relu(conv(x)))`` on N×C×h×w."""

    def __init__(self, width: int, residual_scale: float) -> None:
        super().__init__()
        self.residual_scale = residual_scale
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Refine ``x`` (N×C×h×w)."""
        refined: Tensor = x + self.residual_scale * self.body(x)
        return refined


class EDSR(nn.Module):
    """EDSR: ``width`` 64 and 16 blocks for the baseline, 256 and 32 for the large one.

    Takes N×C×h×w and gives N×C×sh×sw, in [0, ``value_range``] (the mean shift is made for it).

    ``residual_scale`` None means the paper's rule: 0.1 from 256 maps on, else 1. Without ``mean_shift`` the
    module has no ``sub_mean`` and ``add_mean``.
    """

    def __init__(
        self,
        *,
        scale: int = 4,
        channels: int = 3,
        width: int = 64,
        blocks: int = 16,
        residual_scale: float | None = None,
        value_range: float = 255.0,
        mean_shift: bool = True,
    ) -> None:
        super().__init__()
        self.scale, self.blocks = scale, blocks
        if residual_scale is None:
            residual_scale = 0.1 if width >= LARGE else 1.0
        means = channel_means(channels, value_range)
        self.sub_mean = MeanShift([-mean for mean in means]) if mean_shift else nn.Identity()
        self.add_mean = MeanShift(means) if mean_shift else nn.Identity()
        self.head = nn.Sequential(nn.Conv2d(channels, width, 3, padding=1))
        self.body = nn.Sequential(
            *(ResidualBlock(width, residual_scale) for _ in range(blocks)),
            nn.Conv2d(width, width, 3, padding=1),
        )
        self.tail = nn.Sequential(Upsampler(scale, width), nn.Conv2d(width, channels, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge ``x`` (N×C×h×w) to N×C×sh×sw."""
        shallow = self.head(self.sub_mean(x))
        output: Tensor = self.add_mean(self.tail(shallow + self.body(shallow)))
        return output


_PUBLISHED = KeyCondition.has_all(
    "head.0.weight", "body.0.body.0.weight", "body.0.body.2.weight", "tail.0.0.weight", "tail.1.weight"
)
_BASICSR = KeyCondition.has_all(
    "conv_first.weight",
    "body.0.conv1.weight",
    "body.0.conv2.weight",
    "conv_after_body.weight",
    "upsample.0.weight",
    "conv_last.weight",
)


def _published_names(state_dict: Mapping[str, Tensor]) -> StateDict:
    """Translate BasicSR's key names to the published ones.

    BasicSR keeps the mean shift out of the file: it works on 255·(x − mean) inside and undoes both
    at the end. That is the published network on [0, 255], so its mean shift is put in.
    """
    blocks = count_blocks(state_dict, "body.{}.conv1.weight")
    prefixes = {
        "conv_first.": "head.0.",
        "conv_after_body.": f"body.{blocks}.",
        "upsample.": "tail.0.",
        "conv_last.": "tail.1.",
    }
    for block in range(blocks):
        prefixes[f"body.{block}.conv1."] = f"body.{block}.body.0."
        prefixes[f"body.{block}.conv2."] = f"body.{block}.body.2."
    renamed: StateDict = {}
    for key, value in state_dict.items():
        prefix = next((p for p in prefixes if key.startswith(p)), "")
        renamed[prefixes.get(prefix, "") + key.removeprefix(prefix)] = value
    channels = state_dict["conv_first.weight"].shape[1]
    means = torch.tensor(channel_means(channels, 255.0))
    identity = torch.eye(channels)[:, :, None, None]
    return renamed | {
        "sub_mean.weight": identity,
        "sub_mean.bias": -means,
        "add_mean.weight": identity,
        "add_mean.bias": means,
    }


class EDSRArchitecture(Architecture[EDSR]):
    """Recognises and loads EDSR files, with the authors' or BasicSR's key names."""

    def __init__(self) -> None:
        super().__init__(id="EDSR", detect=KeyCondition.has_any(_PUBLISHED, _BASICSR))

    def load(self, state_dict: StateDict) -> ImageModelDescriptor[EDSR]:
        """Build the network that ``state_dict`` describes and load it strictly."""
        if not _PUBLISHED(state_dict):
            state_dict = _published_names(state_dict)
        width, channels = state_dict["head.0.weight"].shape[:2]
        scale = upsampler_scale(state_dict, "tail.0", width)
        blocks = count_blocks(state_dict, "body.{}.body.0.weight")
        module = EDSR(
            scale=scale,
            channels=channels,
            width=width,
            blocks=blocks,
            mean_shift="sub_mean.weight" in state_dict,
        )
        return ImageModelDescriptor(
            module,
            state_dict,
            architecture=self,
            purpose="SR",
            tags=[f"{width} maps", f"{blocks} blocks"],
            supports_half=False,  # half precision is coarse on 0–255: 1/8 of a grey level
            supports_bfloat16=True,
            scale=scale,
            input_channels=channels,
            output_channels=channels,
        )


def _receptive_field(module: nn.Module) -> ReceptiveField:
    assert isinstance(module, EDSR)
    # Head, two convolutions a block, the one that closes the body.
    return subpixel_receptive_field(1 + 2 * module.blocks + 1, module.scale)


def _value_range(module: nn.Module) -> float:
    assert isinstance(module, EDSR)
    if isinstance(module.sub_mean, MeanShift) and module.sub_mean.bias is not None:
        return range_of_shift(module.sub_mean.bias)
    return 1.0  # nothing tells; [0, 1] is the commoner habit where there is no mean shift


ARCHITECTURE = EDSRArchitecture()
FAMILY = Family(
    id="EDSR",
    name="EDSR",
    kind="convolution",
    paper="Lim et al., CVPR Workshops 2017, arXiv 1707.02921",
    receptive_field=_receptive_field,
    value_range=_value_range,
    note="Value range read off the mean shift; residuals are scaled by 0.1 from 256 maps on (paper).",
)
