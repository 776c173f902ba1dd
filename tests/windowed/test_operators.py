"""Every rule against the operator itself, at corners, borders and in the middle."""

import pytest
import torch
from torch import nn
from torch.nn import functional as nnf

C = 4


def conv(*shape, **options):
    w = torch.rand(shape, dtype=torch.float64) - 0.5
    b = torch.rand(shape[0], dtype=torch.float64)
    return lambda x: nnf.conv2d(x, w, b, **options)


def transposed(*shape, groups=1, **options):
    w = torch.rand(shape, dtype=torch.float64) - 0.5
    b = torch.rand(shape[1] * groups, dtype=torch.float64)
    return lambda x: nnf.conv_transpose2d(x, w, b, groups=groups, **options)


def layer(module):
    return module.double().eval().requires_grad_(False)


def tokens(x):
    return x.flatten(2).transpose(1, 2)


def linear_over_channels(x):
    w = torch.linspace(-1, 1, C * C, dtype=x.dtype).reshape(C, C)
    y = nnf.linear(nnf.layer_norm(x.permute(0, 2, 3, 1), (C,)), w, w[0])
    return (nnf.gelu(y) + x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def window_attention(x, size=4):
    n, c, h, w = x.shape
    windows = x.permute(0, 2, 3, 1).reshape(n, h // size, size, w // size, size, c).transpose(2, 3)
    windows = windows.reshape(-1, size * size, c)
    attended = (windows @ windows.transpose(1, 2)).softmax(dim=-1) @ windows
    back = attended.reshape(n, h // size, w // size, size, size, c).transpose(2, 3).reshape(n, h, w, c)
    return x + back.permute(0, 3, 1, 2)


LOCAL = {
    "3x3": conv(5, C, 3, 3, padding=1),
    "same": conv(5, C, 3, 5, padding="same"),
    "valid": conv(5, C, 3, 3),
    "stride": conv(5, C, 3, 3, stride=2, padding=1),
    "stride beyond kernel": conv(5, C, 2, 1, stride=3),
    "dilated": conv(C, C, 3, 3, padding=(2, 1), dilation=(2, 1)),
    "grouped": conv(8, 2, 3, 3, padding=1, groups=2),
    "depthwise 7x7": conv(C, 1, 7, 7, padding=3, groups=C),
    "padding beyond kernel": conv(5, C, 1, 1, padding=2),
    "transposed": transposed(C, 3, 9, 9, stride=4, padding=4, output_padding=3),
    "transposed 2": transposed(C, 3, 4, 4, stride=2, padding=1),
    "transposed gaps": transposed(C, 3, 2, 2, stride=3, output_padding=1),
    "transposed dilated": transposed(C, 3, 3, 3, stride=2, padding=1, dilation=2, output_padding=1),
    "transposed grouped": transposed(C, 3, 3, 3, groups=2),
    "pixel shuffle": lambda x: nnf.pixel_shuffle(x, 2) ** 2,
    "pixel unshuffle": lambda x: nnf.pixel_unshuffle(x[..., :16], 2) ** 2,
    "shuffle by views": lambda x: (
        x.view(x.shape[0], 1, 2, 2, *x.shape[-2:])
        .permute(0, 1, 4, 2, 5, 3)
        .reshape(x.shape[0], 1, 2 * x.shape[-2], 2 * x.shape[-1])
    ),
    "channel shuffle": lambda x: nnf.channel_shuffle(x, 2) * 3,
    "nearest": lambda x: nnf.interpolate(x, scale_factor=2, mode="nearest"),
    "nearest 3": lambda x: nnf.interpolate(x, scale_factor=3, mode="nearest-exact"),
    "nearest by size": lambda x: nnf.interpolate(x, size=(31, 45), mode="nearest"),
    "nearest down": lambda x: nnf.interpolate(x, size=(7, 9), mode="nearest"),
    "bilinear": lambda x: nnf.interpolate(x, scale_factor=4, mode="bilinear"),
    "bilinear corners": lambda x: nnf.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True),
    "bilinear by size": lambda x: nnf.interpolate(x, size=(29, 50), mode="bilinear"),
    "bicubic": lambda x: nnf.interpolate(x, scale_factor=2, mode="bicubic"),
    "bicubic 1.5": lambda x: nnf.interpolate(x, scale_factor=1.5, mode="bicubic"),
    "bicubic down": lambda x: nnf.interpolate(x, scale_factor=0.5, mode="bicubic", antialias=True),
    "zero pad": lambda x: nnf.pad(x, (1, 2, 3, 4)) + 1,
    "constant pad and crop": lambda x: nnf.pad(x, (-2, 3, 3, -1), value=0.5) ** 2,
    "reflect": lambda x: nnf.pad(x, (3, 2, 1, 4), mode="reflect") ** 2,
    "replicate": lambda x: nnf.pad(x, (3, 2, 1, 4), mode="replicate") ** 2,
    "crop": lambda x: x[..., 2:-1, 3:11],
    "strided slice": lambda x: x[..., ::2, 1::3],
    "flip": lambda x: x.flip(-1, 1) * 2,
    "roll": lambda x: torch.roll(x, (3, -2), (2, 3)) ** 2,
    "roll of all elements": lambda x: torch.roll(x, 5) ** 2,
    "rows chosen": lambda x: x.index_select(2, torch.tensor([5, 1, 1, 7, 8, 0, 11, 11, 3, 2])),
    "columns chosen": lambda x: x[:, :, :, torch.tensor([5, -1, 1, 7, 8, 0])],
    "channels chosen": lambda x: torch.cat([c * k for k, c in enumerate(x.unbind(1), 2)], 0)[None] @ x[0],
    "split and cat": lambda x: torch.cat([x[:, 2:] ** 2, *reversed(x.split([1, 3], dim=1))], dim=1),
    "chunk": lambda x: x.chunk(2, 1)[0] * x.chunk(2, 1)[1].sigmoid(),
    "stack": lambda x: torch.stack([x, x**2], dim=2).flatten(1, 2),
    "repeat": lambda x: x.repeat(1, 3, 1, 1),
    "repeat interleave": lambda x: x.repeat_interleave(4, dim=1),
    "tile": lambda x: x.repeat(1, 1, 2, 1) * torch.arange(17.0, dtype=x.dtype),
    "squeeze": lambda x: (x[:, :1].squeeze(1) * 2).unsqueeze(1),
    "select": lambda x: x[:, 1][:, None] * x,
    "max pool": lambda x: nnf.max_pool2d(x, 3, 2, padding=1),
    "max pool dilated": lambda x: nnf.max_pool2d(x, 2, 1, dilation=2),
    "avg pool": lambda x: nnf.avg_pool2d(x, 3, 1, padding=1),
    "avg pool 2": lambda x: nnf.avg_pool2d(x, 2),
    "broadcast": lambda x: x * torch.linspace(0, 1, x.shape[-1], dtype=x.dtype) + x.mean(1, keepdim=True),
    "prelu": layer(nn.PReLU(C)),
    "activations": lambda x: nnf.silu(x) + nnf.gelu(x) + nnf.hardswish(x) + nnf.elu(x) + x.clamp(0.2, 0.7) + x.tanh(),
    "batch norm": layer(nn.BatchNorm2d(C)),
    "layer norm over channels": linear_over_channels,
    "l2 over channels": lambda x: nnf.normalize(x) * x.std(1, keepdim=True),
    "channel softmax": lambda x: x.softmax(dim=1),
    "tokens and back": lambda x: (tokens(x) * 2).transpose(1, 2).view(x.shape) + x,
    "einsum over channels": lambda x: torch.einsum("nchw,cd->ndhw", x, torch.ones(C, 3, dtype=x.dtype)),
    "per-pixel product": lambda x: (
        (x.permute(0, 2, 3, 1)[..., None, :] @ x.permute(0, 2, 3, 1)[..., None]).squeeze(-1).permute(0, 3, 1, 2)
    ),
    "expand": lambda x: x.mean(1, keepdim=True).expand(-1, 6, -1, -1) ** 2,
    "in place": lambda x: nnf.leaky_relu_((x * 2 - 1).mul_(3).add_(x), 0.1),
    "where": lambda x: torch.where(x > 0.5, x, x**2),
    "half": lambda x: x.float().double() * x,
}
GLOBAL = {
    "mean": lambda x: x * x.mean((2, 3), keepdim=True),
    "attention": lambda x: (tokens(x) @ tokens(x).transpose(1, 2)).softmax(-1) @ tokens(x) @ x.flatten(2) @ tokens(x),
    "squeeze and excite": lambda x: x * nnf.adaptive_avg_pool2d(x, 1).sigmoid(),
    "group norm": lambda x: nnf.group_norm(x, 2),
    "instance norm": nnf.instance_norm,
    "sorting": lambda x: x.sort(dim=2).values,
    "unfold": lambda x: nnf.fold(nnf.unfold(x, 3, padding=1), x.shape[-2:], 3, padding=1),
    "cumulative": lambda x: x.cumsum(2),
    "adaptive pool": lambda x: nnf.adaptive_avg_pool2d(x, 5),
    "column mean": lambda x: x - x.mean(2, keepdim=True),
}


# A window of these takes all rows and all columns: by their nature, since they have no rule, or since a view merges
# them with the batch.
WHOLE = {"tile", "roll", "roll of all elements", "rows chosen", "columns chosen", "flip", "repeat", "channel shuffle"}
WHOLE_BATCHES = {"tokens and back", "layer norm over channels", "einsum over channels", "per-pixel product"}


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("name", [name for name in LOCAL if name != "channels chosen"])
def test_a_local_operator_computes_its_window_only(agreed, name, batch):
    plans = agreed(LOCAL[name], (batch, C, 12, 17))
    if name not in WHOLE and not (batch > 1 and name in WHOLE_BATCHES):
        assert plans[0].given is not None
        rows, columns = plans[0].given[2:]
        assert (rows[1] - rows[0]) * (columns[1] - columns[0]) < 12 * 17


@pytest.mark.parametrize("name", ["channels chosen"])
def test_another_rank_is_handled(agreed, name):
    agreed(lambda x: LOCAL[name](x[..., :12]), (1, C, 12, 17))


@pytest.mark.parametrize("name", GLOBAL)
def test_a_global_operator_is_evaluated_in_full(agreed, name):
    function = GLOBAL[name]
    if name == "attention":
        agreed(lambda x: function(x)[:, None], (1, C, 6, 7))
    else:
        agreed(function, (1, C, 12, 17))


@pytest.mark.parametrize("shift", [0, 2])
def test_window_attention_is_evaluated_for_the_rows_of_its_windows(agreed, shift):
    def network(x):
        rolled = torch.roll(x, (shift, shift), (2, 3)) if shift else x
        attended = window_attention(rolled)
        return torch.roll(attended, (-shift, -shift), (2, 3)) if shift else attended

    plans = agreed(network, (1, C, 24, 16))
    assert plans[6].given is not None
    rows = plans[6].given[2]
    assert rows[1] - rows[0] <= 12
