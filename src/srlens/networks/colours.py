"""What the channels of a network are."""

from typing import Literal

from srlens.errors import SettingError

Colour = Literal["rgb", "y", "grey", "any"]

#: Of each colour how many channels a network has (any number: None), and what is done to an RGB image.
COLOURS: dict[Colour, tuple[int | None, str]] = {
    "rgb": (3, "RGB"),
    "y": (1, "Y of YCbCr (BT.601, studio range); RGB images are converted"),
    "grey": (1, "grey in full range; RGB images are converted (BT.601)"),
    "any": (None, "as given"),
}


def colour_of(channels: int, given: Colour | None = None, *, scale: int) -> Colour:
    """The colour of a network of so many channels: as given, or what is usual.

    One channel is the luma in super-resolution. In restoration (scale 1) it is grey in full range: denoisers are
    trained on the grey levels of files.

    Raises:
        SettingError: no network of so many channels has the given one.
    """
    if given is not None and (given not in COLOURS or COLOURS[given][0] not in (None, channels)):
        raise SettingError(
            f"colour must be 'rgb' (3 channels), 'y', 'grey' (1 channel) or 'any', got {given!r} for {channels}."
        )
    one: Colour = "grey" if scale == 1 else "y"
    return given or ("rgb" if channels == 3 else one if channels == 1 else "any")
