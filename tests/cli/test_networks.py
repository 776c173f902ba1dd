import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from srlens.cli.networks import app
from srlens.errors import CatalogError, SettingError
from srlens.networks import catalog as catalog_module
from srlens.networks.catalog import SHIPPED, catalog, published


def run(*tokens: str) -> int:
    """Run one command; the exit code."""
    with pytest.raises(SystemExit) as ended:
        app(list(tokens))
    return int(ended.value.code or 0)


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "250")


def test_list_shows_shipped_families_and_published(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list") == 0
    shown = capsys.readouterr().out
    for expected in ("srlens-plain-x4", "RRDBNet", "703 (23 blocks)", "arXiv 1909.11856", "edsr-baseline-x4"):
        assert expected in shown


def test_list_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in listed["shipped"]] == list(SHIPPED)
    assert [row["receptive_field"] for row in listed["shipped"]] == ["21", "global", "global", "global", "25", "global"]
    assert {row["name"] for row in listed["published"]} == set(published())
    by_family = {row["family"]: row for row in listed["families"]}
    assert by_family["PAN"]["published"] == ["pan-x2", "pan-x3", "pan-x4"]
    assert len(by_family) > 35


def test_list_builds_nothing_and_needs_no_spandrel() -> None:
    code = (
        "import sys; from srlens.cli.networks import app\n"
        "try: app(['list', '--json'])\n"
        "except SystemExit: pass\n"
        "import torch; assert not [m for m in ('spandrel', 'torchvision', 'safetensors') if m in sys.modules]"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_inspect_goes_on_after_a_refusal(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = shared / "weights"
    files = ("rlfn-x4.pth", "vdsr-legacy-pickle.pth", "fsrcnn-y-x4.pth")
    assert run("inspect", *(str(weights / file) for file in files)) == 2
    captured = capsys.readouterr()
    for expected in ("RLFN", "0–255", "543,740", "2.12 G for an LR image of 64×64", "Y of YCbCr", "13 (15 LR px)"):
        assert expected in captured.out
    assert "vdsr-legacy-pickle.pth: UnsafeCheckpointError" in captured.err
    assert "vdsr" not in captured.out


def test_inspect_as_json(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = shared / "weights"
    assert run("inspect", "--json", str(weights / "imdn-x4.pth"), str(weights / "vdsr-legacy-pickle.pth")) == 2
    imdn, vdsr = json.loads(capsys.readouterr().out)
    assert (imdn["family"], imdn["scale"], imdn["published_as"]) == ("IMDN", 4, "imdn-x4")
    assert (vdsr["error"], "family" in vdsr) == ("UnsafeCheckpointError", False)


@pytest.mark.slow
def test_inspect_every_shared_file(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = sorted(file for file in (shared / "weights").iterdir() if file.suffix != ".toml")
    assert run("inspect", "--json", *map(str, files)) == 2
    found = {Path(entry["given"]).name: entry for entry in json.loads(capsys.readouterr().out)}
    families = {name: entry.get("family", entry.get("error")) for name, entry in found.items()}
    assert families == {
        "bsrn-x4.pth": "BSRN",
        "carn-m-multiscale.pth": "CARN",
        "craft-x4.pth": "CRAFT",
        "dctlsa-x4.pt": "DCTLSA",
        "fsrcnn-y-x4.pth": "FSRCNN",
        "grl-tiny-x4.ckpt": "GRL",
        "imdn-x4.pth": "IMDN",
        "pan-x2.pth": "PAN",
        "pan-x3.pth": "PAN",
        "pan-x4.pth": "PAN",
        "rfdn-x4.pth": "RFDN",
        "rlfn-x4.pth": "RLFN",
        "smfanet-x4.pth": "SMFANet",
        "vdsr-legacy-pickle.pth": "UnsafeCheckpointError",
    }
    for name, entry in found.items():
        if "error" not in entry:
            assert entry["published_as"] is not None, name
            published = catalog()[entry["published_as"]]
            assert entry["family"] == published.family
            assert entry["scale"] in published.scales
            assert entry["value_range"] == published.value_range
            assert entry["differentiable"]


def test_inspect_a_shipped_network_and_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("inspect", "plain") == 0
    assert "srlens-plain-x4" in capsys.readouterr().out
    with pytest.raises(SettingError, match="at least one file"):
        app(["inspect"])


def test_inspect_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("inspect", "nowhere[/].pth") == 2
    assert "No file nowhere[/].pth" in capsys.readouterr().err


def test_fetch_prints_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def arrive(entry: catalog_module.Checkpoint, folder: Path) -> Path:
        path = folder / entry.file_name
        torch.save({}, path)
        return path

    monkeypatch.setattr(catalog_module, "download", arrive)
    assert run("fetch", "carn-m", "--to", str(tmp_path)) == 0
    captured = capsys.readouterr()
    assert captured.out.strip() == str(tmp_path / "carn-m.pth")
    assert "licence: MIT" in captured.err
    with pytest.raises(CatalogError, match="Did you mean"):
        app(["fetch", "carn"])
