"""One way to name a picture, for every verb: a packaged photograph by its name, or a file."""

import os
from pathlib import Path

from torch import Tensor

from srlens.errors import ImageError
from srlens.imaging.files import MAX_PIXELS, Alpha, read_image
from srlens.imaging.samples import SAMPLES, sample_path
from srlens.naming import known_name


def open_image(
    spec: str | os.PathLike[str], *, alpha: Alpha = "white", bands: bool = False, max_pixels: int = MAX_PIXELS
) -> Tensor:
    """Read a picture by whatever names it.

    Args:
        spec: the name of a packaged photograph (``"pagoda"``, ``"hopper"``), or a file. A file with such a name is
            written with its folder (``"./pagoda"``) or given as a :class:`~pathlib.Path`.
        alpha: see :func:`srlens.read_image`.
        bands: likewise.
        max_pixels: likewise.

    Returns:
        C×H×W float32 in [0, 1].

    Raises:
        ImageError, NotFiniteError, SettingError: see :func:`srlens.read_image`.

    Warns:
        AmbiguousNameWarning: ``spec`` is also the name of a file, which is left aside.
    """
    if not isinstance(spec, str | os.PathLike):
        raise ImageError(
            f"open_image reads a file or a packaged photograph, got {type(spec).__name__}. A picture in memory goes to "
            "srlens as it is: C×H×W floating point in [0, 1], e.g. "
            "torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255."
        )
    return read_image(image_file(spec), alpha=alpha, bands=bands, max_pixels=max_pixels)


def image_file(spec: str | os.PathLike[str]) -> Path:
    """The file of a picture that is named as in :func:`open_image`; it need not exist."""
    name = known_name(spec, SAMPLES)
    return sample_path(name) if name is not None else Path(spec).expanduser()
