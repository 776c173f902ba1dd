"""Random small convolutional networks: whatever they are built of, a window is a window of the whole."""

import torch
from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as nnf


class Pad(nn.Module):
    def __init__(self, amounts, mode):
        super().__init__()
        self.amounts, self.mode = amounts, mode

    def forward(self, x):
        return nnf.pad(x, self.amounts, mode=self.mode)


class Gate(nn.Module):
    def __init__(self, width, local):
        super().__init__()
        self.conv, self.local = nn.Conv2d(width, width, 1), local

    def forward(self, x):
        return x * self.conv(x if self.local else x.mean((2, 3), keepdim=True)).sigmoid()


class Residual(nn.Module):
    def __init__(self, width, kernel, dilation):
        super().__init__()
        self.conv = nn.Conv2d(width, width, kernel, padding="same", dilation=dilation)

    def forward(self, x):
        return x + nnf.leaky_relu_(self.conv(x), 0.1)


class Dense(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.one, self.two = nn.Conv2d(width, 2, 3, padding=1), nn.Conv2d(width + 2, width, 1)

    def forward(self, x):
        return self.two(torch.cat([x, self.one(x)], dim=1))


WIDTH = 4
side = st.integers(0, 3)
layers = st.one_of(
    st.builds(
        lambda k, s, p, d, g: nn.Conv2d(WIDTH, WIDTH, k, stride=s, padding=p, dilation=d, groups=g),
        st.integers(1, 4),
        st.integers(1, 2),
        side,
        st.integers(1, 2),
        st.sampled_from([1, 2, WIDTH]),
    ),
    st.builds(
        lambda k, s, p: nn.ConvTranspose2d(WIDTH, WIDTH, k, stride=s, padding=min(p, k // 2), output_padding=s - 1),
        st.integers(1, 5),
        st.integers(1, 3),
        side,
    ),
    st.builds(lambda r: nn.Sequential(nn.Conv2d(WIDTH, WIDTH * r * r, 1), nn.PixelShuffle(r)), st.integers(1, 3)),
    st.builds(
        lambda f, m: nn.Upsample(scale_factor=f, mode=m),
        st.sampled_from([1.5, 2, 3]),
        st.sampled_from(["nearest", "bilinear", "bicubic"]),
    ),
    st.builds(
        lambda a, b, c, d, m: Pad((a, b, c, d), m),
        side,
        side,
        side,
        side,
        st.sampled_from(["constant", "reflect", "replicate"]),
    ),
    st.builds(Residual, st.just(WIDTH), st.sampled_from([1, 3, 5]), st.integers(1, 2)),
    st.builds(Gate, st.just(WIDTH), st.booleans()),
    st.builds(Dense, st.just(WIDTH)),
    st.builds(nn.AvgPool2d, st.just(2)),
    st.builds(nn.MaxPool2d, st.just(3), st.just(1), st.just(1)),
    st.builds(nn.PReLU, st.just(WIDTH)),
    st.builds(nn.GELU),
)


@settings(
    deadline=None,
    max_examples=120,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)
@given(
    body=st.lists(layers, min_size=1, max_size=6),
    height=st.integers(9, 20),
    width=st.integers(9, 20),
    place=st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)),
    seed=st.integers(0, 1000),
)
def test_window_of_a_random_network(agreed, body, height, width, place, seed):
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Conv2d(3, WIDTH, 3, padding=1), *body, nn.Conv2d(WIDTH, 3, 3, padding=1))
    network = network.double().eval().requires_grad_(False)
    try:
        with torch.no_grad():
            y = network(torch.rand(1, 3, height, width, dtype=torch.float64))
    except RuntimeError:  # strides have eaten the image, or it is smaller than its reflection
        reject()
    assume(0 < y.numel() <= 400_000)
    sizes = y.shape[-2:]
    rows, columns = (1 + int(place[k] * (min(n, 17) - 1)) for k, n in enumerate(sizes))
    top, left = (int(place[2 + k] * (n - m)) for k, (n, m) in enumerate(zip(sizes, (rows, columns), strict=True)))
    agreed(network, (1, 3, height, width), [(top, left, rows, columns)])
