"""What no browser would send: bad files by the dozen, paths that lead out, and many clients at once."""

import re
import threading
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SLACK = 60  # MiB by which allocator pools may leave memory above its base


def _messages(answer: dict[str, Any]) -> str:
    """Every message that the answer shows, without markup."""
    texts = [value for value in answer["output"].get("data", []) if isinstance(value, str) and "srl-status" in value]
    return re.sub(r"<[^>]+>", "", " ".join(texts)) or str(answer["output"].get("error"))


def _send(client: Any, element: str, path: Path) -> str:
    data = client.defaults(element, "upload")
    data[0] = client.upload(path)
    return _messages(client.call(element, "upload", data))


def test_bad_uploads_are_answered_with_sentences_and_leave_nothing(
    running: Any,
    connect: Any,
    hostile_pictures: dict[str, tuple[Path, str | None]],
    hostile_networks: dict[str, tuple[Path, str]],
    dropped: Path,
) -> None:
    client = connect()
    client.load("networks=plain")
    memory = []
    for _ in range(2):  # the first round loads libraries and fills pools; the second must find all it took given back
        for name, (path, refusal) in hostile_pictures.items():
            told = _send(client, "upload", path)
            assert (refusal or f"{name}: SR image 64×64") in told or "Invalid file type" in told, (name, told)
            assert "/tmp" not in told, told
        for name, (path, refusal) in hostile_networks.items():
            told = _send(client, "network-upload", path)
            assert refusal in told, (name, told)
            assert "/tmp" not in told, told
        memory.append(running.memory)
    assert len(hostile_pictures) + len(hostile_networks) >= 20
    assert not (dropped / "marker").exists()
    assert running.process.poll() is None
    assert memory[1] < memory[0] + SLACK, memory
    assert "Traceback" not in running.log


def test_no_path_leads_to_other_files(connect: Any, tmp_path: Path) -> None:
    client = connect()
    client.load("networks=plain")
    secret = tmp_path / "secret.png"
    secret.write_text("secret")
    for path in (secret, Path("/etc/passwd"), Path("/tmp/../etc/passwd"), Path(__file__)):
        for route in (f"/gradio_api/file={path}", f"/file={path}", f"/gradio_api/file=..{path}"):
            answer = client.http.get(route)
            assert answer.status_code in (403, 404), route
        for element in ("upload", "network-upload"):
            data = client.defaults(element, "upload")
            data[0] = {"path": str(path), "orig_name": "x.png", "meta": {"_type": "gradio.FileData"}}
            answer = client.call(element, "upload", data)
            assert not answer["success"], (element, path)
    assert secret.read_text() == "secret"
    data = client.defaults("run", "click")
    data[client.position("run", "click", "networks")] = ["/etc/passwd"]
    answer = client.call("run", "click", data)
    assert "secret" not in str(answer)
    assert "root:" not in str(answer)


def test_a_foreign_host_name_is_not_answered(connect: Any) -> None:
    client = connect()
    assert client.http.get("/", headers={"Host": "elsewhere.example"}).status_code == 400
    assert "default-src 'self'" in client.http.get("/").headers["content-security-policy"]


def test_many_clients_are_answered_or_told_to_wait_and_none_is_mixed_up(running: Any, connect: Any) -> None:
    figures = crowd([connect() for _ in range(8)], seconds=12)
    assert figures["mixed"] == 0
    assert figures["failed"] == 0
    assert figures["answered"] >= 8
    assert running.process.poll() is None


def crowd(clients: list[Any], seconds: float) -> dict[str, Any]:
    """Every client runs its own window of its own picture, again and again; what became of it."""
    figures: dict[str, Any] = {"answered": 0, "told to wait": 0, "failed": 0, "mixed": 0, "longest": 0.0}
    lock = threading.Lock()
    end = time.monotonic() + seconds

    def one(number: int, client: Any) -> None:
        picture, network = ("pagoda", "hopper")[number % 2], ("plain", "channel", "nonlocal")[number % 3]
        client.load(f"picture={picture}&networks={network}")
        turn = 0
        while time.monotonic() < end:
            top, left = 10 + 7 * number + turn % 7, 30 + 5 * number
            data = client.defaults("run", "click")
            for element, value in (("top", top), ("left", left), ("networks", [network])):
                data[client.position("run", "click", element)] = value
            started = time.monotonic()
            answer = client.call("run", "click", data)
            shown = str(answer)
            mine = f"{picture}, window 16×16 at (top {top}, left {left})" in shown and f"srlens-{network}-x4" in shown
            with lock:
                figures["longest"] = max(figures["longest"], time.monotonic() - started)
                if mine:
                    figures["answered"] += 1
                elif "ueue is full" in shown:
                    figures["told to wait"] += 1
                elif "srl-results" in shown:
                    figures["mixed"] += 1
                else:
                    figures["failed"] += 1
                    figures["failure"] = shown[:500]
            turn += 1

    threads = [threading.Thread(target=one, args=pair) for pair in enumerate(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return figures
