"""FSRCNN: fast super-resolution convolutional network (Dong, Loy & Tang, ECCV 2016, arXiv 1608.00367)."""

from torch import Tensor, nn

from srlens.networks.checkpoint import StateDict
from srlens.networks.receptive_field import ReceptiveField, Stage
from srlens.networks.zoo.family import Family, own_facts
from srlens.networks.zoo.layers import EnlargingNetwork, ScaleSelectable, convolution
from srlens.networks.zoo.reading import count_blocks, read_sizes

#: Reach of the first, 5×5, convolution in LR pixels.
HEAD_RADIUS = 2
#: Reach of the last, 9×9, transposed convolution in SR pixels.
DECONVOLUTION_RADIUS = 4


class FSRCNN(EnlargingNetwork, ScaleSelectable):
    """FSRCNN(d, s, m): ``width`` d, ``narrow`` s, ``mappings`` m.

    Takes N×C×h×w in [0, 1] (C = 1: the luma Y of YCbCr) and gives N×C×sh×sw.

    The scale is the stride of the transposed convolution, whose 9×9 kernel has the same shape for every one:
    ``scales`` are those that the weights can be run at, one of which was trained; ``scale`` is the one in
    use, to be changed by :meth:`select_scale`.
    """

    scales = (2, 3, 4)

    def __init__(
        self, *, scale: int = 4, channels: int = 1, width: int = 56, narrow: int = 12, mappings: int = 4
    ) -> None:
        super().__init__(scale, channels)
        self.mappings = mappings
        self.first_part = nn.Sequential(nn.Conv2d(channels, width, 5, padding=HEAD_RADIUS), nn.PReLU(width))
        layers: list[nn.Module] = [nn.Conv2d(width, narrow, 1), nn.PReLU(narrow)]
        for _ in range(mappings):
            layers += [convolution(narrow, narrow), nn.PReLU(narrow)]
        layers += [nn.Conv2d(narrow, width, 1), nn.PReLU(width)]
        self.mid_part = nn.Sequential(*layers)
        self.last_part = nn.ConvTranspose2d(width, channels, 9, padding=DECONVOLUTION_RADIUS)
        self.select_scale(scale)

    def select_scale(self, scale: int) -> None:
        """Run the transposed convolution with stride ``scale`` from now on."""
        super().select_scale(scale)
        self.last_part.stride = (scale, scale)
        self.last_part.output_padding = (scale - 1, scale - 1)  # h LR rows make exactly scale·h SR rows

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge ``x`` (N×C×h×w) to N×C×sh×sw."""
        return self.last_part(self.mid_part(self.first_part(x)))


def _build(state: StateDict) -> FSRCNN:
    # mid_part is pairs of convolution and rectifier: one that narrows, the mappings, one that widens.
    mappings = (count_blocks(state, "mid_part.{}.weight") - 4) // 2
    return FSRCNN(**read_sizes(state, "first_part.0", narrow="mid_part.0"), mappings=mappings)


def _receptive_field(module: FSRCNN) -> ReceptiveField:
    on_lr = HEAD_RADIUS + module.mappings
    return ReceptiveField(
        stages=(Stage(1, on_lr), Stage(module.scale, DECONVOLUTION_RADIUS)),
        paper=1 + 2 * on_lr,  # 17 for m = 6: the paper does not count the transposed convolution
    )


FAMILY = Family(**own_facts("FSRCNN"), build=_build, receptive_field=_receptive_field, probe_scale=True)
