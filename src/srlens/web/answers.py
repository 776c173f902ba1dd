"""What a run gives: a comparison at one window with its warnings, or a field."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from srlens.attribution.field import Field
from srlens.attribution.scene import Progress
from srlens.comparison.compare import Comparison, compare
from srlens.comparison.subject import Subject
from srlens.errors import SrlensWarning
from srlens.imaging.window import Window
from srlens.networks.network import Network
from srlens.web.choices import Choices
from srlens.web.progress import Report, Step


@dataclass(frozen=True, eq=False)
class Answer:
    """A finished run.

    Attributes:
        choices: what was asked for, with the window that was taken.
        comparison: the result.
        notes: warnings, one sentence each.
    """

    choices: Choices
    comparison: Comparison
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class FieldAnswer:
    """A finished field.

    Attributes:
        subject: the images.
        field: the numbers.
        files: figure (PNG, PDF), table, log of the points.
        sampling: how the network samples, where it does, in words.
    """

    subject: Subject
    field: Field
    files: tuple[Path, ...]
    sampling: tuple[str, ...] = ()


def compute(
    networks: Sequence[Network], subject: Subject, window: Window | None, choices: Choices, report: Report
) -> tuple[Comparison, tuple[str, ...]]:
    """Compare the networks, reporting each step; the result, and what was warned of, one sentence each."""
    started: list[str] = []

    def progress(name: str) -> Progress:
        if name.endswith(": reach"):  # its network's share of the bar is full
            return lambda _, expected: report(Step(name, len(started), len(networks), expected, expected))
        started.append(name)
        index = len(started)
        return lambda done, expected: report(Step(name, index, len(networks), done, expected))

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SrlensWarning)
        comparison = compare(networks, subject, window, size=choices.size, progress=progress, **choices.settings)
    notes = dict.fromkeys(str(w.message) for w in caught if issubclass(w.category, SrlensWarning))
    return comparison, tuple(notes)
