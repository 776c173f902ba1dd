"""``srlens doctor`` tells what is installed and tries it; shells complete its verbs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import srlens
from srlens import diagnosis
from srlens.cli.main import VERBS, app
from srlens.extras import EXTRAS


def test_what_is_installed_is_told_and_works() -> None:
    found = srlens.doctor()
    assert found.sound
    told = dict(found.facts)
    assert told["srlens"] == srlens.__version__
    assert {f"extra {extra}" for extra in EXTRAS} <= set(told)
    assert str(found).count("passed") == len(found.tests) >= 1


def test_a_missing_library_is_told_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "find_spec", lambda name: None if name == "gradio" else object())
    assert dict(diagnosis._facts())["extra app"] == "lacks gradio: pip install 'srlens[app]'"


def test_another_map_and_a_broken_device_fail(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(diagnosis, "EXPECTED", 1.05 * diagnosis.EXPECTED)
    monkeypatch.setattr(diagnosis, "_devices", lambda: ["cpu", "meta"])
    found = diagnosis.doctor()
    assert [test.passed for test in found.tests] == [False, False]
    assert found.tests[0].index is not None
    assert found.tests[1].error is not None
    with pytest.raises(SystemExit) as ended:
        app(["doctor"])
    assert ended.value.code == 1
    assert capsys.readouterr().out.count("FAILED") == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_every_verb(shell: str, tmp_path: Path) -> None:
    path = tmp_path / f"srlens.{shell}"
    env = {**os.environ, "HOME": str(tmp_path), "SHELL": f"/bin/{shell}"}
    command = [sys.executable, "-m", "srlens", "--install-completion", "--shell", shell, "--output", str(path)]
    subprocess.run(command, env=env, check=True, capture_output=True)
    script = path.read_text()
    assert all(verb in script for verb in VERBS)
    assert "--degradation" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n", str(path)], check=True)
