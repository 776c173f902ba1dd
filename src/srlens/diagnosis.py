"""What is installed here, and whether a map comes out as it should."""

import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from time import perf_counter

import torch

from srlens import extras
from srlens._version import __version__
from srlens.attribution.attribute import attribute
from srlens.attribution.method import METHODS
from srlens.errors import MissingExtraError
from srlens.imaging.degrade import make_lr
from srlens.imaging.open import open_image
from srlens.imaging.window import Window
from srlens.networks.catalog import cache_folder
from srlens.networks.device import device_in_words
from srlens.networks.open import load_default

#: Diffusion index of the tiny map of :func:`doctor`, in float64.
EXPECTED = 2.11616
_TOLERANCE = 0.01  # of it: kernels of other processors and devices round differently
_CORE = ("numpy", "scipy", "safetensors", "pillow", "matplotlib", "cyclopts", "rich")


@dataclass(frozen=True)
class SelfTest:
    """A tiny map on one device.

    Attributes:
        device: as PyTorch calls it.
        index: its diffusion index; None where it could not be computed.
        seconds: wall time, with loading.
        error: why it could not be computed.
    """

    device: str
    index: float | None
    seconds: float
    error: str | None = None

    @property
    def passed(self) -> bool:
        """Whether the diffusion index is ``EXPECTED`` within 1 %."""
        return self.index is not None and abs(self.index - EXPECTED) <= _TOLERANCE * EXPECTED

    def __str__(self) -> str:
        told = self.error or f"DI {self.index:.4f}, expected {EXPECTED:.4f} ± {_TOLERANCE:.0%}"
        return f"self-test on {self.device}: {'passed' if self.passed else 'FAILED'} ({told}; {self.seconds:.1f} s)"


@dataclass(frozen=True)
class Diagnosis:
    """What is installed, line by line, and the tests of it; its text is what to paste into a report of a fault.

    Attributes:
        facts: (what, value).
        tests: one a device.
    """

    facts: tuple[tuple[str, str], ...]
    tests: tuple[SelfTest, ...]

    @property
    def sound(self) -> bool:
        """Whether every test passed."""
        return all(test.passed for test in self.tests)

    def __str__(self) -> str:
        return "\n".join([*(f"{what}: {value}" for what, value in self.facts), *map(str, self.tests)])

    __repr__ = __str__


def doctor() -> Diagnosis:
    """Gather versions, devices, threads and extras, and compute a tiny map on every device.

    The map is of the shipped plain network at a window of 16×16 SR pixels in an LR image of 32×32, with eight steps.
    """
    return Diagnosis(tuple(_facts()), tuple(map(_self_test, _devices())))


def _facts() -> Iterator[tuple[str, str]]:
    """Everything that a number may depend on besides network, picture and settings."""
    yield "srlens", __version__
    yield "Python", f"{platform.python_version()} ({sys.executable})"
    yield "system", f"{platform.platform()}, {os.cpu_count()} processors"
    kernels = [name for name in ("mkl", "mkldnn") if getattr(torch.backends, name).is_available()]
    yield "torch", ", ".join([torch.__version__, f"{torch.get_num_threads()} threads", *kernels])
    yield "devices", ", ".join(device_in_words(torch.device(one)) for one in _devices())
    yield "libraries", ", ".join(f"{name} {version(name)}" for name in _CORE)
    for extra, libraries in extras.EXTRAS.items():
        missing = [name for name in libraries if find_spec(name) is None]
        here = ", ".join(f"{name} {_version(name)}" for name in libraries if name not in missing)
        lacks = f"lacks {', '.join(missing)}: pip install 'srlens[{extra}]'" if missing else ""
        yield f"extra {extra}", "; ".join(part for part in (here, lacks) if part)
    yield "cache", _cache()
    own = {name: value for name, value in os.environ.items() if name.startswith("SRLENS_")}
    yield "environment", ", ".join(f"{name}={value}" for name, value in own.items()) or "no SRLENS_ variables"
    yield "methods", ", ".join(METHODS)


def _devices() -> list[str]:
    cuda = [f"cuda:{i}" for i in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    return ["cpu", *cuda, *(["mps"] if torch.backends.mps.is_available() else [])]


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "(no version)"


def _cache() -> str:
    """The folder of fetched checkpoints and what is in it."""
    try:
        folder = cache_folder()
    except MissingExtraError as error:
        return str(error)
    files = [file for file in folder.glob("*") if file.is_file()] if folder.is_dir() else []
    return f"{folder} ({len(files)} files, {sum(file.stat().st_size for file in files) / 2**20:.1f} MiB)"


def _self_test(device: str) -> SelfTest:
    start = perf_counter()
    try:
        image = make_lr(open_image("pagoda")[:, :128, :128], 4)
        result = attribute(load_default("plain", device=device), image, Window.square(56, 56, 16), steps=8)
    except Exception as error:  # whatever is wrong with a device, it is told, and the others are tried
        return SelfTest(device, None, perf_counter() - start, f"{type(error).__name__}: {error}")
    return SelfTest(device, result.diffusion_index, perf_counter() - start)
