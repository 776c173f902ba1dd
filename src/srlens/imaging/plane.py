"""One plane of numbers from a file: a kernel, a map of depth, a layer of rain."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from srlens.errors import ImageError, NotFiniteError
from srlens.imaging.colour import match_channels
from srlens.imaging.files import read_image


def read_plane(path: str) -> NDArray[np.float64]:
    """Read h×w numbers from a ``.npy`` file as they are, or from a picture as grey in [0, 1].

    Raises:
        ImageError: it cannot be read, or is no plane.
        NotFiniteError: it holds NaN or infinity.
    """
    file = Path(path).expanduser()
    if file.suffix.lower() != ".npy":
        plane = match_channels(read_image(file), 1)[0].double().numpy()
    else:
        try:
            plane = np.load(file, allow_pickle=False)
        except (OSError, ValueError) as error:
            raise ImageError(
                f"{path} cannot be read as an array of numbers: {error}. Save it by numpy.save."
            ) from error
    if plane.ndim != 2 or 0 in plane.shape or plane.dtype.kind not in "fiu":
        raise ImageError(f"{path} must hold h×w numbers, got shape {plane.shape} of {plane.dtype}.")
    if not np.isfinite(plane).all():
        raise NotFiniteError(f"{path} holds NaN or infinity.")
    return np.asarray(plane, dtype=np.float64)
