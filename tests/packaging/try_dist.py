"""Install each file of a folder into an empty environment, run the demo there and import every public name.

Usage: python tests/packaging/try_dist.py dist
"""

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

_NAMES = """
import sys
import srlens
heavy = {"torch", "numpy", "scipy", "matplotlib", "polars"} & set(sys.modules)
assert not heavy, f"import srlens loads {heavy}"
missing = []
for name in srlens.__all__:
    try:
        getattr(srlens, name)
    except srlens.errors.MissingExtraError as error:
        missing.append(name)
assert not missing, f"a bare installation cannot import {missing}"
assert srlens.doctor().sound
print(len(srlens.__all__), "public names")
"""


def try_one(file: Path, extra: str) -> None:
    """Install the file and use it."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        venv.create(home / "env", with_pip=True)
        python = home / "env" / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", f"srlens[{extra}] @ {file.resolve().as_uri()}"], check=True)
        subprocess.run([python, "-c", _NAMES], check=True, cwd=home)
        subprocess.run([python, "-m", "srlens", "demo", "--out", "out"], check=True, cwd=home)
        figures = sorted((home / "out").glob("*.png"))
        if not figures:
            raise SystemExit(f"{file.name}: the demo wrote no figure")
        print(f"{file.name}: {file.stat().st_size / 2**20:.2f} MiB, installs, imports, runs the demo")


def main() -> None:
    """Try every wheel and sdist of the folder."""
    files = sorted(Path(sys.argv[1]).glob("srlens-*.*"))
    if {file.suffix for file in files} != {".whl", ".gz"}:
        raise SystemExit(f"Expected one wheel and one sdist in {sys.argv[1]}, found {[file.name for file in files]}.")
    for file in files:
        try_one(file, "study")


if __name__ == "__main__":
    main()
