"""How an image was made of a clean picture of its size, so that it can be made again of a changed one."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from srlens.imaging.degrade import GIVEN, degrade
from srlens.networks.network import Network


@dataclass(frozen=True, eq=False)
class Making:
    """A degradation with its clean picture.

    Attributes:
        clean: C×h×w in [0, 1], float64, in the channels that it was given in.
        observe: makes the image, as the network takes it, of a changed clean picture.
        name: of the degradation, with its seed.
    """

    clean: Tensor
    observe: Callable[[Tensor], Tensor]
    name: str


def making_of(
    network: Network, image: Tensor, clean: Tensor | None, degradation: str | None, seed: int
) -> Making | None:
    """How the image was made; None where that is not known, or where the network enlarges or takes clips.

    Where the clean picture is a part of a larger one, its random numbers are others than those of the image. So what is
    degraded anew is the change: the image, plus what the degradation makes of the changed picture, minus what it makes
    of the clean one. For an image that the degradation makes of ``clean`` that is the degraded picture itself, and for
    noise, which is added, it is so in any part.

    Args:
        network: that takes the image.
        image: as the network takes it, C×h×w, float64.
        clean: C×h×w in [0, 1], float64, as it was given.
        degradation: see :func:`srlens.degrade`.
        seed: of its random numbers.

    Raises:
        SettingError: no such degradation, or one for another scale.
    """
    if clean is None or degradation in (None, GIVEN) or network.scale > 1 or network.frames is not None:
        return None

    def observed(picture: Tensor) -> Tensor:
        return network.prepare(degrade(picture, degradation, scale=network.scale, seed=seed)).double()

    unchanged = observed(clean)
    return Making(clean, lambda changed: image + observed(changed) - unchanged, f"{degradation} (seed {seed})")
