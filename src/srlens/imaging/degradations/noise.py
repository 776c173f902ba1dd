"""Noise, as denoisers are trained with it (K. Zhang et al., DnCNN, IEEE TIP 2017)."""

from torch import Tensor

from srlens.imaging.degradation import Degradation, white_noise


def _add_noise(clean: Tensor, _: int, level: float, seed: int) -> Tensor:
    return clean + white_noise(clean, level, seed)


ENTRY = Degradation(
    "noise",
    "white Gaussian noise, in float32, not clipped to [0, 1]",
    _add_noise,
    level="σ in 8-bit grey levels",
    reference_name="noisy picture",
    seeded=True,
)
