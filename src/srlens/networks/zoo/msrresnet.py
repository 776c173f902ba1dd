"""MSRResNet: SRResNet without normalisation, as ESRGAN's authors, BasicSR and KAIR train it."""

import math

from torch import Tensor, nn
from torch.nn import functional

from srlens.networks.checkpoint import StateDict
from srlens.networks.receptive_field import ReceptiveField, Stage
from srlens.networks.zoo.family import Family, holds, own_facts
from srlens.networks.zoo.layers import EnlargingNetwork, Residual, convolution
from srlens.networks.zoo.reading import convolutional, read_sizes, upsampler_stages, upsampler_steps


def _residual(width: int) -> Residual:
    return Residual(conv1=convolution(width, width), act=nn.ReLU(), conv2=convolution(width, width))


class MSRResNet(EnlargingNetwork):
    """Takes N×C×h×w in [0, 1] and gives N×C×sh×sw in [0, 1] terms; s is 2, 3 or 4.

    Residual blocks, one sub-pixel convolution a step, two 3×3 convolutions on SR, and the bilinear enlargement.
    """

    def __init__(self, *, width: int = 64, blocks: int = 16, **image: int) -> None:
        super().__init__(**image)
        self.blocks = blocks
        self.conv_first = convolution(self.channels, width)
        self.body = nn.Sequential(*(_residual(width) for _ in range(blocks)))
        for number, step in enumerate(upsampler_steps(self.scale), start=1):
            self.add_module(f"upconv{number}", convolution(width, width * step**2))
        self.conv_hr = convolution(width, width)
        self.conv_last = convolution(width, self.channels)

    def forward(self, x: Tensor) -> Tensor:
        """Super-resolve N×C×h×w."""
        features = self.body(_rectify(self.conv_first(x)))
        for number, step in enumerate(upsampler_steps(self.scale), start=1):
            enlarged = functional.pixel_shuffle(self.get_submodule(f"upconv{number}")(features), step)
            features = _rectify(enlarged)
        detail = self.conv_last(_rectify(self.conv_hr(features)))
        return detail + functional.interpolate(x, scale_factor=self.scale, mode="bilinear", align_corners=False)


def _rectify(x: Tensor) -> Tensor:
    return functional.leaky_relu(x, 0.1)


def _translate(state: StateDict) -> StateDict:
    """KAIR's key names to BasicSR's."""
    return {key.replace("recon_trunk.", "body.").replace("HRconv.", "conv_hr."): value for key, value in state.items()}


def _build(state: StateDict) -> MSRResNet:
    sizes = read_sizes(state, "conv_first", blocks="body.{}.conv1")
    step = math.isqrt(state["upconv1.weight"].shape[0] // sizes["width"])
    return MSRResNet(**sizes, scale=step**2 if "upconv2.weight" in state else step)


def _receptive_field(module: MSRResNet) -> ReceptiveField:
    return convolutional(Stage(1, 1 + 2 * module.blocks), *upsampler_stages(module.scale), Stage(module.scale, 2))


_BASICSR = holds("conv_first", "body.0.conv1", "body.0.conv2", "upconv1", "conv_hr", "conv_last")

FAMILY = Family(
    **own_facts("MSRResNet"),
    detect=lambda state: _BASICSR(_translate(state)),
    translate=_translate,
    build=_build,
    receptive_field=_receptive_field,
)
