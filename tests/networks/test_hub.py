"""Networks of the Hugging Face Hub, against a local server that speaks its protocol."""

import hashlib
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import huggingface_hub.constants
import pytest

import srlens
from srlens.networks.catalog import fetch
from srlens.networks.open import fetched

COMMIT = "0123456789abcdef0123456789abcdef01234567"
WEIGHTS = fetch("plain").read_bytes()


class Danger:
    """Unpickled, it would leave a file behind."""

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, ("executed", "w")


@dataclass
class Hub:
    """What is served: revision and file to content; and the hash that is promised where it is not the true one."""

    files: dict[tuple[str, str], bytes]
    promised: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def headers(self, path: str) -> tuple[int, dict[str, str], bytes]:
        self.asked.append(path)
        owner, repository, _, revision, file = path.strip("/").split("/", 4)
        if (owner, repository) != ("lab", "nets"):
            return 404, {"X-Error-Code": "RepoNotFound"}, b""
        if revision not in {one for one, _ in self.files}:
            return 404, {"X-Error-Code": "RevisionNotFound"}, b""
        content = self.files.get((revision, file))
        if content is None:
            return 404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT}, b""
        sha256 = self.promised.get(file, hashlib.sha256(content).hexdigest())
        told = {"X-Repo-Commit": COMMIT, "X-Linked-Etag": f'"{sha256}"', "X-Linked-Size": str(len(content))}
        return 200, {**told, "ETag": f'"{sha256}"'}, content


def point_to(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As HF_ENDPOINT does, which is read when the library is imported."""
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", url)
    monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    served = Hub({("main", "plain.safetensors"): WEIGHTS, ("v2", "weights/model.safetensors"): WEIGHTS})

    class Handler(BaseHTTPRequestHandler):
        def answer(self, body: bool) -> None:
            status, headers, content = served.headers(self.path)
            self.send_response(status)
            for key, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(key, value)
            self.end_headers()
            if body:
                self.wfile.write(content)

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def log_message(self, format: str, *args: object) -> None:
            """Not to standard error."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_port}"
    point_to(served.url, monkeypatch)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    yield served
    server.shutdown()
    server.server_close()
    thread.join()


def test_by_name_with_its_commit_and_hash_in_the_record(hub: Hub) -> None:
    network = srlens.open_network("hf://lab/nets/plain.safetensors")
    assert network.digest == srlens.load_default("plain").digest
    sha256 = hashlib.sha256(WEIGHTS).hexdigest()
    assert network.facts.source == f"hf://lab/nets/plain.safetensors@{COMMIT}, SHA-256 {sha256}"
    assert network.name == "plain"


def test_a_file_in_a_folder_at_a_revision_is_called_by_its_repository(hub: Hub) -> None:
    network = srlens.open_network("hf://lab/nets/weights/model.safetensors@v2")
    assert network.name == "nets"
    assert "weights/model.safetensors@" + COMMIT in str(network.source)
    assert srlens.open_network("hf://lab/nets/weights/model.safetensors@v2", name="mine").name == "mine"


def test_the_second_time_no_server_is_needed(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    first = srlens.open_network("hf://lab/nets/plain.safetensors")
    point_to("http://127.0.0.1:9", monkeypatch)
    again = srlens.open_network("hf://lab/nets/plain.safetensors")
    assert (again.digest, again.source) == (first.digest, first.source)


def test_without_server_and_cache_it_says_what_to_do(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)  # else the library tries for a while
    with pytest.raises(srlens.CatalogError, match=r"not in the cache.*copy the file here, and open it by its path"):
        srlens.open_network("hf://lab/nets/plain.safetensors")


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("hf://lab/nothing/plain.safetensors", r"no repository lab/nothing"),
        ("hf://lab/nets/plain.safetensors@v9", r"no revision v9"),
        ("hf://lab/nets/edsr.pth", r"no file edsr.pth in the revision main"),
    ],
)
def test_a_wrong_name_is_said_by_its_part(hub: Hub, address: str, message: str) -> None:
    with pytest.raises(srlens.CatalogError, match=message):
        srlens.open_network(address)


@pytest.mark.parametrize("address", ["lab/nets", "nets", "lab/nets/../../secret.pth", "lab/nets/a@", "../nets/a.pth"])
def test_an_address_of_another_form_is_refused_unasked(hub: Hub, address: str) -> None:
    with pytest.raises(srlens.CheckpointError, match=r"Write hf://owner/repo/file"):
        fetched(f"hf://{address}")
    assert not hub.asked


def test_another_content_than_promised_is_refused(hub: Hub) -> None:
    hub.promised["plain.safetensors"] = "0" * 64
    with pytest.raises(srlens.CatalogError, match=r"its SHA-256 is [0-9a-f]{64}, promised 0{64}"):
        srlens.open_network("hf://lab/nets/plain.safetensors")


def test_a_pickle_is_not_executed(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    hub.files["main", "evil.pth"] = pickle.dumps(Danger())
    with pytest.raises(srlens.errors.UnsafeCheckpointError):
        srlens.open_network("hf://lab/nets/evil.pth")
    assert not Path("executed").exists()


def test_command_line(hub: Hub, tmp_path: Path) -> None:
    asked = [sys.executable, "-m", "srlens", "networks", "inspect", "--json", "hf://lab/nets/plain.safetensors"]
    env = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home")}
    done = subprocess.run(asked, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert hashlib.sha256(WEIGHTS).hexdigest() in done.stdout
