"""Noise, as denoisers are trained with it (K. Zhang et al., DnCNN, IEEE TIP 2017)."""

from torch import Tensor

from srlens.imaging.degradation import Degradation, white_noise
from srlens.imaging.degradations.blur import blurred, gaussian_kernel

#: σ in pixels of the filter that judges windows.
_JUDGE = 1.0


def _add_noise(clean: Tensor, _: int, level: float, seed: int) -> Tensor:
    return clean + white_noise(clean, level, seed)


def _smoothed(observed: Tensor, _: int) -> Tensor:
    """White noise is as strong everywhere: its lowest PSNR is chance. What smoothing loses is texture."""
    return blurred(observed, gaussian_kernel(_JUDGE))


ENTRY = Degradation(
    "noise",
    "white Gaussian noise, in float32, not clipped to [0, 1]",
    _add_noise,
    task="denoising",
    level="σ in 8-bit grey levels",
    reference_name="noisy picture",
    judge=_smoothed,
    judge_name=f"a Gaussian filter (σ {_JUDGE:g} px)",
    seeded=True,
)
