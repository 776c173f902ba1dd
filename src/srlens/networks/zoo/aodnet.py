"""AOD-Net: all-in-one dehazing.

B. Li, X. Peng, Z. Wang, J. Xu, D. Feng, "AOD-Net: All-in-One Dehazing Network", ICCV 2017, arXiv 1707.06543.
"""

import torch
from torch import Tensor, nn

from srlens.networks.checkpoint import StateDict
from srlens.networks.receptive_field import Stage
from srlens.networks.zoo.family import Family, own_facts
from srlens.networks.zoo.reading import convolutional

#: Side of each convolution's kernel.
KERNELS = (1, 3, 5, 7, 3)


class AODNet(nn.Module):
    """Estimates K, which holds transmission and airlight, in five convolutions; the picture is ``K·x − K + 1`` (eq. 5).

    Takes N×C×h×w in [0, 1], gives N×C×h×w of at least 0.

    Args:
        channels: of the picture.
    """

    scale = 1

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.channels = channels
        for number, (inputs, size) in enumerate(zip((1, 1, 2, 2, 4), KERNELS, strict=True), start=1):
            layer = nn.Conv2d(inputs * channels, channels, size, padding=size // 2)
            self.add_module(f"e_conv{number}", layer)

    def forward(self, x: Tensor) -> Tensor:
        """Dehaze N×C×h×w."""
        first = self._layer(1, x)
        second = self._layer(2, first)
        third = self._layer(3, first, second)
        fourth = self._layer(4, second, third)
        k = self._layer(5, first, second, third, fourth)
        return torch.relu(k * x - k + 1)

    def _layer(self, number: int, *features: Tensor) -> Tensor:
        return torch.relu(self.get_submodule(f"e_conv{number}")(torch.cat(features, dim=1)))


def _build(state: StateDict) -> AODNet:
    return AODNet(state["e_conv1.weight"].shape[1])


FAMILY = Family(
    **own_facts("AOD-Net"), build=_build, receptive_field=convolutional(Stage(1, sum(size // 2 for size in KERNELS)))
)
