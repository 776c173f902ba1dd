"""Cross-attention whose computation can be exchanged and recorded, with the interface that diffusers' has."""

import torch
from torch import Tensor, nn


class AttentionProcessor:
    """Computes a cross-attention without keeping its weights."""

    def __call__(self, attention: "CrossAttention", hidden_states: Tensor, encoder_hidden_states: Tensor) -> Tensor:
        """Answer of every query: N×Q×C and N×K×D to N×Q×C."""
        query = split_heads(attention.to_q(hidden_states), attention.heads)
        key = split_heads(attention.to_k(encoder_hidden_states), attention.heads)
        value = split_heads(attention.to_v(encoder_hidden_states), attention.heads)
        answer = nn.functional.scaled_dot_product_attention(query, key, value)
        joined: Tensor = attention.to_out(answer.transpose(1, 2).flatten(2))
        return joined


class CrossAttention(nn.Module):
    """Multi-head attention of the places of one map to those of another: softmax(QKᵀ/√d) V (Vaswani et al., 2017).

    Args:
        width: channels C of the queries, and of the answer; a multiple of ``heads``.
        context: channels D of keys and values.
        heads: how many.
    """

    processor: AttentionProcessor

    def __init__(self, width: int, context: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k = nn.Linear(context, width, bias=False)
        self.to_v = nn.Linear(context, width, bias=False)
        self.to_out = nn.Linear(width, width)
        self.processor = AttentionProcessor()

    @property
    def scale(self) -> float:
        """What scores are multiplied by: 1/√d."""
        return float((self.to_q.out_features // self.heads) ** -0.5)

    def forward(self, hidden_states: Tensor, encoder_hidden_states: Tensor) -> Tensor:
        """Answer of every query: N×Q×C and N×K×D to N×Q×C."""
        return self.processor(self, hidden_states, encoder_hidden_states)


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


def split_heads(x: Tensor, heads: int) -> Tensor:
    """N×L×C to N×heads×L×C/heads."""
    return x.unflatten(2, (heads, -1)).transpose(1, 2)


def pixel_norm(x: Tensor) -> Tensor:
    """Bring the channels of each pixel of ``x`` (N×C×h×w) to root mean square 1, above rounding."""
    return x * torch.rsqrt((x * x).mean(dim=1, keepdim=True) + 1e-5)
