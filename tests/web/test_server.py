import socket
import subprocess
import sys
from pathlib import Path

import pytest

from srlens.errors import SrlensError
from srlens.web.memory import bound_memory
from srlens.web.server import serving


def test_without_gradio_the_pip_line_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gradio", None)
    with pytest.raises(SrlensError, match=r"pip install 'srlens\[app\]'"), serving():
        pass


@pytest.mark.slow
def test_a_port_that_is_taken_is_named() -> None:
    pytest.importorskip("gradio")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        run = subprocess.run(  # its own process: gradio leaves an event loop open where it cannot listen
            [sys.executable, "-m", "srlens", "app", "--port", str(port)], capture_output=True, text=True, check=False
        )
    assert run.returncode == 2
    assert "Choose another with --port" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_folder_without_networks_is_named(tmp_path: Path) -> None:
    pytest.importorskip("gradio")
    with pytest.raises(SrlensError, match="holds no network file"), serving(networks=tmp_path):
        pass


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the bound is Linux's")
def test_memory_is_bounded_by_the_system() -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_DATA)
    try:
        allowed = bound_memory()
        assert allowed is not None
        assert resource.getrlimit(resource.RLIMIT_DATA)[0] == allowed
        with pytest.raises(MemoryError):
            bytearray(allowed + (1 << 30))
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)
