"""Several windows of one image: forward passes are shared."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from srlens.attribution.evaluator import Evaluator
from srlens.attribution.scene import Progress, Scene
from srlens.windowed import Windowed


class SeveralWindows(Scene):
    """The scene of several windows, with one forward pass an image.

    Args:
        evaluators: one a window, of one network and image size.
        windowed: what is known of that network.
        expected: gradients that will be asked for, of all windows together.
        image: see :class:`Scene`, as the rest; there windowed evaluation is proven.
        kept: what further windows may use.
        progress: called with each gradient.
    """

    evaluation = ""

    def __init__(
        self,
        evaluators: Sequence[Evaluator],
        windowed: Windowed,
        expected: int,
        image: Tensor,
        kept: dict[str, Any],
        progress: Progress | None,
    ) -> None:
        super().__init__(image, tuple(evaluator.window for evaluator in evaluators), kept, progress)
        self._evaluators = tuple(evaluators)
        self._first = evaluators[0]
        with self._first.differentiating():
            self._forward, self.evaluation = windowed.shared(
                self._first.as_given(image[None]),
                [evaluator.read for evaluator in evaluators],
                self._first.differentiate,
                expected,
            )

    def _gradients(self, images: Tensor) -> Tensor:
        return torch.stack([self._at_one(image[None]) for image in images])

    def _at_one(self, image: Tensor) -> Tensor:
        with self._first.differentiating():
            x = self._first.as_given(image).requires_grad_(True)
            common = self._forward.common(x.clone())
            gradients = []
            for k, evaluator in enumerate(self._evaluators):
                gradients.append(evaluator.backward(x, self._forward.patch(k, common)))
                self._tick(1)
            return torch.cat(gradients)

    def detect(self, images: Tensor) -> Tensor:
        """N×C×h×w to N×K, float64, CPU."""
        rows = []
        with torch.no_grad():
            for image in images:
                x = self._first.as_given(image[None])
                common = self._forward.common(x.clone())
                patches = (self._forward.patch(k, common) for k in range(len(self._evaluators)))
                rows.append(torch.cat([e.values(x, p) for e, p in zip(self._evaluators, patches, strict=True)]))
        return torch.stack(rows)
