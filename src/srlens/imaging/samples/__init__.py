"""The photographs that ship with the package (licences in the README beside them)."""

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

    return read_image(sample_path(name))


def sample_path(name: str) -> Path:
    """The file of a packaged photograph.

    Raises:
        SettingError: no sample has that name.
    """
    if name not in SAMPLES:
        raise SettingError(f"No sample photograph is called {name!r}; known: {', '.join(SAMPLES)}.")
    return Path(__file__).with_name(f"{name}.png")
