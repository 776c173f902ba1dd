"""The three small networks that ship with the package: they need no download and differ in one thing only."""

from importlib import resources
from typing import TYPE_CHECKING

from srlens.errors import SettingError

if TYPE_CHECKING:
    from torch import nn

DEFAULT_NETWORKS: tuple[str, ...] = ("plain", "channel", "nonlocal")
"""Names that :func:`build` accepts, from the narrowest view to the widest."""

DISPLAY_NAMES: dict[str, str] = {name: f"srlens-{name}-x4" for name in DEFAULT_NETWORKS}
"""What each network is called in reports and pictures."""

__all__ = ["DEFAULT_NETWORKS", "DISPLAY_NAMES", "build", "conv_radius"]


def build(name: str) -> "nn.Module":
    """Return a shipped network with its trained weights, in evaluation mode, on the CPU, in float32.

    It takes N×3×h×w RGB in [0, 1] with h, w ≥ 8 and gives N×3×4h×4w, about [0, 1], not clamped.

    Raises :class:`~srlens.errors.SettingError` for a name that is not in :data:`DEFAULT_NETWORKS`.
    """
    if name not in DEFAULT_NETWORKS:
        accepted = ", ".join(DEFAULT_NETWORKS)
        raise SettingError(f"there is no shipped network {name!r}; choose one of: {accepted}")
    # Here and not above: torch takes seconds to import, and listing the names needs none of it.
    from safetensors.torch import load

    from srlens.networks.default import model

    module = {"plain": model.plain, "channel": model.channel, "nonlocal": model.nonlocal_}[name]()
    weights = resources.files(__name__).joinpath("weights", f"{name}.safetensors").read_bytes()
    module.load_state_dict(load(weights), strict=True)
    return module.eval()


def conv_radius(module: "nn.Module") -> int | None:
    """Radius of the receptive field of a shipped network, in LR pixels; ``None`` where it is the whole image.

    An SR pixel lies in one LR pixel p; with radius r it depends on no LR pixel outside the (2r + 1)×(2r + 1)
    around p. The bicubic path beside the convolutions is counted too.
    """
    from srlens.networks.default import model

    return model.conv_radius(module)
