"""What an attribution returns: the map, the numbers drawn from it, and every condition they depend on."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srlens.attribution.path import path_settings
from srlens.attribution.settings import Settings
from srlens.imaging.window import Window
from srlens.measures import concentration


@dataclass(frozen=True, eq=False)
class Attribution:
    """The local attribution map of one network, image and window.

    Attributes:
        map: signed contribution of each LR pixel and channel to the detector's change from baseline to image,
            C×h×w, float64, read-only, in units of the detector. It sums to ``detector_at_image −
            detector_at_baseline`` up to the completeness gap.
        window: what was explained, in SR pixels.
        detector_at_image: D(F(I)).
        detector_at_baseline: D(F(I')).
        map_error: estimated L2 error of the map relative to its L2 norm; None with a single step. The estimate is
            meant to be within a factor of 3.
        evaluations: gradient evaluations made (one forward and one backward pass each).
        converged: False where refinement stopped at ``settings.max_steps`` before the tolerance.
        settings: how it was computed.
        network: name of the network.
        network_digest: SHA-256 of its weights.
        scale: SR pixels per LR pixel.
        evaluation: how the network was evaluated: ``"full"`` or ``"regional"``, with the reason if not regional.
    """

    map: NDArray[np.float64]
    window: Window
    detector_at_image: float
    detector_at_baseline: float
    map_error: float | None
    evaluations: int
    converged: bool
    settings: Settings
    network: str
    network_digest: str
    scale: int
    evaluation: str = "full"

    def __post_init__(self) -> None:
        self.map.setflags(write=False)

    @property
    def lr_size(self) -> tuple[int, int]:
        """Height and width of the LR image, in LR pixels."""
        return self.map.shape[1], self.map.shape[2]

    @property
    def read_window(self) -> Window:
        """What the detector reads: the window grown by its margin, cut off at the SR image; in SR pixels."""
        height, width = self.lr_size
        return self.window.grown(self.settings.detector.margin, height * self.scale, width * self.scale)

    @property
    def absolute(self) -> NDArray[np.float64]:
        """Channels summed, then absolute value: h×w, float64, in units of the detector."""
        values: NDArray[np.float64] = np.abs(self.map.sum(axis=0))
        values.setflags(write=False)
        return values

    @cached_property
    def diffusion_index(self) -> float:
        """Diffusion index, (1 − Gini)·100 of the absolute map; it depends on ``lr_size``: state both."""
        if self.settings.shifted_index:
            return concentration.shifted_diffusion_index(self.map)
        return concentration.diffusion_index(self.map)

    @cached_property
    def gini(self) -> float:
        """Exact Gini coefficient of the absolute map."""
        return concentration.gini(self.absolute)

    @cached_property
    def effective_pixels(self) -> float:
        """Effective number of LR pixels, (Σ|g|)²/Σg²; does not depend on the LR size."""
        return concentration.effective_pixels(self.map)

    @property
    def detector_change(self) -> float:
        """D(F(I)) − D(F(I')): what a complete map sums to."""
        return self.detector_at_image - self.detector_at_baseline

    @property
    def completeness_gap(self) -> float:
        """|Σ map − (D(F(I)) − D(F(I')))| relative to |D(F(I)) − D(F(I'))|; a small gap alone proves no small error."""
        residual = abs(float(self.map.sum()) - self.detector_change)
        return residual / abs(self.detector_change) if self.detector_change else float("inf") if residual else 0.0

    @property
    def conditions(self) -> str:
        """One line with every setting that the numbers depend on, for captions."""
        s = self.settings
        path = path_settings(s.path)
        path_text = str(path.pop("name")) + "".join(f", {_SIGNS.get(k, k)} {v}" for k, v in path.items())
        nodes = f"{s.rule.name} ({s.parameterisation}), {self.evaluations} steps"
        if s.tolerance is not None:
            nodes += f" (tolerance {s.tolerance:g})"
        height, width = self.lr_size
        return (
            f"{self.window}, ×{self.scale}, LR {height}×{width}, {s.detector.name} detector, {path_text}, {nodes}, "
            f"{s.preset} preset"
        )

    def record(self) -> dict[str, Any]:
        """Everything but the map, as plain values that JSON can hold."""
        s = self.settings
        return {
            "network": self.network,
            "weights_sha256": self.network_digest,
            "scale": self.scale,
            "lr_size": list(self.lr_size),
            "window": {
                "top": self.window.top,
                "left": self.window.left,
                "height": self.window.height,
                "width": self.window.width,
                "unit": "SR pixels",
            },
            "diffusion_index": self.diffusion_index,
            "diffusion_index_shifted": s.shifted_index,
            "gini": self.gini,
            "effective_pixels": self.effective_pixels,
            "detector_at_image": self.detector_at_image,
            "detector_at_baseline": self.detector_at_baseline,
            "completeness_gap": self.completeness_gap,
            "map_error": self.map_error,
            "evaluations": self.evaluations,
            "converged": self.converged,
            "evaluation": self.evaluation,
            "settings": {
                "preset": s.preset,
                "detector": s.detector.name,
                "path": path_settings(s.path),
                "rule": s.rule.name,
                "parameterisation": s.parameterisation,
                "steps": s.steps,
                "tolerance": s.tolerance,
                "max_steps": s.max_steps,
            },
        }


_SIGNS = {"sigma": "σ"}
