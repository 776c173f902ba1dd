"""A baseline: one grey level everywhere. Its path is ``linear-grey`` with the setting ``level``."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

import srlens


@dataclass(frozen=True)
class Grey:
    level: float = 0.5
    name: ClassVar[str] = "grey"

    def of(self, image: Tensor) -> Tensor:
        return torch.full_like(image, self.level)


srlens.BASELINES["grey"] = Grey
