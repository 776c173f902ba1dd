"""``srlens app``: the web page."""

from pathlib import Path


def app(
    *, host: str = "127.0.0.1", port: int | None = None, networks: Path | None = None, device: str | None = None
) -> None:
    """Open the web page: choose a picture, click a place, see which pixels the networks used.

    Parameters
    ----------
    host
        Address to listen on. The default is reached from this machine only; there is no login, so think before you
        give another.
    port
        By default the first free one from 7860.
    networks
        A folder of checkpoint files to offer beside the shipped networks.
    device
        cpu, cuda, cuda:1, mps; by default the best one there is.
    """
    from srlens.cli.console import say
    from srlens.cli.devices import choose_device
    from srlens.web.memory import bound_memory
    from srlens.web.server import LOOPBACK, serving, wait_for_signal

    target = choose_device(device)
    with serving(host=host, port=port, networks=networks, device=target) as server:
        bound_memory()
        say(f"srlens app: {server.url} (Ctrl+C ends it)")
        if host not in LOOPBACK:
            say(f"Whoever reaches {host} can use this page: there is no login.", style="yellow")
        wait_for_signal()
