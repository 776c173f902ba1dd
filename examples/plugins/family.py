"""A network family: ESPCN (Shi et al., CVPR 2016), three convolutions on LR and a pixel shuffle."""

from torch import Tensor, nn

import srlens


class ESPCN(nn.Sequential):
    scale, channels = 4, 3

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(3, 64, 5, padding=2), nn.Tanh(), nn.Conv2d(64, 32, 3, padding=1), nn.Tanh(),
            nn.Conv2d(32, 48, 3, padding=1), nn.PixelShuffle(4),
        )  # fmt: skip


def is_espcn(state: dict[str, Tensor]) -> bool:
    return set(state) == set(ESPCN().state_dict()) and state["4.weight"].shape == (48, 32, 3, 3)


field = srlens.ReceptiveField((srlens.Stage(1, 4),), paper=9)
srlens.add_family(srlens.Family("ESPCN", "convolution", "W. Shi et al., CVPR 2016", field, is_espcn, lambda _: ESPCN()))
