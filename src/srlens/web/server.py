"""Serving the page: where it listens, what it limits, what it leaves behind (nothing)."""

import os
import signal
import tempfile
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from srlens.errors import SettingError
from srlens.networks.device import Device
from srlens.web.callbacks import Page
from srlens.web.limits import Limits

#: Hosts that nobody else can reach.
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, eq=False)
class Server:
    """A running page.

    Attributes:
        url: where it is.
        page: its state.
    """

    url: str
    page: Page


@contextmanager
def serving(
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    networks: str | os.PathLike[str] | None = None,
    device: Device = None,
    limits: Limits | None = None,
) -> Iterator[Server]:
    """Serve the page within the block; uploads and downloads live in a folder that is removed with it.

    Raises:
        SettingError: gradio is missing, or the port is taken.
        CheckpointError: the folder of networks is missing or holds none.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    from srlens.extras import gradio  # noqa: F401 - only to know that it is there

    limits = limits if limits is not None else Limits()
    with tempfile.TemporaryDirectory(prefix="srlens-app-", ignore_cleanup_errors=True) as folder:
        chosen = Path(networks) if networks is not None else None
        page = Page(networks=chosen, device=device, limits=limits, folder=Path(folder))
        before = {name: value for name, value in os.environ.items() if name == "GRADIO_TEMP_DIR"}
        os.environ["GRADIO_TEMP_DIR"] = folder
        try:
            blocks, url = _launch(page, host, port, limits)
            try:
                yield Server(url, page)
            finally:
                blocks.close(verbose=False)
        finally:
            page.close()
            del os.environ["GRADIO_TEMP_DIR"]
            os.environ.update(before)


def _launch(page: Page, host: str, port: int | None, limits: Limits) -> tuple[Any, str]:
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    from srlens.web.app import build_app
    from srlens.web.asset import asset
    from srlens.web.headers import SafeHeaders
    from srlens.web.theme import STYLES, page_theme

    middleware = [Middleware(SafeHeaders)]
    if host in LOOPBACK:
        # A page of another site that lets its name point to this machine is not answered. Starlette cuts a host at
        # its first colon, so an IPv6 address is a mere bracket to it.
        middleware.append(Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "["]))
    blocks = build_app(page)
    blocks.queue(max_size=limits.waiting, default_concurrency_limit=4, api_open=False)
    try:
        _, url, _ = blocks.launch(
            server_name=host,
            server_port=port,
            state_session_capacity=2 * limits.sessions,
            max_file_size=limits.checkpoint_bytes,
            app_kwargs={"middleware": middleware, "docs_url": None, "redoc_url": None, "openapi_url": None},
            theme=page_theme(),
            head=STYLES,
            **tomllib.loads(asset("launch.toml")),
        )
    except OSError as error:
        raise SettingError(f"Cannot listen on {host}, port {port}: {error}. Choose another with --port.") from error
    return blocks, str(url)


def wait_for_signal() -> None:
    """Until the process is interrupted or terminated; either way the caller goes on, to clean up."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    try:
        while not ended.wait(3600):
            pass
    except KeyboardInterrupt:
        return
