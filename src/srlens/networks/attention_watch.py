"""Records cross-attention while a network computes, as running sums: nothing of it is exchanged or slowed elsewhere.

The sums are those of I2AM (Park & Jang, ICLR 2025, arXiv 2407.12331). Of the scores S = QKᵀ/√d of a layer, a step and a
head, queries i being places of the generated picture and keys j places of the reference:

- generated to reference (G2R): softmax over the keys, mean over the queries: what is read of each place j;
- reference to generated (R2G): softmax over the *queries*, mean over the keys: how much each place i takes;
- SRAM: as G2R, the mean over the queries of one window alone.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


@dataclass
class Sums:
    """Of one layer, summed over the steps of each group: groups × heads × places, float64."""

    g2r: Tensor
    r2g: Tensor
    sram: Tensor


class AttentionWatch(TorchFunctionMode):
    """Sums what the cross-attentions of a network compute while this is entered.

    Args:
        groups: of steps, which are summed apart.
        window: the weights (sum 1) that the queries of a layer have in the window, by the numbers Q of queries and K
            of keys; None where these are no places of a picture, so that the layer is left out.

    Attributes:
        group: of the step that is computed now; the caller's to set.
        sums: of each layer, by its name.
    """

    def __init__(self, groups: int, window: Callable[[int, int], Tensor | None]) -> None:
        super().__init__()
        self.groups, self.window = groups, window
        self.group = 0
        self.layer: str | None = None
        self.sums: dict[str, Sums] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Record an attention of the layer that computes now; compute as ever."""
        kwargs = kwargs or {}
        if func is nn.functional.scaled_dot_product_attention and self.layer is not None:
            given = dict(zip(("query", "key"), args, strict=False)) | kwargs
            # Of classifier-free guidance the half with the prompt, which stands last.
            self._record(self.layer, given["query"][-1], given["key"][-1], given.get("scale"))
        return func(*args, **kwargs)

    def _record(self, layer: str, query: Tensor, key: Tensor, scale: float | None) -> None:
        weights = self.window(query.shape[-2], key.shape[-2])
        if weights is None:
            return
        if layer not in self.sums:
            empty = partial(torch.zeros, self.groups, len(query), dtype=torch.float64)
            self.sums[layer] = Sums(*(empty(x.shape[-2]) for x in (key, query, key)))
        sums, factor = self.sums[layer], query.shape[-1] ** -0.5 if scale is None else scale
        for head, (q, k) in enumerate(zip(query, key, strict=True)):  # one by one: Q×K numbers are many
            scores = factor * (q @ k.T).double()
            read, taken = scores.softmax(dim=1), scores.softmax(dim=0)
            sums.g2r[self.group, head] += read.mean(dim=0).cpu()
            sums.r2g[self.group, head] += taken.mean(dim=1).cpu()
            sums.sram[self.group, head] += (weights.to(read) @ read).cpu()


@contextmanager
def recording(module: nn.Module, watch: AttentionWatch) -> Iterator[None]:
    """Within the block the cross-attentions of a module are recorded: layers with ``to_q`` and ``to_k`` that are given
    other states than their own to read, of diffusers and of :mod:`srlens.networks.cross_attention`.
    """  # noqa: D205

    def enter(name: str, _: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        context = kwargs.get("encoder_hidden_states", args[1] if len(args) > 1 else None)
        watch.layer = name if context is not None else None

    def leave(*_: Any) -> None:
        watch.layer = None

    layers = [(name, one) for name, one in module.named_modules() if hasattr(one, "to_q") and hasattr(one, "to_k")]
    hooks = [one.register_forward_pre_hook(partial(enter, name), with_kwargs=True) for name, one in layers]
    hooks += [one.register_forward_hook(leave) for _, one in layers]
    try:
        with watch:
            yield
    finally:
        for hook in hooks:
            hook.remove()
