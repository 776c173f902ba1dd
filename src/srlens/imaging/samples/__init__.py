"""The photographs that ship with the package (licences in the README beside them)."""

from contextlib import AbstractContextManager
from importlib import resources
from pathlib import Path

from torch import Tensor

from srlens.errors import SettingError

SAMPLES: tuple[str, ...] = ("pagoda", "hopper")


def sample_image(name: str = "pagoda") -> Tensor:
    """A packaged photograph, 3×256×256 RGB in [0, 1].

    Raises:
        SettingError: no sample has that name.
    """
    from srlens.imaging.files import read_image

    with sample_path(name) as path:
        return read_image(path)


def sample_path(name: str) -> AbstractContextManager[Path]:
    """The file of a packaged photograph, for as long as the block lasts.

    Raises:
        SettingError: no sample has that name.
    """
    if name not in SAMPLES:
        raise SettingError(f"No sample photograph is called {name!r}; known: {', '.join(SAMPLES)}.")
    return resources.as_file(resources.files(__name__).joinpath(f"{name}.png"))
