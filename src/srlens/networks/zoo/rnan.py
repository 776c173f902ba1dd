"""RNAN: residual non-local attention network.

Y. Zhang, K. Li, K. Li, B. Zhong, Y. Fu, "Residual Non-local Attention Networks for Image Restoration",
ICLR 2019, arXiv 1903.10082.
"""

from spandrel import Architecture, ImageModelDescriptor, SizeRequirements, StateDict
from spandrel.util import KeyCondition
from torch import Tensor, nn

from srlens.networks.receptive_field import GLOBAL
from srlens.networks.zoo.family import Family
from srlens.networks.zoo.layers import MeanShift, Upsampler, channel_means, count_blocks, upsampler_scale


class _ResidualBlock(nn.Module):
    """3×3, ReLU, 3×3, plus the input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1)
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.body(x) + x
        return out


class NonLocalBlock(nn.Module):
    """Adds to every pixel a sum over all, weighted by the match of two 1×1 embeddings: N×C×h×w in and out.

    The weights of one *source* pixel sum to one over the pixels that read it (softmax over the readers, not
    over the sources as in the paper's formula): so the published code computes and its weights were trained.
    """

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.g = nn.Conv2d(width, inner, 1)
        self.W = nn.Conv2d(inner, width, 1)
        self.theta = nn.Conv2d(width, inner, 1)
        self.phi = nn.Conv2d(width, inner, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Memory grows with (h·w)²."""
        readers = self.theta(x).flatten(2).transpose(1, 2)
        weights = (readers @ self.phi(x).flatten(2)).softmax(dim=1)
        gathered = weights @ self.g(x).flatten(2).transpose(1, 2)
        out: Tensor = self.W(gathered.transpose(1, 2).unflatten(2, x.shape[-2:])) + x
        return out


class _TrunkBranch(nn.Module):
    """Two residual blocks; exists for the published key names."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(_ResidualBlock(width), _ResidualBlock(width))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.body(x)
        return out


class _MaskBranch(nn.Module):
    """A mask in (0, 1) by way of half the resolution; a non-local block first where ``inner`` is given."""

    def __init__(self, width: int, inner: int | None) -> None:
        super().__init__()
        first: list[nn.Module] = [] if inner is None else [NonLocalBlock(width, inner)]
        self.MB_RB1 = nn.Sequential(*first, _ResidualBlock(width))
        self.MB_Down = nn.Sequential(nn.Conv2d(width, width, 3, stride=2, padding=1))
        self.MB_RB2 = nn.Sequential(_ResidualBlock(width), _ResidualBlock(width))
        self.MB_Up = nn.Sequential(nn.ConvTranspose2d(width, width, 6, stride=2, padding=2))
        self.MB_RB3 = nn.Sequential(_ResidualBlock(width))
        self.MB_1x1conv = nn.Sequential(nn.Conv2d(width, width, 1))

    def forward(self, x: Tensor) -> Tensor:
        fine = self.MB_RB1(x)
        coarse = self.MB_RB2(self.MB_Down(fine))
        mask: Tensor = self.MB_1x1conv(self.MB_RB3(fine + self.MB_Up(coarse)))
        return mask.sigmoid()


class _AttentionModule(nn.Module):
    """Trunk × mask, plus the way around both."""

    def __init__(self, width: int, inner: int | None) -> None:
        super().__init__()
        self.RA_RB1 = nn.Sequential(_ResidualBlock(width))
        self.RA_TB = nn.Sequential(_TrunkBranch(width))
        self.RA_MB = nn.Sequential(_MaskBranch(width, inner))
        self.RA_tail = nn.Sequential(_ResidualBlock(width), _ResidualBlock(width))

    def forward(self, x: Tensor) -> Tensor:
        x = self.RA_RB1(x)
        out: Tensor = self.RA_tail(self.RA_TB(x) * self.RA_MB(x) + x)
        return out


class _Group(nn.Module):
    """An attention module and a 3×3 convolution; exists for the published key names."""

    def __init__(self, width: int, inner: int | None = None) -> None:
        super().__init__()
        self.body = nn.Sequential(_AttentionModule(width, inner), nn.Conv2d(width, width, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.body(x)
        return out


class RNAN(nn.Module):
    """Takes N×C×h×w in 0–255 (h, w even), gives N×C×sh×sw.

    Args:
        width: maps, 64 in the paper.
        inner: maps inside the non-local blocks, half the width in the paper.
        groups: attention groups in all, 10 in the paper; the first and the last are non-local.
        scale: 2, 3, 4 or 8.
        channels: C.
    """

    def __init__(
        self, *, width: int = 64, inner: int = 32, groups: int = 10, scale: int = 4, channels: int = 3
    ) -> None:
        super().__init__()
        means = channel_means(channels, 255.0)
        self.sub_mean = MeanShift([-mean for mean in means])
        self.add_mean = MeanShift(means)
        self.head = nn.Sequential(nn.Conv2d(channels, width, 3, padding=1))
        self.body_nl_low = nn.Sequential(_Group(width, inner))
        self.body = nn.Sequential(*(_Group(width) for _ in range(groups - 2)), nn.Conv2d(width, width, 3, padding=1))
        self.body_nl_high = nn.Sequential(_Group(width, inner))
        self.tail = nn.Sequential(Upsampler(scale, width), nn.Conv2d(width, channels, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        """Super-resolve N×C×h×w."""
        shallow = self.head(self.sub_mean(x))
        deep = self.body_nl_high(self.body(self.body_nl_low(shallow)))
        sr: Tensor = self.add_mean(self.tail(deep + shallow))
        return sr


class RNANArchitecture(Architecture[RNAN]):
    """Recognises and opens the authors' super-resolution files."""

    def __init__(self) -> None:
        super().__init__(
            id="RNAN",
            detect=KeyCondition.has_all(
                "head.0.weight",
                "body_nl_low.0.body.0.RA_MB.0.MB_RB1.0.theta.weight",
                "body.0.body.0.RA_MB.0.MB_Up.0.weight",
                "body_nl_high.0.body.1.weight",
                "tail.0.0.weight",
                "tail.1.weight",
            ),
        )

    def load(self, state_dict: StateDict) -> ImageModelDescriptor[RNAN]:
        """Build the module that a state dict describes and fill it."""
        width, channels = state_dict["head.0.weight"].shape[:2]
        groups = count_blocks(state_dict, "body.{}.body.1.weight") + 2
        scale = upsampler_scale(state_dict, "tail.0", width)
        model = RNAN(
            width=width,
            inner=state_dict["body_nl_low.0.body.0.RA_MB.0.MB_RB1.0.theta.weight"].shape[0],
            groups=groups,
            scale=scale,
            channels=channels,
        )
        return ImageModelDescriptor(
            model,
            state_dict,
            architecture=self,
            purpose="SR",
            tags=[f"{width}nf", f"{groups}ng"],
            supports_half=False,
            supports_bfloat16=True,
            scale=scale,
            input_channels=channels,
            output_channels=channels,
            # The mask branch halves the grid and doubles it: an odd side would come back one pixel longer.
            size_requirements=SizeRequirements(multiple_of=2),
        )


ARCHITECTURE = RNANArchitecture()
FAMILY = Family(
    id="RNAN",
    name="RNAN",
    kind="non-local",
    paper="Y. Zhang, K. Li, K. Li, B. Zhong, Y. Fu, ICLR 2019, arXiv 1903.10082",
    receptive_field=lambda _: GLOBAL,  # non-local blocks
    value_range=lambda _: 255.0,  # whatever mean shift the file brings
    note="Works on 0–255; the mean shift comes with the file. Memory grows with the pixel count squared.",
)
