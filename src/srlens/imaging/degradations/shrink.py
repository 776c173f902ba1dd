"""Super-resolution: smaller pictures, in the three ways of the field; doing nothing is bicubic enlargement."""

from collections.abc import Callable
from functools import partial

from torch import Tensor

from srlens.imaging.degradation import Degradation
from srlens.imaging.resample import bicubic_downscale, bicubic_upscale, matlab_downscale_uint8, pil_downscale

#: How the LR is made unless something else is asked for: as a file would hold it, like the LR that networks are
#: published with. On the overshoot of unrounded bicubic some of them diverge.
DEFAULT = "matlab-uint8"

super_resolution = partial(
    Degradation, task="super-resolution", scale=None, reference=bicubic_upscale, reference_name="bicubic"
)


def _shrink(resize: Callable[[Tensor, int], Tensor]) -> Callable[..., Tensor]:
    return lambda clean, scale, *_: resize(clean, scale)


ENTRIES = (
    super_resolution(
        DEFAULT, "MATLAB's bicubic on 8-bit images, as public LR sets were made: the default",
        _shrink(matlab_downscale_uint8),
    ),
    super_resolution(
        "bicubic-float", "MATLAB's bicubic in floating point: differentiable, overshoots [0, 1]",
        _shrink(bicubic_downscale),
    ),
    super_resolution("pil", "Pillow's bicubic, 8 bits: the LR of the paper's demo", _shrink(pil_downscale)),
)  # fmt: skip
