"""The real ``srlens app`` in a process of its own, a browser tab, and clients that speak its protocol directly."""

import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest


@dataclass
class Running:
    """The app under test."""

    url: str
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    @property
    def memory(self) -> float:
        """Resident memory in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    @property
    def log(self) -> str:
        return "".join(self.lines)


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    pytest.importorskip("gradio", reason="the page needs gradio (extra: app)")
    folder = tmp_path_factory.mktemp("temporary")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "srlens", "app", "--port", str(port), "--device", "cpu"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "TMPDIR": str(folder), "PYTHONWARNINGS": "default"},
    )
    app = Running(f"http://127.0.0.1:{port}", process)
    assert process.stdout is not None
    pipe = process.stdout
    reader = threading.Thread(target=lambda: app.lines.extend(iter(pipe.readline, "")), daemon=True)
    reader.start()
    deadline = time.monotonic() + 120
    while "srlens app:" not in app.log:
        assert process.poll() is None, app.log
        assert time.monotonic() < deadline, f"the app did not start: {app.log}"
        time.sleep(0.2)
    yield app
    process.terminate()
    code = process.wait(20)
    reader.join(5)
    pipe.close()
    assert code == 0
    left = [path for path in folder.rglob("*") if path.is_file()]
    assert left == [], "the app must leave no temporary file behind"


class Tab:
    """One tab of the page, and what a user does in it."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.foreign: list[str] = []
        self.failures: list[str] = []
        page.set_default_timeout(30_000)
        page.on("request", self._on_request)
        page.on("pageerror", lambda error: self.failures.append(str(error)))

    def _on_request(self, request: Any) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            self.foreign.append(request.url)

    def open(self, url: str) -> "Tab":
        self.page.goto(url)
        self.page.wait_for_selector("#picker img[src^='data:image/png']")
        return self

    def click_picture(self, x: float, y: float) -> None:
        """Click at a fraction of the picture's width and height."""
        image = self.page.locator("#picker img")
        image.scroll_into_view_if_needed()
        box = image.bounding_box()
        self.page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])

    def number(self, name: str) -> str:
        return str(self.page.locator(f"#{name} input").input_value())

    def wait_number(self, name: str, value: str) -> None:
        self.page.wait_for_function(
            "([id, value]) => document.querySelector(`#${id} input`).value === value", arg=[name, value]
        )

    def write(self, name: str, value: str) -> None:
        self.page.locator(f"#{name} input").fill(value)

    def toggle(self, network: str) -> None:
        self.page.locator("#networks label", has_text=network).locator("input").click()

    def run(self) -> None:
        self.page.click("#run")

    def status(self, words: str, timeout: float = 60_000) -> str:
        """Wait until the status says so."""
        found = self.page.locator("#status .srl-status", has_text=words)
        found.wait_for(timeout=timeout)
        return str(found.inner_text())

    def indices(self) -> list[float]:
        """The diffusion indices shown, to the last digit."""
        cells = self.page.locator("#results td[data-di]")
        return [float(cells.nth(k).get_attribute("data-di")) for k in range(cells.count())]


def _new_tab(browser: Any) -> Iterator[Tab]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    tab = Tab(context.new_page())
    yield tab
    context.close()
    assert tab.foreign == [], "the page must not ask anything of other hosts"
    assert tab.failures == []


@pytest.fixture
def tab(browser: Any) -> Iterator[Tab]:
    yield from _new_tab(browser)


@pytest.fixture
def second_tab(browser: Any) -> Iterator[Tab]:
    yield from _new_tab(browser)


class Client:
    """A browser tab without a browser: the same requests, for many at once and for what no browser would send."""

    def __init__(self, url: str) -> None:
        import httpx

        self.http = httpx.Client(base_url=url, timeout=90)
        self.name = secrets.token_hex(6)
        config = self.http.get("/config").json()
        self._components = {c["id"]: c for c in config["components"]}
        self._ids = {c["props"].get("elem_id"): c["id"] for c in config["components"] if c["props"].get("elem_id")}
        self._events = {
            (target[0], target[1]): event for event in reversed(config["dependencies"]) for target in event["targets"]
        }

    def defaults(self, element: str, event: str) -> list[Any]:
        """What the inputs of an event hold when the page opens."""
        found = self._events[self._ids[element], event]
        return [self._components[id]["props"].get("value") for id in found["inputs"]]

    def position(self, element: str, event: str, of: str) -> int:
        """Which of the event's inputs a component is."""
        return int(self._events[self._ids[element], event]["inputs"].index(self._ids[of]))

    def load(self, query: str) -> None:
        """Open the page with a link."""
        event = next(e for (_, kind), e in self._events.items() if kind == "load" and not e["inputs"])
        self._call(event, [], query)

    def call(self, element: str, event: str, data: list[Any]) -> dict[str, Any]:
        """Trigger an event and wait for its last message."""
        return self._call(self._events[self._ids[element], event], data)

    def _call(self, event: dict[str, Any], data: list[Any], query: str = "") -> dict[str, Any]:
        body = {"data": data, "fn_index": event["id"], "session_hash": self.name}
        if not event["queue"]:
            answer = self.http.post(f"/gradio_api/run/predict?{query}", json=body)
            assert answer.status_code == 200, answer.text
            return {"success": True, "output": answer.json()}
        answer = self.http.post(f"/gradio_api/queue/join?{query}", json=body)
        if answer.status_code != 200:
            return {"success": False, "output": {"error": answer.text}}
        merged: dict[str, Any] = {}
        with self.http.stream("GET", "/gradio_api/queue/data", params={"session_hash": self.name}) as stream:
            for line in stream.iter_lines():
                if line.startswith("data:"):
                    message = json.loads(line[5:])
                    if message["msg"] == "process_completed":
                        merged = message
                    elif message["msg"] == "close_stream":
                        break
        return merged

    def upload(self, path: Path) -> dict[str, Any]:
        """Send a file as the page does; the payload that names it."""
        with path.open("rb") as file:
            answer = self.http.post("/gradio_api/upload", files={"files": (path.name, file)})
        assert answer.status_code == 200, answer.text
        return {"path": answer.json()[0], "orig_name": path.name, "meta": {"_type": "gradio.FileData"}}

    def close(self) -> None:
        self.http.close()


@pytest.fixture
def connect(running: Running) -> Iterator[Any]:
    clients: list[Client] = []

    def new() -> Client:
        clients.append(Client(running.url))
        return clients[-1]

    yield new
    for client in clients:
        client.close()
