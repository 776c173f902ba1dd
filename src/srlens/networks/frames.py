"""Networks of clips: T frames as T·C channels, so that blur, paths and maps are those of any other network.

The module is given N×T×C×h×w and returns the centre frame, N×C'×H×W, or all of them, N×T×C'×H×W, of which the centre
one counts: what is explained is a window of the centre frame. A blurred baseline blurs every frame with one σ, as for
video super-resolution in Shi et al. (PSRT, arXiv 2207.08494).
"""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from srlens.errors import ChannelError, NetworkOutputError


def clip_forward(forward: Callable[[nn.Module, Tensor], Any], frames: int) -> Callable[[nn.Module, Tensor], Any]:
    """How a module of clips is called with N×(T·C)×h×w; returns N×C'×H×W, or what else the module returned."""

    def centre(module: nn.Module, x: Tensor) -> Any:
        y = forward(module, x.reshape(len(x), frames, -1, *x.shape[-2:]))
        y = y[0] if isinstance(y, tuple) and y else y
        if isinstance(y, Tensor) and y.ndim == 5:
            if y.shape[1] != frames:
                raise NetworkOutputError(
                    f"The module returned {tuple(y.shape)} for {frames} frames. Return all of them, N×T×C×H×W with "
                    f"T = {frames}, or the centre frame alone, N×C×H×W; or pick it, forward=."
                )
            return y[:, frames // 2]
        return y

    return centre


def stacked(clip: Tensor, frames: int, channels: int, name: str) -> Tensor:
    """A clip T×C×h×w as (T·C)×h×w, frame after frame, for the network of that name; what is stacked already stays.

    Raises:
        ChannelError: another number of frames or channels than the network takes.
    """
    if clip.ndim == 3 and clip.shape[0] == channels:
        return clip
    if clip.ndim != 4 or clip.shape[0] != frames or clip.shape[0] * clip.shape[1] != channels:
        raise ChannelError(
            f"{name} takes clips of {frames} frames of {channels // frames} channels, T×C×h×w, got shape "
            f"{tuple(clip.shape)}. Give that many frames: srlens.read_clip(…)[first:first + {frames}]."
        )
    return clip.flatten(0, 1)
