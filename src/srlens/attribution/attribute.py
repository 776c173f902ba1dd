"""The verb: attribute an SR window to the pixels of the LR image."""

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from srlens.attribution.arc import Clock
from srlens.attribution.batch import Batches
from srlens.attribution.detector import Detector
from srlens.attribution.gradient import Evaluator, SuperResolver
from srlens.attribution.integrate import Curve, Progress, integrate_fixed, integrate_to_tolerance
from srlens.attribution.path import Path
from srlens.attribution.quadrature import Parameterisation, Rule
from srlens.attribution.result import Attribution
from srlens.attribution.settings import Settings, resolve_settings
from srlens.errors import (
    ImageError,
    NotDifferentiableError,
    NotFiniteError,
    SettingError,
    WindowError,
    ZeroMapError,
)
from srlens.imaging.window import Window
from srlens.measures.concentration import absolute_map
from srlens.networks.frozen import frozen


def attribute(
    network: SuperResolver,
    image: Tensor | ArrayLike,
    window: Window,
    *,
    preset: str | None = None,
    tolerance: float = 0.05,
    steps: int | None = None,
    detector: str | Detector | None = None,
    path: str | Path | None = None,
    rule: str | Rule | None = None,
    parameterisation: Parameterisation | None = None,
    max_steps: int = 729,
    memory: int | None = None,
    progress: Progress | None = None,
    regional: bool = True,
) -> Attribution:
    """Compute the local attribution map (Gu & Dong, CVPR 2021) of one window of the SR image.

    ``map_i = ∫₀¹ ∂D(F(γ(α)))/∂γ(α)_i · ∂γ(α)_i/∂α dα``: the detector's change from the blurred baseline to the
    image, shared out among the LR pixels.

    Args:
        network: what is explained, from :func:`srlens.load_network` or :meth:`srlens.Network.wrap`.
        image: the LR image, C×h×w in [0, 1], tensor or array. RGB is converted for a luma network.
        window: in SR pixels.
        preset: ``"paper"`` for the published settings (σ 1.2, kernel 9, 50 steps uniform in σ, right Riemann rule,
            diffusion index with the authors' shift); settings given beside it take precedence.
        tolerance: bound on the estimated relative L2 error of the map; nodes are added until it holds.
        steps: a fixed number of nodes instead.
        detector: ``"gradient"`` (default), another name of ``srlens.DETECTORS``, or a :class:`srlens.Detector`.
        path: ``"progressive-blur"`` (default), ``"linear-blur"``, ``"linear-black"``, or a path object.
        rule: ``"midpoint"`` (default), ``"right-riemann"``, ``"gauss-legendre"``.
        parameterisation: ``"Laplacian arc length"`` (midpoint's default), ``"arc length"``, or ``"uniform"`` in the
            path's own parameter. It moves the nodes; the integral is the same.
        max_steps: limit of gradient evaluations when refining to a tolerance.
        memory: bytes that one batch of evaluations may take. Where one evaluation of the whole network takes more,
            the network is computed in segments that are computed again in the backward pass. None: one node at a
            time on the CPU, half of the free memory on a GPU.
        progress: called with (evaluations done, evaluations expected).
        regional: evaluate the network only where the window needs it, where that pays and where the first
            evaluation shows it to give the same; ``Attribution.evaluation`` tells what was done.

    Raises:
        WindowError, SettingError, ImageError, ImageTooSmallError, ChannelError: something given cannot be used.
        NotDifferentiableError, NotFiniteError, OutOfMemoryError: the evaluation failed.
        ZeroMapError: the map is zero everywhere (flat window, flat image, input ignored).
    """
    settings = resolve_settings(
        preset=preset,
        tolerance=tolerance,
        steps=steps,
        detector=detector,
        path=path,
        rule=rule,
        parameterisation=parameterisation,
        max_steps=max_steps,
    )
    if isinstance(network, nn.Module):
        raise SettingError(
            f"attribute takes a srlens.Network, got the bare module {type(network).__name__}. "
            "Wrap it first: srlens.Network.wrap(module, scale=…)."
        )
    if not isinstance(window, Window):
        raise WindowError(
            f"The window must be a srlens.Window (top, left, height, width in SR pixels), got {window!r}."
        )
    prepared = network.prepare(check_image(image).double())
    height, width = prepared.shape[-2:]
    settings.path.check(height, width)
    # Refinement to a tolerance makes 9 evaluations at least, and more as a rule.
    expected = settings.steps if settings.steps is not None else 21
    evaluator = Evaluator(
        network, settings.detector, window, height, width, regional=regional, expected=expected, memory=memory
    )
    with frozen(network.module):
        return _attribute(network, prepared, window, settings, evaluator, Batches(evaluator, memory), progress)


def _attribute(
    network: SuperResolver,
    image: Tensor,
    window: Window,
    settings: Settings,
    evaluator: Evaluator,
    gradients: Batches,
    progress: Progress | None,
) -> Attribution:
    ends_of_path = settings.path.at(image, torch.tensor([0.0, 1.0], dtype=torch.float64))
    if float((ends_of_path[1] - ends_of_path[0]).abs().max()) <= _NO_DIFFERENCE:
        raise ZeroMapError(
            f"The LR image equals the baseline of the path ({settings.path.name}), so its map is zero everywhere. The "
            "image is flat; choose one with structure, or another path."
        )
    curve = Curve(settings.path, image, Clock(settings.path, image, settings.parameterisation))
    if settings.tolerance is not None:
        integral = integrate_to_tolerance(curve, gradients, settings.tolerance, settings.max_steps, progress)
    else:
        assert settings.steps is not None
        integral = integrate_fixed(curve, gradients, settings.rule, settings.steps, progress)
    ends = evaluator.detect(ends_of_path)  # last, when it is known whether the window can be computed by itself
    if not integral.map.any() and abs(float(ends[1] - ends[0])) > 1e-6 * float(ends.abs().max()):
        raise NotDifferentiableError(
            f"Every gradient of {network.name} is zero, though the detector changes from {float(ends[0]):g} to "
            f"{float(ends[1]):g} along the path: the module rounds or thresholds its values. Remove that step."
        )
    absolute_map(integral.map.numpy())  # a zero map is an error here, not a black picture later
    return Attribution(
        map=np.array(integral.map.numpy()),
        window=window,
        detector_at_baseline=float(ends[0]),
        detector_at_image=float(ends[1]),
        map_error=integral.error,
        evaluations=evaluator.evaluations,
        converged=integral.converged,
        settings=settings,
        network=network.name,
        network_digest=network.digest,
        scale=network.scale,
        evaluation=evaluator.evaluation,
    )


def check_image(image: Tensor | ArrayLike) -> Tensor:
    """An image as C×h×w tensor on the CPU, floating point, finite, in [0, 1].

    Raises:
        ImageError: wrong shape, integer type, or values outside [0, 1].
        NotFiniteError: NaN or infinity; says where.
    """
    tensor = image.detach().cpu() if isinstance(image, Tensor) else _from_array(image)
    if tensor.ndim != 3 or 0 in tensor.shape:
        raise ImageError(f"The image must be C×h×w, got shape {tuple(tensor.shape)}. Take one image, channels first.")
    if not tensor.is_floating_point():
        raise ImageError(
            f"The image must be floating point in [0, 1], got {tensor.dtype}. Divide by 255, or use srlens.read_image."
        )
    bad = ~torch.isfinite(tensor)
    if bad.any():
        channel, row, column = (int(i) for i in bad.nonzero()[0])
        raise NotFiniteError(
            f"The image is NaN or infinite in {int(bad.sum())} of {bad.numel()} values; first at channel {channel}, "
            f"pixel (row {row}, column {column})."
        )
    low, high = float(tensor.min()), float(tensor.max())
    if low < -_OVERSHOOT or high > 1 + _OVERSHOOT:
        raise ImageError(
            f"Image values run from {low:g} to {high:g}; srlens takes [0, 1] for every network "
            "(value_range=255 is the network's own matter). Divide by the largest possible value."
        )
    return tensor


def _from_array(image: ArrayLike) -> Tensor:
    try:
        array = np.asarray(image)
    except ValueError as error:
        raise ImageError(f"The image is no array: {error}. Give C×h×w values in [0, 1].") from error
    if array.dtype.kind != "f":
        raise ImageError(
            f"The image must be floating point in [0, 1], got {array.dtype}. Divide by 255, or use srlens.read_image."
        )
    return torch.from_numpy(array.astype(np.float64))  # a copy; also from long double and foreign byte order


# A blurred flat image differs from itself by rounding, about 1e-16; one level of a 16-bit image is 1.5e-5.
_NO_DIFFERENCE = 1e-12

# Bicubic overshoots [0, 1] a little; 0–255 images exceed it by far.
_OVERSHOOT = 0.5
