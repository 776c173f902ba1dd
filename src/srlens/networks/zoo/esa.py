"""Enhanced spatial attention (ESA), which RFDN, RLFN and BSRN share, and how far it reaches.

After J. Liu et al., "Residual Feature Aggregation Network for Image Super-Resolution", CVPR 2020.
"""

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional

from srlens.networks.receptive_field import ReceptiveField, Stage

#: Smallest LR side of which the strided convolution (3, by 2) and the pooling (7, by 3) leave a pixel.
MINIMUM_SIDE = 15


class ESA(nn.Module):
    """Scales every feature by a mask in (0, 1) drawn on a grid about six times coarser: N×C×h×w in and out.

    State-dict keys: ``conv1``, ``conv_f`` and ``conv4`` (1×1), ``conv2`` (stride 2), and on the coarse grid
    ``conv_max``, ``conv3`` and ``conv3_`` (only ``conv3`` where ``single``).

    Args:
        width: C.
        attention_width: maps inside.
        convolution: makes the 3×3 layers from (inputs, outputs, stride, padding).
        activation: between the coarse layers.
        single: one coarse layer without activation, as in RLFN.
    """

    def __init__(
        self,
        width: int,
        attention_width: int,
        convolution: Callable[[int, int, int, int], nn.Module],
        activation: nn.Module,
        single: bool = False,
    ) -> None:
        super().__init__()
        f = attention_width
        self.conv1 = nn.Conv2d(width, f, 1)
        self.conv_f = nn.Conv2d(f, f, 1)
        self.conv_max = None if single else convolution(f, f, 1, 1)
        self.conv2 = convolution(f, f, 2, 0)
        self.conv3 = convolution(f, f, 1, 1)
        self.conv3_ = None if single else convolution(f, f, 1, 1)
        self.conv4 = nn.Conv2d(f, width, 1)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """Mask ``x``; both sides of it must be at least ``MINIMUM_SIDE``."""
        reduced = self.conv1(x)
        coarse = functional.max_pool2d(self.conv2(reduced), kernel_size=7, stride=3)
        if self.conv_max is not None and self.conv3_ is not None:
            coarse = self.activation(self.conv_max(coarse))
            coarse = self.conv3_(self.activation(self.conv3(coarse)))
        else:
            coarse = self.conv3(coarse)
        spread = functional.interpolate(coarse, size=x.shape[-2:], mode="bilinear", align_corners=False)
        mask: Tensor = self.conv4(spread + self.conv_f(reduced)).sigmoid()
        return x * mask


def plain_convolution(inputs: int, outputs: int, stride: int, padding: int) -> nn.Module:
    """Make a 3×3 convolution, the ``convolution`` of RFDN and RLFN."""
    return nn.Conv2d(inputs, outputs, 3, stride=stride, padding=padding)


def esa_stage(coarse_layers: int) -> Stage:
    """Bound the reach of an :class:`ESA` with so many 3×3 layers on its coarse grid, for any image size.

    One LR axis of length h: coarse pixel k is made of LR pixels 6k … 6k+14 (windows of 7 by 3 over windows of
    3 by 2), after c coarse layers of 6(k−c) … 6(k+c)+14. There are n = ⌊(h−9)/6⌋ coarse pixels. LR pixel i
    interpolates between k and k+1 with k = ⌊(i+½)·n/h − ½⌋. As (h−14)/h ≤ 6n/h ≤ (h−9)/h and i+½ < h, the
    position 6k lies in i−22 … i−3 whatever h is: the resize ratio is not exactly six, but that adds up to
    less than 14 pixels over the whole image. So pixel i sees 21+12c pixels within i−22−6c … i+17+6c.

    In a chain the two ends of an interval may fall differently into the coarse grid, which adds up to 5
    pixels: the window grows by at most 25+12c.
    """
    grown = 25 + 12 * coarse_layers
    radius = -(-grown // 2)
    return Stage(grid=1, radius=radius, drift=22 + 6 * coarse_layers - radius)


def esa_receptive_field(blocks: int, local: int, coarse: int) -> ReceptiveField:
    """Of RFDN and RLFN: a head, blocks of so many 3×3 layers and an :class:`ESA` each, and a tail of two layers."""
    block = (Stage(1, local), esa_stage(coarse))
    return ReceptiveField(stages=(Stage(1, 1), *block * blocks, Stage(1, 2)), paper=None)
