"""The three small networks that ship with the package: they need no download and differ in one thing only."""

from importlib import resources
from typing import TYPE_CHECKING

from srlens.errors import SrlensError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["DEFAULT_NETWORKS", "DISPLAY_NAMES", "build", "conv_radius"]
