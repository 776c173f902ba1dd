import hashlib
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from srlens.errors import CatalogError
from srlens.networks import catalog as catalog_module
from srlens.networks.catalog import (
    Checkpoint,
    cache_folder,
    catalog,
    download,
    fetch,
    file_sha256,
    find_by_sha256,
    published,
)

CONTENT = b"weights" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    requests = 0


class Handler(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        self.server.requests += 1
        super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    served = tmp_path / "served"
    served.mkdir()
    (served / "net.pth").write_bytes(CONTENT)
    with Server(("127.0.0.1", 0), partial(Handler, directory=str(served))) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def entry_at(server: Server, sha256: str | None = SHA256, file: str = "net.pth") -> Checkpoint:
    return Checkpoint(
        name="test-x4",
        family="EDSR",
        scales=(4,),
        url=f"http://127.0.0.1:{server.server_address[1]}/{file}",
        sha256=sha256,
        size=len(CONTENT),
        licence="none",
        value_range=1.0,
        repository="nobody/nothing",
    )


@pytest.mark.parametrize("sha256", [SHA256, SHA256[:8], None])
def test_a_download_is_kept_and_not_repeated(server: Server, tmp_path: Path, sha256: str | None) -> None:
    folder = tmp_path / "a" / "cache"
    path = download(entry_at(server, sha256), folder)
    assert path == folder / "test-x4.pth"
    assert path.read_bytes() == CONTENT
    assert download(entry_at(server, sha256), folder) == path
    assert server.requests == 1
    assert [file.name for file in folder.iterdir()] == ["test-x4.pth"]


@pytest.mark.parametrize("sha256", ["0" * 64, "0" * 8])
def test_a_wrong_download_is_not_kept(server: Server, tmp_path: Path, sha256: str) -> None:
    with pytest.raises(CatalogError, match=f"its SHA-256 is {SHA256}, expected {sha256}.*nothing was kept"):
        download(entry_at(server, sha256), tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_wrong_file_in_its_place_is_neither_used_nor_overwritten(server: Server, tmp_path: Path) -> None:
    (tmp_path / "test-x4.pth").write_bytes(b"something else")
    with pytest.raises(CatalogError, match=r"not the published test-x4.*Remove it"):
        download(entry_at(server), tmp_path)
    assert (tmp_path / "test-x4.pth").read_bytes() == b"something else"
    assert server.requests == 0


def test_a_file_put_there_by_hand_needs_no_network(tmp_path: Path) -> None:
    (tmp_path / "test-x4.pth").write_bytes(CONTENT)
    with Server(("127.0.0.1", 0), Handler) as server:
        entry = entry_at(server)
    assert download(entry, tmp_path).read_bytes() == CONTENT


def test_offline_the_error_says_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    entry = Checkpoint("test-x4", "EDSR", (4,), f"http://127.0.0.1:{port}/net.pth", SHA256, None, "none", 1.0, "nobody")
    with pytest.raises(CatalogError) as raised:
        download(entry, tmp_path)
    message = str(raised.value)
    assert entry.url in message
    assert SHA256 in message
    assert str(tmp_path / "test-x4.pth") in message
    assert "refused" in message
    assert list(tmp_path.iterdir()) == []


def test_a_missing_page_is_an_error_of_the_same_name(server: Server, tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="404"):
        download(entry_at(server, file="gone.pth"), tmp_path)


def test_fetch_uses_the_cache_folder_of_the_environment(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SRLENS_CACHE", str(tmp_path / "elsewhere"))
    monkeypatch.setattr(catalog_module, "catalog", lambda: {"test-x4": entry_at(server)})
    assert cache_folder() == tmp_path / "elsewhere"
    assert fetch("test-x4") == tmp_path / "elsewhere" / "test-x4.pth"
    assert fetch("test-x4", tmp_path / "here") == tmp_path / "here" / "test-x4.pth"


def test_without_the_environment_the_cache_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SRLENS_CACHE", raising=False)
    assert cache_folder().name == "srlens"


def test_an_unknown_name_is_answered_with_close_ones() -> None:
    with pytest.raises(CatalogError, match=r"no checkpoint 'imdn_x4'. Did you mean imdn-x4"):
        fetch("imdn_x4")
    with pytest.raises(CatalogError, match=r"There are: fsrcnn-x4"):
        fetch("zzz")


@pytest.mark.parametrize("entry", published().values(), ids=lambda entry: entry.name)
def test_entries_are_sound(entry: Checkpoint) -> None:
    assert urlsplit(entry.url).scheme == "https"
    assert entry.file_name.endswith((".pth", ".pt", ".ckpt"))
    assert entry.sha256 is None or (len(entry.sha256) in (8, 64) and set(entry.sha256) <= set("0123456789abcdef"))
    assert entry.value_range in (1.0, 255.0)
    assert (entry.psnr is None) == (entry.psnr_source is None)
    assert entry.scales
    assert set(entry.scales) <= {2, 3, 4}
    assert entry.licence
    assert entry.repository.count("/") == 1


def test_families_of_the_catalogue_are_known() -> None:
    from srlens.networks.zoo.registry import families

    assert {entry.family for entry in catalog().values()} <= {family.name for family in families().values()}


def test_names_urls_and_hashes_are_used_once() -> None:
    entries = catalog().values()
    assert len({entry.url for entry in entries}) == len(entries)
    hashes = [entry.sha256 for entry in entries if entry.sha256]
    assert len(set(hashes)) == len(hashes)


def test_a_file_is_found_by_its_hash(shared: Path) -> None:
    found = find_by_sha256(file_sha256(shared / "weights" / "rfdn-x4.pth"))
    assert found is not None
    assert found.name == "rfdn-x4"
    assert find_by_sha256("0" * 64) is None
    assert find_by_sha256("6b446fab" + "0" * 56) == catalog()["edsr-baseline-x4"]


def test_listing_needs_no_torch() -> None:
    """It takes a second, and nothing is computed."""
    code = (
        "import sys; from srlens.networks.listing import *; "
        "assert all((listed_families(), listed_shipped(), listed_published())); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_family_is_listed() -> None:
    from srlens.networks.listing import listed_families
    from srlens.networks.zoo.registry import families

    rows = {row["family"]: row for row in listed_families()}
    assert rows.keys() == families().keys()
    for name, family in families().items():
        assert rows[name]["paper"] == family.paper
        assert rows[name]["kind"] == ("several" if callable(family.kind) else family.kind)
