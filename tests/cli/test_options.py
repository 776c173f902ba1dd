"""Options that verbs share are declared once: every verb has them, and --help imports nothing that computes."""

import subprocess
import sys
from pathlib import Path

import pytest

from srlens.attribution.settings import SETTINGS
from srlens.cli.main import VERBS

HEAVY = ("torch", "numpy", "scipy", "polars", "pydantic", "matplotlib", "spandrel")
CALLS = (
    *((verb,) for verb in VERBS),
    ("study", "run"),
    ("study", "report"),
    ("networks", "list"),
    ("networks", "inspect"),
)
OPENING = ("explain", "compare", "field", "field-of-view")


def asked(*words: str) -> tuple[str, list[str]]:
    """Help of a verb in a process of its own, and which heavy libraries that imported."""
    program = (
        "import sys\n"
        "from srlens.cli import main as m\n"
        f"try: m.app({[*words, '--help']!r})\n"
        "except SystemExit: pass\n"
        f"print('LOADED', [x for x in {HEAVY!r} if x in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    text, _, loaded = run.stdout.partition("LOADED ")
    return text, eval(loaded)


@pytest.mark.parametrize("words", CALLS, ids=" ".join)
def test_help_loads_nothing_heavy(words: tuple[str, ...]) -> None:
    text, loaded = asked(*words)
    assert "Usage: srlens" in text
    assert loaded == []


def test_the_help_of_all_says_what_each_verb_does() -> None:
    text, loaded = asked()
    assert loaded == []
    for verb, (_, line) in VERBS.items():
        assert verb in text
        assert " ".join(line.split()[:3]) in " ".join(text.split())


@pytest.mark.parametrize("verb", OPENING)
def test_verbs_that_open_networks_share_their_options(verb: str) -> None:
    text, _ = asked(verb)
    methods = [f"--{setting.name.replace('_', '-')}" for setting in SETTINGS]
    for option in (*methods, "--memory", "--module", "--value-range", "--channels", "--scale", "--hr", "--clean",
                   "--crop", "--degradation", "--out", "--format", "--device"):  # fmt: skip
        assert option in text, option


def test_a_module_of_ones_own_in_compare_and_a_path_in_field(tmp_path: Path) -> None:
    (tmp_path / "lab.py").write_text(
        "import torch\n"
        "def wide(): return torch.nn.Upsample(scale_factor=4, mode='bicubic')\n"
        "def near(): return torch.nn.Upsample(scale_factor=4)\n"
    )
    picture = ("pagoda", "--hr", "--crop", "64,64,96,96")

    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "srlens", *arguments, "--format", "png"]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    said = run(
        "compare", "lab:wide", "lab:near", *picture, "--module", "--scale", "4", "--window", "30,30,16", "--steps", "3"
    )
    assert "lab:wide" in said or "wide" in said
    said = run("field", "plain", *picture, "--path", "linear-black", "--steps", "2", "--size", "48", "--stride", "48")
    assert "linear-black" in said
    assert "4 windows" in said
    assert [file.suffix for file in (tmp_path / "srlens-out").glob("*field*.p*")].count(".pdf") == 0  # --format png
    assert "occlusion" in run("field", "plain", *picture, "--method", "occlusion", "--size", "48", "--block", "12")
