"""Which device to compute on."""

import torch

from srlens.cli.console import say
from srlens.errors import SettingError
from srlens.networks.device import device_in_words


def choose_device(wanted: str | None) -> torch.device:
    """The device asked for, or the best one there is: CUDA, then Apple's MPS, then the CPU; the first two are told.

    Raises:
        SettingError: there is no such device here.
    """
    if wanted is None:
        best = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        if best != "cpu":
            say(f"Computing on {device_in_words(torch.device(best))}.", error=True)
        return torch.device(best)
    try:
        device = torch.device(wanted)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        here = ["cpu"]
        here += [f"cuda:{i}" for i in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
        here += ["mps"] if torch.backends.mps.is_available() else []
        raise SettingError(f"Device {wanted!r} cannot be used; here there is: {', '.join(here)}.") from error
    return device
