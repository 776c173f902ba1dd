"""EDSR: enhanced deep residual network (Lim et al., CVPR Workshops 2017, arXiv 1707.02921)."""

import torch
from torch import Tensor, nn

from srlens.networks.checkpoint import StateDict
from srlens.networks.zoo import layers
from srlens.networks.zoo.family import Family, holds, own_facts
from srlens.networks.zoo.reading import count_blocks, read_sizes, subpixel_receptive_field

#: Maps from which on the paper scales residuals by 0.1 (section 3.3); the state dict does not tell.
LARGE = 256


class EDSR(layers.MeanShiftedNetwork):
    """EDSR: ``width`` 64 and 16 blocks for the baseline, 256 and 32 for the large one.

    ``residual_scale`` None means the paper's rule: 0.1 from 256 maps on, else 1.
    """

    def __init__(
        self,
        *,
        width: int = 64,
        blocks: int = 16,
        residual_scale: float | None = None,
        value_range: float = 255.0,
        mean_shift: bool = True,
        **image: int,
    ) -> None:
        super().__init__(width, value_range if mean_shift else None, **image)
        self.blocks = blocks
        if residual_scale is None:
            residual_scale = 0.1 if width >= LARGE else 1.0
        body = (layers.Residual(residual_scale, body=layers.two_convolutions(width)) for _ in range(blocks))
        self.body = nn.Sequential(*body, layers.convolution(width, width))
        self.tail = layers.subpixel_tail(self.scale, width, self.channels)

    def trunk(self, shallow: Tensor) -> Tensor:
        """The body, and the way around it."""
        return shallow + self.body(shallow)


_PUBLISHED = holds("head.0", "body.0.body.0", "body.0.body.2", "tail.0.0", "tail.1")
_BASICSR = holds("conv_first", "body.0.conv1", "body.0.conv2", "conv_after_body", "upsample.0", "conv_last")


def _published_names(state: StateDict) -> StateDict:
    """Translate BasicSR's key names to the published ones.

    BasicSR keeps the mean shift out of the file: it works on 255·(x − mean) inside and undoes both
    at the end. That is the published network on [0, 255], so its mean shift is put in.
    """
    if _PUBLISHED(state):
        return state
    blocks = count_blocks(state, "body.{}.conv1.weight")
    published = {
        "conv_first": "head.0",
        "conv_after_body": f"body.{blocks}",
        "upsample": "tail.0",
        "conv_last": "tail.1",
        "conv1": "body.0",
        "conv2": "body.2",
    }
    # Of the dotted parts of a key one at the most has another name.
    renamed = {".".join(published.get(part, part) for part in key.split(".")): value for key, value in state.items()}
    kernel = state["conv_first.weight"]
    channels = kernel.shape[1]
    wide = torch.promote_types(kernel.dtype, torch.float32)  # half precision would round the mean
    means = torch.tensor(layers.channel_means(channels, 255.0), dtype=wide)
    same = torch.eye(channels)[:, :, None, None]
    return renamed | {"sub_mean.weight": same, "sub_mean.bias": -means, "add_mean.weight": same, "add_mean.bias": means}


def _build(state: StateDict) -> EDSR:
    sizes = read_sizes(state, "head.0", scale="tail.0", blocks="body.{}.body.0")
    return EDSR(**sizes, mean_shift="sub_mean.weight" in state)


FAMILY = Family(
    **own_facts("EDSR"),
    detect=lambda state: _PUBLISHED(state) or _BASICSR(state),
    translate=_published_names,
    build=_build,
    # Head, two convolutions a block, the one that closes the body.
    receptive_field=lambda module: subpixel_receptive_field(1 + 2 * module.blocks + 1, module.scale),
    value_range=layers.range_of_shift,
)
