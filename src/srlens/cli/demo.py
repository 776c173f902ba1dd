"""``srlens demo``: the shipped networks of a task on a packaged photograph."""

from srlens.cli import options
from srlens.cli.compare import compared
from srlens.networks.catalog import MADE_BY, SHIPPED_FOR, Task


def demo(*, task: Task = "sr", device: str | None = None, chosen: options.DemoVerb = options.DemoVerb()) -> None:
    """Explain the shipped networks of a task side by side on a packaged photograph; nothing is downloaded.

    They share their convolutions. Of the three for super-resolution one adds global pooling, one non-local attention;
    of the two denoisers one adds non-local attention. The diffusion index shows how much further those look.

    Parameters
    ----------
    task
        sr: ×4 super-resolution. denoise: white noise of σ 25 grey levels.
    device
        cpu, cuda, cuda:1, mps; by default the best one there is.
    """
    verb = options.WindowVerb(**vars(chosen), device=device, hr=True, degradation=MADE_BY[task])
    compared(SHIPPED_FOR[task], "pagoda", verb)
