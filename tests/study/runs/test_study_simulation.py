"""Verdicts where the truth is known: a small version of benchmarks/study_simulation.py (table: docs/studies.md)."""

import importlib.util
import sys
from pathlib import Path

import pytest
from scipy.stats import binom

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "study_simulation.py"
STUDIES = 60


@pytest.fixture(scope="module")
def simulation():
    spec = importlib.util.spec_from_file_location("study_simulation", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def at_most(share):
    """What 60 studies stay within in 999 of 1000 runs, where each has this chance."""
    return binom.ppf(0.999, STUDIES, share) / STUDIES


def test_intervals_hold_and_luck_is_rare(simulation):
    null, paper = (
        simulation.simulate(simulation.TRUTHS[truth], simulation.DESIGNS["9 × 48 of 8"], STUDIES)
        for truth in ("null", "paper")
    )
    for told in (null, paper):
        for name in ("pearson", "spearman", "ratio"):
            assert 1 - told[f"{name} covered"] <= at_most(0.1), name
    for number in range(1, 5):
        assert null[f"{number} supported"] <= at_most(0.05), number
        assert paper[f"{number} not supported"] == 0, number
    assert 1 - paper["1 supported"] <= at_most(0.25)
