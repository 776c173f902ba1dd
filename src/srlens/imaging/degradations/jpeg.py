"""JPEG, by Pillow's encoder."""

import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from srlens.errors import ImageError, SettingError
from srlens.imaging.degradation import Degradation

_SUBSAMPLINGS = ("4:2:0", "4:2:2", "4:4:4")


def _compress(clean: Tensor, _: int, level: float, seed: int, subsampling: str) -> Tensor:  # noqa: ARG001 - as `observe`
    if subsampling not in _SUBSAMPLINGS or level != int(level):
        raise SettingError(
            f"JPEG takes a whole quality and a subsampling of {', '.join(_SUBSAMPLINGS)}; got {level:g} and "
            f"{subsampling!r}."
        )
    if clean.shape[0] not in (1, 3):
        raise ImageError(f"JPEG takes grey or RGB pictures; this one has {clean.shape[0]} channels.")
    pixels = (255 * clean.clamp(0, 1)).round().to(torch.uint8).movedim(0, -1).cpu().numpy()
    file = io.BytesIO()
    picture = Image.fromarray(pixels[..., 0] if clean.shape[0] == 1 else pixels)
    picture.save(file, format="JPEG", quality=int(level), subsampling=subsampling if clean.shape[0] == 3 else -1)
    decoded = torch.from_numpy(np.array(Image.open(file), dtype=np.float32)).reshape(*clean.shape[1:], -1)
    return (decoded.movedim(-1, 0) / 255).to(clean)


ENTRY = Degradation(
    "jpeg",
    "JPEG by Pillow's encoder, chroma halved both ways unless said; decoded in 8 bits",
    _compress,
    task="JPEG artefact removal",
    level="quality, a whole number",
    reference_name="JPEG picture",
    usual=10,
    least=1,
    most=100,
    settings={"subsampling": "4:2:0"},
)
