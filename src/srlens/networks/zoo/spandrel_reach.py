"""Receptive fields of modules that spandrel builds, read off the arguments they were built with.

Each function takes the loaded module. The paper's convention counts convolutions; it is given for networks
made of convolutions alone.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import chain
from typing import Any, cast

from torch import nn

from srlens.networks.receptive_field import GLOBAL, UNKNOWN, ReceptiveField, Stage
from srlens.networks.zoo.reading import convolutional, upsampler_stages
from srlens.networks.zoo.window_reach import Step, Window, trunk_stage


def arguments(module: nn.Module) -> Mapping[str, Any]:
    """All keyword arguments, defaults included, that spandrel built a module with."""
    return cast(Mapping[str, Any], module.hyperparameters)


def esrgan(module: nn.Module) -> ReceptiveField:
    """RRDBNet: 15 convolutions in a row per block; it may first fold pixels into channels (by 2 or 4)."""
    built = arguments(module)
    grid, scale = Fraction(1, built["shuffle_factor"] or 1), built["scale"]
    # "upconv" enlarges, then convolves; "pixel_shuffle" the other way round.
    enlarging = upsampler_stages(scale, grid, behind=built["upsampler"] == "upconv")
    return convolutional(Stage(grid, 1 + 15 * built["num_blocks"] + 1), *enlarging, Stage(grid * scale, 2))


def compact(module: nn.Module) -> ReceptiveField:
    """SRVGGNet: one convolution after another."""
    return convolutional(Stage(1, arguments(module)["num_conv"] + 2))


def dncnn(module: nn.Module) -> ReceptiveField:
    """DnCNN: one 3×3 convolution after another."""
    return convolutional(Stage(1, arguments(module)["nb"]))


def drunet(module: nn.Module) -> ReceptiveField:
    """DRUNet: residual blocks of two 3×3 convolutions on four grids, each half as fine as the one before."""
    built = arguments(module)
    if (built["downsample_mode"], built["upsample_mode"]) != ("strideconv", "convtranspose"):
        return UNKNOWN
    blocks = [Stage(Fraction(1, 2**k), 2 * built["nb"]) for k in (0, 1, 2, 3, 2, 1, 0)]
    return ReceptiveField(stages=(Stage(1, 1), *blocks, Stage(1, 1)), paper=None)


def span(module: nn.Module) -> ReceptiveField:  # noqa: ARG001 - all files have the same depth
    """SPAN: six blocks of three convolutions between two and one."""
    return convolutional(Stage(1, 1 + 6 * 3 + 1 + 1))


def plksr(module: nn.Module) -> ReceptiveField:
    """PLKSR and RealPLKSR: large kernels; global where a group norm takes its mean over the image."""
    if any(isinstance(layer, nn.GroupNorm) for layer in module.modules()):
        return GLOBAL
    if not isinstance(module.to_img, nn.PixelShuffle):
        return UNKNOWN  # DySample reads where the features tell it to
    blocks = [layer for layer in cast(nn.Sequential, module.feats) if hasattr(layer, "lk")]
    return convolutional(Stage(1, 1 + sum(_plk_block(block) for block in blocks) + 1))


def _plk_block(block: nn.Module) -> int:
    parts = dict(block.named_children())
    mixer = parts.get("channe_mixer", parts.get("channel_mixer"))  # the published key has lost a letter
    # The kernels of the large-kernel part work side by side, everything else in a row.
    return sum(_radii(mixer)) + max(_radii(parts["lk"])) + sum(_radii(parts["attn"]))


def _radii(part: nn.Module | None) -> list[int]:
    """Of all convolutions of a part."""
    found = [layer for layer in part.modules() if isinstance(layer, nn.Conv2d)] if part is not None else []
    return [max(d * (size - 1) // 2 for size, d in zip(c.kernel_size, c.dilation, strict=True)) for c in found]


def mosr(module: nn.Module) -> ReceptiveField:
    """MoSR: blocks of 3×3, k×k, 3×3."""
    built = arguments(module)
    if built["upsampler"] not in ("ps", "gps"):
        return UNKNOWN
    return convolutional(Stage(1, 1 + built["n_block"] * (2 + built["kernel_size"] // 2) + 2 + 1))


def swift_srgan(module: nn.Module) -> ReceptiveField:
    """SwiftSRGAN: 9×9 at both ends, two 3×3 a block."""
    built = arguments(module)
    scale = built["upscale_factor"]
    return convolutional(Stage(1, 4 + 2 * built["num_blocks"] + 1), *upsampler_stages(scale), Stage(scale, 4))


def safmn(module: nn.Module) -> ReceptiveField:
    """SAFMN: per block, maxima of 8×8 cells mixed with those around (15 pixels), then a 3×3 convolution.

    The input is a multiple of 8, so the cells are exact.
    """
    radius = 1 + arguments(module)["n_blocks"] * (15 + 1) + 1
    return ReceptiveField(stages=(Stage(1, radius),), paper=None)


def ditn(module: nn.Module) -> ReceptiveField:
    """DITN: attention within fixed patches, then dilated convolutions (2 + 9) and a 3×3 one per layer."""
    built = arguments(module)
    tail = (Stage(1, 1),)
    steps: list[Step] = [1]
    for _ in range(built["UFONE_blocks"]):
        steps += [Window(built["patch_size"]), 12 * built["SAL_blocks"]]
    return ReceptiveField(stages=(trunk_stage([*steps, 1], tail), *tail), paper=None)


def swin(module: nn.Module) -> ReceptiveField:
    """SwinIR and Swin2SR: attention in windows, every second layer shifted by half of one."""
    built = arguments(module)
    joint = 1 if built["resi_connection"] == "1conv" else 2
    groups = [[*_layers(built["window_size"], depth), joint] for depth in built["depths"]]
    return _windowed([1, *chain(*groups), joint], built, fold=built.get("start_unshuffle", 1))


def drct(module: nn.Module) -> ReceptiveField:
    """DRCT: groups of five attention layers, the second and fourth shifted."""
    built = arguments(module)
    groups = [_layers(built["window_size"], 5) for _ in built["depths"]]
    return _windowed([1, *chain(*groups), *[1] * (built["resi_connection"] == "1conv")], built, fold=1)


def _layers(window: int, depth: int) -> list[Step]:
    return [Window(window, window // 2 if i % 2 else 0) for i in range(depth)]


def _windowed(steps: Sequence[Step], built: Mapping[str, Any], fold: int) -> ReceptiveField:
    """A trunk and the reconstruction part, which most transformers took over from SwinIR."""
    grid, scale, upsampler = Fraction(1, fold), built["upscale"], built["upsampler"]
    tail = [Stage(grid, 1)]  # to the image, or to the width of the upsampler
    if upsampler == "pixelshuffle":
        tail += [*upsampler_stages(scale, grid), Stage(grid * scale, 1)]
    elif upsampler == "nearest+conv":
        tail += [*upsampler_stages(scale, grid, behind=True), Stage(grid * scale, 2)]
    elif upsampler not in ("", "pixelshuffledirect"):
        return UNKNOWN
    return ReceptiveField(stages=(trunk_stage(steps, tail, grid), *tail), paper=None)
