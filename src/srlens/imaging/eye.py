"""What the eye is shown of pictures that have other than one or three channels, and of clips."""

from torch import Tensor

from srlens.errors import SettingError

#: Which bands are red, green and blue, counted from 1 as satellites count them.
Bands = tuple[int, int, int]


def centre_frame(clip: Tensor) -> Tensor:
    """The frame in the middle, the later one of two: T×C×h×w to C×h×w; a picture C×h×w as it is."""
    return clip[clip.shape[0] // 2] if clip.ndim == 4 else clip


def for_eye(image: Tensor, bands: Bands | None = None) -> Tensor:
    """A picture as it is shown: of a clip the centre frame; three bands if they are named, else all of them, or a mean.

    Args:
        image: C×h×w in [0, 1], or a clip T×C×h×w.
        bands: which become red, green and blue, from 1. A picture that does not have them is shown as without.

    Returns:
        3×h×w where bands are named, or there are three; else 1×h×w, the mean of all.
    """
    picture = centre_frame(image)
    if bands is not None and max(bands) <= picture.shape[0]:
        return picture[[band - 1 for band in bands]]
    return picture if picture.shape[0] in (1, 3) else picture.mean(dim=0, keepdim=True)


def eye_rule(channels: int, bands: Bands | None = None) -> str:
    """What :func:`for_eye` does to a picture of so many channels, for captions; empty where that is plain."""
    if bands is not None and max(bands) <= channels:
        return "Pictures: bands {}, {}, {} as red, green, blue.".format(*bands)
    return f"Pictures: mean of the {channels} bands." if channels not in (1, 3) else ""


def check_bands(bands: Bands, channels: int) -> None:
    """Raise SettingError unless a picture of so many channels has these bands."""
    if min(bands) < 1 or max(bands) > channels:
        raise SettingError(
            f"The bands {','.join(map(str, bands))} for red, green, blue must lie between 1 and {channels}, the number "
            "of bands of the picture."
        )
