"""Several windows of one image: forward passes are shared."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from srlens.attribution.evaluator import Evaluator
from srlens.windowed import Windowed


class SeveralWindows:
    """Gradients and values of several windows at LR images, one forward pass an image; see :class:`Scene`.

    Args:
        evaluators: one a window, of one network and image size.
        windowed: what is known of that network.
        image: C×h×w, where windowed evaluation is proven.
        expected: gradients that will be asked for, of all windows together.
    """

    limit = 1

    def __init__(self, evaluators: Sequence[Evaluator], windowed: Windowed, image: Tensor, expected: int) -> None:
        self._evaluators = tuple(evaluators)
        self._first = evaluators[0]
        with self._first.differentiating():
            self._forward, self.evaluation = windowed.shared(
                self._first.as_given(image[None]),
                [evaluator.read for evaluator in evaluators],
                self._first.differentiate,
                expected,
            )

    def gradients(self, images: Tensor, tick: Callable[[int], None] = lambda _: None) -> Tensor:
        """N×C×h×w to N×K×C×h×w, float64, CPU; ``tick`` is told of each gradient."""
        return torch.stack([self._at_one(image[None], tick) for image in images])

    def _at_one(self, image: Tensor, tick: Callable[[int], None]) -> Tensor:
        with self._first.differentiating():
            x = self._first.as_given(image).requires_grad_(True)
            common = self._forward.common(x.clone())
            gradients = []
            for k, evaluator in enumerate(self._evaluators):
                gradients.append(evaluator.backward(x, self._forward.patch(k, common), keep_graph=True))
                tick(1)
            return torch.cat(gradients)

    def values(self, images: Tensor) -> Tensor:
        """N×C×h×w to N×K, float64, CPU."""
        rows = []
        with torch.no_grad():
            for image in images:
                x = self._first.as_given(image[None])
                common = self._forward.common(x.clone())
                rows.append(
                    torch.cat([e.values(x, self._forward.patch(k, common)) for k, e in enumerate(self._evaluators)])
                )
        return torch.stack(rows)
