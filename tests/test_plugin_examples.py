"""The seven examples of plug-ins: each is one short file outside the package, stands in the docs as it is, and works.

Each runs in a process of its own, since a plug-in stays for as long as its process lives.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PLUGINS = ROOT / "examples" / "plugins"
NAMES = ("detector", "baseline", "curve", "method", "measure", "degradation", "family")

HEAD = """
import numpy as np, torch
import srlens, plugin
torch.manual_seed(0)
network = srlens.load_default("plain")
lr = torch.rand(3, 24, 24, dtype=torch.float64)
window = srlens.Window(40, 40, 8, 8)
"""

CHECKS = {
    "detector": """
clean = torch.rand(3, 96, 96, dtype=torch.float64)
result = srlens.attribute(network, lr, window, detector="edge-error", clean=clean, steps=3)
assert result.method.detector.name == "edge-error" and result.map.any()
try:
    srlens.attribute(network, lr, window, detector="edge-error")
except srlens.errors.SettingError as error:
    assert "clean" in str(error)
else:
    raise AssertionError
""",
    "baseline": """
result = srlens.attribute(network, lr, window, path="linear-grey", level=0.25, steps=40, detector="intensity")
assert result.method.to_record()["level"] == 0.25 and result.completeness_gap < 0.05
grey = np.full(lr.shape, 0.25)
value = float(srlens.DETECTORS["intensity"].measure(window.crop(network(torch.from_numpy(grey)[None].float()))).sum())
assert abs(result.detector_at_baseline - value) < 1e-3 * abs(value)
assert srlens.Method.from_record(result.method.to_record()) == result.method
assert srlens.attribute(network, lr, window, "occlusion", fill="grey", block=12).map.any()
""",
    "curve": """
eased = srlens.attribute(network, lr, window, path="eased-black", rule="gauss-legendre", steps=40)
line = srlens.attribute(network, lr, window, path="linear-black", steps=40)
assert np.linalg.norm(eased.map - line.map) < 0.1 * np.linalg.norm(line.map)
assert eased.method.to_record()["path"] == "eased-black"
""",
    "method": """
result = srlens.attribute(network, lr, window, "smooth-gradient", samples=4, noise=0.0)
gradient = srlens.attribute(network, lr, window, "gradient")
assert np.allclose(result.map, gradient.map, rtol=1e-4, atol=1e-6) and result.evaluations == 4
assert "samples 4" in result.conditions and "smooth-gradient" in srlens.METHODS
again = srlens.attribute(network, lr, window, srlens.Method.from_record(result.method.to_record()))
assert (again.map == result.map).all()
""",
    "measure": """
result = srlens.attribute(network, lr, window, steps=3)
value = srlens.MEASURES["peak_density"].value(srlens.Measurable.of(result))
assert value == 1e3 * result.absolute.max()
""",
    "degradation": """
clean = torch.rand(3, 40, 40) * 0.8 + 0.1
observed = srlens.degrade(clean, "salt-and-pepper:10", seed=3)
changed = (observed != clean).any(dim=0)
assert 0.05 < changed.float().mean() < 0.15 and set(observed[:, changed].unique().tolist()) == {0.0, 1.0}
assert torch.equal(observed, srlens.degrade(clean, "salt-and-pepper:10", seed=3))
""",
    "family": """
torch.save(plugin.ESPCN().state_dict(), "espcn.pth")
network = srlens.load_network("espcn.pth")
assert (network.family, network.scale, network.kind) == ("ESPCN", 4, "convolution")
result = srlens.attribute(network, lr, window, steps=3)
rows = np.flatnonzero((result.map != 0).any(axis=(0, 2)))
assert (rows.min(), rows.max()) == (10 - 4, 12 + 4)
""",
}


@pytest.mark.parametrize("name", NAMES)
def test_the_example_works(name: str, tmp_path: Path) -> None:
    (tmp_path / "plugin.py").write_text((PLUGINS / f"{name}.py").read_text(encoding="utf-8"), encoding="utf-8")
    subprocess.run([sys.executable, "-c", HEAD + CHECKS[name]], cwd=tmp_path, check=True, timeout=300)


@pytest.mark.parametrize("name", NAMES)
def test_the_example_is_short_and_stands_in_the_docs(name: str) -> None:
    text = (PLUGINS / f"{name}.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 25
    page = (ROOT / "docs" / "how-it-is-built.md").read_text(encoding="utf-8")
    (shown,) = re.findall(rf"<!-- examples/plugins/{name}\.py -->\n```python\n(.*?)```", page, flags=re.DOTALL)
    assert shown == text


def test_the_command_line_loads_them(tmp_path: Path) -> None:
    """Method, detector, path and measure by their names, from the environment variable alone."""
    files = ",".join(str(PLUGINS / f"{name}.py") for name in ("detector", "curve", "method", "measure"))
    environment = {**os.environ, "SRLENS_PLUGINS": files, "COLUMNS": "200"}

    def run(*arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", "srlens", *arguments], env=environment, cwd=tmp_path, check=True, text=True,
            stdout=subprocess.PIPE, timeout=300,
        ).stdout  # fmt: skip

    crop = ("pagoda", "--hr", "--crop", "64,64,128,128", "--window", "40,40,16", "--format", "png")
    said = run("compare", "plain", "channel", *crop, "--path", "eased-blur", "--detector", "edge-error", "--steps", "3")
    assert "Peak" in said  # the heading of a column, a word a line
    assert "peak_density" in (tmp_path / "srlens-out" / "comparison.csv").read_text(encoding="utf-8")
    assert "Peak density (mD)" in (tmp_path / "srlens-out" / "comparison.tex").read_text(encoding="utf-8")
    assert "smooth-gradient" in run("explain", "plain", *crop, "--method", "smooth-gradient")
