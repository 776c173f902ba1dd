"""The networks that ship with the package, as :class:`Network`."""

import torch

from srlens.errors import SettingError
from srlens.networks.default import DEFAULT_NETWORKS, DISPLAY_NAMES, build, conv_radius
from srlens.networks.network import Network
from srlens.networks.padding import Padding
from srlens.networks.receptive_field import GLOBAL, ReceptiveField, Stage
from srlens.networks.zoo.family import Kind

FAMILY = "SmallSR"
"""The architecture of all shipped networks, in :attr:`Network.family`."""

KINDS: dict[str, Kind] = {"plain": "convolution", "channel": "global pooling", "nonlocal": "non-local"}
"""How each shipped network gathers context."""

SCALE = 4
"""SR pixels per LR pixel of every shipped network."""

_SMALLEST_SIDE = 8  # LR pixels


def shipped_name(name: str) -> str | None:
    """The short name of a shipped network given by either name (``"plain"``, ``"srlens-plain-x4"``), else None."""
    by_display = {display: short for short, display in DISPLAY_NAMES.items()}
    return name if name in DEFAULT_NETWORKS else by_display.get(name)


def load_default(
    name: str = "plain", *, device: torch.device | str | None = None, dtype: torch.dtype | None = None
) -> Network:
    """Load a network that ships with srlens: ×4, RGB, no download.

    The three share their 3×3 convolutions and differ in how far they see: ``"plain"`` has convolutions only,
    ``"channel"`` adds channel attention by global pooling, ``"nonlocal"`` adds non-local attention.

    Args:
        name: ``"plain"``, ``"channel"`` or ``"nonlocal"``; the display name (``"srlens-plain-x4"``) does as well.
        device: where to put the weights; the CPU by default.
        dtype: the weights' type; float32 by default.

    Raises:
        SettingError: no shipped network has that name.
    """
    short = shipped_name(name)
    if short is None:
        raise SettingError(f"No shipped network is called {name!r}; there are {', '.join(DEFAULT_NETWORKS)}.")
    module = build(short)
    radius = conv_radius(module)
    module.eval().requires_grad_(False).to(device=device, dtype=dtype or torch.float32)
    return Network(
        module=module,
        scale=SCALE,
        name=DISPLAY_NAMES[short],
        family=FAMILY,
        kind=KINDS[short],
        padding=Padding(minimum=_SMALLEST_SIDE),
        # Every convolution stands on the LR grid, so the paper's count and the true side length are one number.
        receptive_field=GLOBAL if radius is None else ReceptiveField((Stage(1, radius),), paper=1 + 2 * radius),
        source=f"{DISPLAY_NAMES[short]} (shipped with srlens)",
    )
