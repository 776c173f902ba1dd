"""A detector that needs the ground truth: by how much the window's edges differ from those of the clean picture."""

from torch import Tensor

import srlens


def edge_error(patch: Tensor, clean: Tensor) -> Tensor:
    """N×C×h×w SR pixels of the window, and the same pixels of the clean picture, to N values."""
    error = patch - clean
    down, across = error[..., 1:, :-1] - error[..., :-1, :-1], error[..., :-1, 1:] - error[..., :-1, :-1]
    return (down.square() + across.square()).sum(dim=(1, 2, 3))


srlens.DETECTORS["edge-error"] = srlens.Detector(
    "edge-error", edge_error, margin=(0, 0, 1, 1), smallest=2, reads=("clean",)
)
