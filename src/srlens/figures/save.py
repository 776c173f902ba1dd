"""Figures as files: written whole or not at all, and byte for byte the same in every run."""

import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from srlens._version import __version__
from srlens.atomic import replacing
from srlens.errors import SettingError
from srlens.figures.style import PRINT_DPI, styled

_SOFTWARE = f"srlens {__version__}"
# None keeps matplotlib from writing the time.
_METADATA: Mapping[str, dict[str, Any]] = {
    "png": {"Software": _SOFTWARE},
    "pdf": {"Creator": _SOFTWARE, "CreationDate": None},
    "svg": {"Creator": _SOFTWARE, "Date": None},
}


def save_figure(
    figure: Figure, path_stem: str | os.PathLike[str], formats: Sequence[str] = ("png", "pdf"), dpi: float = PRINT_DPI
) -> list[Path]:
    """Write a figure in several formats; an interrupted call leaves no half-written file behind.

    Args:
        figure: of this package, or any other.
        path_stem: folder and name without an ending; the folder is made if need be.
        formats: of ``"png"``, ``"pdf"``, ``"svg"``.
        dpi: pixels per inch of PNG files and of the images within the others.

    Returns:
        The files, in the order of ``formats``.

    Raises:
        SettingError: an unknown format or a dpi that is not above 0.
    """
    unknown = [name for name in formats if name not in _METADATA]
    if unknown:
        raise SettingError(f"Figures are not saved as {unknown[0]!r}; known: {', '.join(_METADATA)}.")
    if not dpi > 0:
        raise SettingError(f"dpi must be above 0, got {dpi!r}; 300 is usual for print.")
    stem = Path(path_stem)
    contents = []
    with styled():  # fonts embedded, text kept: matplotlib reads these settings while saving
        for name in formats:
            buffer = io.BytesIO()
            figure.savefig(buffer, format=name, dpi=dpi, metadata=_METADATA[name])
            contents.append(buffer.getvalue())
    paths = [stem.with_name(f"{stem.name}.{name}") for name in formats]
    for path, content in zip(paths, contents, strict=True):
        with replacing(path) as temporary:
            temporary.write_bytes(content)
    return paths
