"""Fonts, sizes and colours of every figure, in one place.

Two looks: ``"default"`` is legible for the colour-blind and puts networks on common scales; ``"paper"`` is that of the
figures in Gu & Dong (CVPR 2021): ``seismic`` colours, each map divided by its own maximum, half blended with the LR
image.
"""

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import matplotlib
import matplotlib.style
import numpy as np
from matplotlib import font_manager
from matplotlib.colors import Colormap, ListedColormap

from srlens.figures.typesetting import Fonts
from srlens.naming import look_up

Style = Literal["default", "paper"]

#: Width of a one-column figure, in cm.
COLUMN_WIDTH = 8.5
#: Width of a figure across two columns, in cm.
PAGE_WIDTH = 17.0
#: Height that a figure does not exceed as long as its panels stay legible, in cm.
PAGE_HEIGHT = 22.5
#: Pixels per inch at which figures are saved and pixel grids are resolved.
PRINT_DPI = 300
#: Size of panel and network titles, in pt.
TITLE_SIZE = 8.0
#: Size of all other text, in pt; the smallest in any figure.
TEXT_SIZE = 7.0
RULE_COLOUR = "0.6"
FRAME_COLOUR = "0.3"


@dataclass(frozen=True, eq=False)
class Look:
    """How one style looks.

    Attributes:
        font: families. The first ships with matplotlib, so that text has the same width on every machine; the others
            are those of the machine for signs that it does not have, as in Chinese, Japanese and Korean names.
        map_colours: of the attribution map.
        area_colours: of the contribution density, with the opacity over the LR image as alpha.
        normalised: whether each map is shown as its absolute value divided by its maximum.
        scale: of the networks: figures of restoration speak of input and output.
    """

    font: Fonts
    map_colours: Colormap
    area_colours: Colormap
    normalised: bool
    scale: int = 4


_LISTED = Path(__file__).with_name("wide_fonts.txt").read_text(encoding="utf-8").splitlines()
# Some of these have one weight alone, which matplotlib would tell at every use.
logging.getLogger("matplotlib.font_manager").addFilter(lambda told: "font weight" not in told.getMessage())
_WIDE_FONTS = tuple(filter(set(font_manager.get_font_names()).__contains__, _LISTED))


def _emerging(name: str, *, start: float, solid: float) -> Colormap:
    """A sequential map, from ``start`` of its range, whose opacity rises from 0 to ``solid`` in its lower half."""
    position = np.linspace(0, 1, 256)
    colours = matplotlib.colormaps[name](start + (1 - start) * position)
    colours[:, 3] = solid * np.minimum(position / 0.5, 1)
    return ListedColormap(colours.tolist(), name=f"{name}-emerging")


def _upper_half(name: str, *, alpha: float) -> Colormap:
    """The positive half of a diverging map, as the authors' code uses ``seismic``, at one opacity."""
    colours = matplotlib.colormaps[name](np.linspace(0.5, 1, 256))
    colours[:, 3] = alpha
    return ListedColormap(colours.tolist(), name=f"{name}-half")


_LOOKS: Mapping[str, Look] = {
    "default": Look(
        ("DejaVu Sans", *_WIDE_FONTS), matplotlib.colormaps["RdBu_r"], _emerging("plasma", start=0.0, solid=0.9), False
    ),
    "paper": Look(
        ("STIXGeneral", *_WIDE_FONTS), _upper_half("seismic", alpha=0.5), _upper_half("seismic", alpha=0.5), True
    ),
}


def find_look(style: str) -> Look:
    """The look of that name.

    Raises:
        SettingError: there is none.
    """
    return look_up("figure style", style, _LOOKS)


# matplotlib's settings are global: one figure at a time, or threads would restore each other's.
_LOCK = threading.RLock()
_COMMON = Path(__file__).with_name("srlens.mplstyle")


@contextmanager
def styled(style: str = "default", scale: int = 4) -> Iterator[Look]:
    """Within the block matplotlib follows that look alone, whatever the user's matplotlibrc says.

    Args:
        style: its name.
        scale: of the networks that are shown.

    Raises:
        SettingError: there is no such style.
    """
    look = replace(find_look(style), scale=scale)
    with _LOCK, matplotlib.style.context(["default", _COMMON, {"font.family": list(look.font)}]):
        yield look
