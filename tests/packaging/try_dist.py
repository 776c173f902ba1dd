"""Install each file of a folder into an empty environment: every public name, the demo, and the page of the Space.

Usage: python tests/packaging/try_dist.py dist
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from pathlib import Path

_SPACE = Path(__file__).resolve().parents[2] / "deploy" / "space" / "app.py"

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


def install(file: Path, extra: str, home: Path) -> Path:
    """An environment with the file and one extra; returns its Python."""
    venv.create(home / "env", with_pip=True)
    python = home / "env" / "bin" / "python"
    wanted = f"srlens[{extra}] @ {file.resolve().as_uri()}"
    subprocess.run([python, "-m", "pip", "install", "--quiet", wanted], check=True)
    return python


def try_demo(python: Path, home: Path) -> None:
    """Import every public name, and draw the demo's figure."""
    subprocess.run([python, "-c", _NAMES], check=True, cwd=home)
    subprocess.run([python, "-m", "srlens", "demo", "--out", "out"], check=True, cwd=home)
    if not list((home / "out").glob("*.png")):
        raise SystemExit("The demo wrote no figure.")


def try_space(python: Path, home: Path) -> None:
    """Start the Space's app and ask for its page."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    page = subprocess.Popen([python, _SPACE], cwd=home, env={**os.environ, "GRADIO_SERVER_PORT": str(port)})
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
                    if b"srlens" not in answer.read():
                        raise SystemExit("The Space shows another page.")
                    return
            except OSError as error:
                if page.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"The Space does not start: {error}") from error
                time.sleep(1)
    finally:
        page.terminate()
        page.wait(30)


def main() -> None:
    """Try the wheel (with the page) and the sdist of the folder."""
    files = sorted(Path(sys.argv[1]).glob("srlens-*.*"))
    if {file.suffix for file in files} != {".whl", ".gz"}:
        raise SystemExit(f"Expected one wheel and one sdist in {sys.argv[1]}, found {[file.name for file in files]}.")
    for file in files:
        wheel = file.suffix == ".whl"
        with tempfile.TemporaryDirectory() as folder:
            python = install(file, "app" if wheel else "study", Path(folder))
            try_demo(python, Path(folder))
            if wheel:
                try_space(python, Path(folder))
        print(f"{file.name}: {file.stat().st_size / 2**20:.2f} MiB, installs, imports, runs the demo")


if __name__ == "__main__":
    main()
