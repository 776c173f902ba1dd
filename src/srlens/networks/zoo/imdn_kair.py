"""IMDN as KAIR simplified it, first in AIM 2019's challenge on constrained super-resolution: blocks in a row."""

from torch import Tensor, nn

from srlens.networks.checkpoint import StateDict
from srlens.networks.receptive_field import Stage
from srlens.networks.zoo.family import Family, own_facts
from srlens.networks.zoo.imdn import DistillationBlock
from srlens.networks.zoo.layers import EnlargingNetwork, Residual, convolution, shuffled
from srlens.networks.zoo.reading import convolutional


class SimplifiedIMDN(EnlargingNetwork):
    """Takes N×C×h×w in [0, 1] and gives N×C×sh×sw in [0, 1] terms; neither attention nor fusion of the blocks."""

    def __init__(self, *, width: int = 64, blocks: int = 8, distilled: int = 16, **image: int) -> None:
        super().__init__(**image)
        body = (DistillationBlock(width, distilled, None) for _ in range(blocks))
        self.blocks = blocks
        self.model = nn.Sequential(
            convolution(self.channels, width),
            Residual(sub=nn.Sequential(*body, convolution(width, width))),
            *shuffled(width, self.scale, self.channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Super-resolve N×C×h×w."""
        return self.model(x)


_NAMES = {"conv1": "c1", "conv2": "c2", "conv3": "c3", "conv4": "c4", "conv1x1": "c5"}


def _translate(state: StateDict) -> StateDict:
    """KAIR's names to those of IMDN's own blocks: ``conv1.0`` (a rectifier stands behind it) to ``c1``."""
    plain = {key.replace(".0.weight", ".weight").replace(".0.bias", ".bias"): key for key in state if ".conv" in key}
    blocks = {".".join(_NAMES.get(part, part) for part in new.split(".")): state[key] for new, key in plain.items()}
    return {key: value for key, value in state.items() if ".conv" not in key} | blocks


FAMILY = Family(
    **own_facts("IMDN (KAIR)", SimplifiedIMDN),
    translate=_translate,
    # Head, four 3×3 layers a block, the one that closes the body, and that of the tail.
    receptive_field=lambda module: convolutional(Stage(1, 1 + 4 * module.blocks + 1 + 1)),
)
