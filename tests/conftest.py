"""Fixtures that many tests share, and the count of tests skipped for want of the reference data."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

SHARED_VARIABLE = "SRLENS_SHARED"

if "PYTEST_XDIST_WORKER" in os.environ:
    torch.set_num_threads(1)  # the workers share the cores already


def _shared_folder() -> Path:
    default = Path(__file__).resolve().parents[2] / "shared"
    return Path(os.environ.get(SHARED_VARIABLE, default))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference data: checkpoints, images, golden results (never part of the project)."""
    folder = _shared_folder()
    if not (folder / "weights" / "index.toml").is_file():
        pytest.skip(f"reference data absent: no {folder}; set {SHARED_VARIABLE}")
    return folder


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    """Every test starts from the same torch random state."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly how much was not tested because the reference data is absent."""
    skipped = [r for r in terminalreporter.stats.get("skipped", []) if "reference data absent" in str(r.longrepr)]
    if skipped:
        terminalreporter.write_sep(
            "=", f"{len(skipped)} tests skipped: reference data absent (set {SHARED_VARIABLE})", yellow=True
        )
