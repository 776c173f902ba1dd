"""What every kind of result can do: draw, save and show itself.

Drawing and files live in layers above, which are found by name when they are first asked for, so that the mathematics
imports neither.
"""

import base64
import os
from html import escape
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Shown:
    """Base of results: ``figure()``, ``save(path)``, and a picture of itself in a notebook."""

    @property
    def summary(self) -> str:
        """What it is, in less than 150 characters."""
        raise NotImplementedError

    def figure(self, **options: Any) -> "Figure":
        """Draw it, 17 cm wide, with every setting below; options are those of :func:`srlens.figure_of`."""
        figure: Figure = import_module("srlens.figures.of").figure_of(self, **options)
        return figure

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write all of it into one file (safetensors), from which :func:`srlens.load` makes an equal one.

        Args:
            path: of the file; ``.safetensors`` is appended where it has no suffix.

        Returns:
            The path written.

        Raises:
            OSError: it cannot be written; what was there before is still there.
        """
        written: Path = import_module("srlens.records.archive").save(self, path)
        return written

    def __repr__(self) -> str:
        text = f"{type(self).__name__}: {self.summary}"
        return text if len(text) < 200 else f"{text[:198]}…"

    def _repr_png_(self) -> bytes:
        """For notebooks."""
        buffer = BytesIO()
        self.figure().savefig(buffer, format="png", dpi=150)
        return buffer.getvalue()

    def _repr_html_(self) -> str:
        """For notebooks: the figure, and in words what it is."""
        picture = base64.b64encode(self._repr_png_()).decode()
        return (
            f'<img alt="{escape(self.summary)}" style="max-width:100%" src="data:image/png;base64,{picture}">'
            f"<p>{escape(repr(self))}</p>"
        )
