"""Cross-attention between maps: the places of one read those of another."""

import torch
from torch import Tensor, nn


class CrossAttention(nn.Module):
    """Multi-head attention of one sequence to another: softmax(QKᵀ/√d) V (Vaswani et al., 2017).

    Names of layers and arguments are those of diffusers, so that both are recorded in one way.

    Args:
        width: channels C of the queries, and of the answer; a multiple of ``heads``.
        context: channels D of keys and values.
        heads: how many.
    """

    def __init__(self, width: int, context: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k = nn.Linear(context, width, bias=False)
        self.to_v = nn.Linear(context, width, bias=False)
        self.to_out = nn.Linear(width, width)

    def forward(self, hidden_states: Tensor, encoder_hidden_states: Tensor) -> Tensor:
        """Answer of every query: N×Q×C and N×K×D to N×Q×C."""
        query = self._split(self.to_q(hidden_states))
        key, value = self._split(self.to_k(encoder_hidden_states)), self._split(self.to_v(encoder_hidden_states))
        answer = nn.functional.scaled_dot_product_attention(query, key, value)
        joined: Tensor = self.to_out(answer.transpose(1, 2).flatten(2))
        return joined

    def _split(self, x: Tensor) -> Tensor:
        """N×L×C to N×heads×L×C/heads."""
        return x.reshape(*x.shape[:2], self.heads, -1).transpose(1, 2)


class SpatialCrossAttention(nn.Module):
    """:class:`CrossAttention` between maps, added to the first: x (N×C×h×w) and context (N×D×h'×w') to N×C×h×w."""

    def __init__(self, width: int, context: int, heads: int) -> None:
        super().__init__()
        self.attention = CrossAttention(width, context, heads)
        nn.init.zeros_(self.attention.to_out.weight)
        nn.init.zeros_(self.attention.to_out.bias)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """Refine ``x`` by what it finds in ``context``."""
        queries, keys = (pixel_norm(one).flatten(2).transpose(1, 2) for one in (x, context))
        answer: Tensor = self.attention(queries, encoder_hidden_states=keys)
        return x + answer.transpose(1, 2).reshape(x.shape)


def pixel_norm(x: Tensor) -> Tensor:
    """Bring the channels of each pixel of ``x`` (N×C×h×w) to root mean square 1, above rounding."""
    return x * torch.rsqrt((x * x).mean(dim=1, keepdim=True) + 1e-5)
