"""One row of a study's results: its columns, their types, and how they are measured."""

import json
from typing import TYPE_CHECKING, Any

from torch import Tensor

from srlens._version import __version__
from srlens.attribution.result import Attribution
from srlens.comparison.crop import Crop
from srlens.imaging.colour import match_channels
from srlens.imaging.resample import bicubic_upscale
from srlens.imaging.window import Window
from srlens.measures.extent import mass_area, mass_radius, used_fraction
from srlens.measures.quality import psnr, ssim, window_psnr
from srlens.measures.texture import Texture, describe_texture
from srlens.networks.network import Network
from srlens.study.job import Job

if TYPE_CHECKING:
    import polars

_TEXTURE = ("contrast", "coherence", "orientation", "peak_share", "peak_wavelength", "edge_density")

TEXT_COLUMNS = (
    *("job", "place", "network", "network_digest", "family", "kind", "receptive_field"),
    *("image", "image_sha256", "degradation", "evaluation", "device", "conditions", "settings", "srlens"),
)
WHOLE_COLUMNS = (
    *("receptive_field_pixels", "top", "left", "height", "width", "scale", "parameters"),
    *("lr_top", "lr_left", "lr_height", "lr_width", "evaluations", "threads"),
)
REAL_COLUMNS = (
    *("receptive_field_side", "receptive_field_used", "diffusion_index", "gini", "effective_pixels"),
    *("area50", "area90", "area95", "radius_mean", "radius_rms"),
    *("psnr_window", "psnr_image", "ssim_image", "lpips", "bicubic_psnr_window", "bicubic_psnr_image"),
    *("completeness_gap", "map_error", "detector_at_image", "detector_at_baseline"),
    *(f"window_{name}" for name in _TEXTURE),
    *(f"around_{name}" for name in _TEXTURE),
)
TRUTH_COLUMNS = ("converged", "receptive_field_global")

SURROUNDINGS = 3
"""Side of the surroundings whose texture is described, in sides of the window."""


def schema() -> dict[str, Any]:
    """Polars types of the columns, in their order."""
    import polars

    return {
        **dict.fromkeys(TEXT_COLUMNS, polars.String),
        **dict.fromkeys(WHOLE_COLUMNS, polars.Int64),
        **dict.fromkeys(REAL_COLUMNS, polars.Float64),
        **dict.fromkeys(TRUTH_COLUMNS, polars.Boolean),
    }


def to_frame(rows: list[dict[str, Any]]) -> "polars.DataFrame":
    """Rows as a data frame with every column; what a row lacks is null.

    Raises:
        ValueError: a row has a column that is not among them.
    """
    import polars

    columns = schema()
    for row in rows:
        if unknown := set(row) - set(columns):
            raise ValueError(f"unknown columns {sorted(unknown)}")
    return polars.DataFrame({name: [row.get(name) for row in rows] for name in columns}, schema=columns)


def measure_row(
    job: Job, network: Network, crop: Crop, sr: Tensor, result: Attribution, *, threads: int, lpips: float | None
) -> dict[str, Any]:
    """Everything that is known of a finished job, flat."""
    window, scale = job.window, result.scale
    seen = _visible_pixels(network, result)
    area95 = mass_area(result.map, 0.95)
    radius = mass_radius(result.map, result.window.on_lr(scale))
    field = network.receptive_field
    lr_height, lr_width = result.lr_size
    return {
        "job": job.id,
        "place": job.place_id,
        "network": network.name,
        "network_digest": job.network.digest,
        "family": network.family,
        "kind": network.kind,
        "parameters": network.parameters,
        "receptive_field": str(field),
        "receptive_field_side": field.true if field.known else None,
        "receptive_field_global": field.is_global if field.known else None,
        "receptive_field_pixels": seen,
        "receptive_field_used": used_fraction(area95, seen) if seen is not None else None,
        "image": job.image.name,
        "image_sha256": job.image.digest,
        "degradation": job.image.degradation if job.image.given == "hr" else "given",
        "top": window.top,
        "left": window.left,
        "height": window.height,
        "width": window.width,
        "scale": scale,
        "lr_top": crop.top,
        "lr_left": crop.left,
        "lr_height": lr_height,
        "lr_width": lr_width,
        "diffusion_index": result.diffusion_index,
        "gini": result.gini,
        "effective_pixels": result.effective_pixels,
        "area50": mass_area(result.map, 0.50),
        "area90": mass_area(result.map, 0.90),
        "area95": area95,
        "radius_mean": radius.mean,
        "radius_rms": radius.rms,
        **_quality(sr, crop, scale),
        "lpips": lpips,
        "completeness_gap": result.completeness_gap,
        "map_error": result.map_error,
        "detector_at_image": result.detector_at_image,
        "detector_at_baseline": result.detector_at_baseline,
        "evaluations": result.evaluations,
        "converged": result.converged,
        "evaluation": result.evaluation,
        "device": network.device.type,
        "threads": threads,
        "conditions": result.conditions,
        "settings": json.dumps(result.method.to_record(), sort_keys=True),
        "srlens": __version__,
        **_textures(crop, scale),
    }


def _visible_pixels(network: Network, result: Attribution) -> int | None:
    """LR pixels of the crop that can reach the window by the architecture; None where that is unknown."""
    field = network.receptive_field
    if not field.known:
        return None
    height, width = result.lr_size
    scale = result.scale
    read = result.read_window
    top, bottom = field.footprint(read.top, read.bottom, scale, height)
    left, right = field.footprint(read.left, read.right, scale, width)
    return (bottom - top) * (right - left)


def _quality(sr: Tensor, crop: Crop, scale: int) -> dict[str, float | None]:
    if crop.hr is None:
        return {}
    hr = match_channels(crop.hr, sr.shape[0])
    w = crop.window
    bounds = (w.top, w.left, w.bottom, w.right)
    bicubic = match_channels(bicubic_upscale(crop.lr, scale).clamp(0, 1), sr.shape[0])
    return {
        "psnr_window": window_psnr(sr, hr, bounds),
        "psnr_image": psnr(sr, hr, border=scale),
        "ssim_image": ssim(sr, hr, border=scale),
        "bicubic_psnr_window": window_psnr(bicubic, hr, bounds),
        "bicubic_psnr_image": psnr(bicubic, hr, border=scale),
    }


def _textures(crop: Crop, scale: int) -> dict[str, float | None]:
    """Texture of the window and of its surroundings, in HR (bicubic's enlargement where HR is not known)."""
    picture = crop.hr if crop.hr is not None else bicubic_upscale(crop.lr, scale).clamp(0, 1)
    grey = match_channels(picture, 1) if picture.shape[0] == 3 else picture.mean(dim=0, keepdim=True)
    height, width = grey.shape[-2:]
    window = crop.window
    margin = (max(window.height, window.width) * (SURROUNDINGS - 1)) // 2
    found = {}
    for prefix, part in (("window", window), ("around", window.grown((margin,) * 4, height, width))):
        found.update(_texture(prefix, grey, part))
    return found


def _texture(prefix: str, grey: Tensor, part: Window) -> dict[str, float | None]:
    if min(part.height, part.width) < 8:  # the smallest that has a texture
        return {}
    texture: Texture = describe_texture(part.crop(grey[0]).double().numpy())
    return {f"{prefix}_{name}": getattr(texture, name) for name in _TEXTURE}
