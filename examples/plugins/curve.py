"""A curve: slow at both ends, γ(α) = I' + (3α² − 2α³)(I − I'). Its paths are ``eased-blur``, ``eased-black``."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

import srlens


@dataclass(frozen=True)
class Eased:
    baseline: srlens.Baseline
    curve: ClassVar[str] = "eased"

    def at(self, image: Tensor, alpha: Tensor) -> Tensor:
        start = self.baseline.of(image)
        return start + (3 * alpha**2 - 2 * alpha**3)[:, None, None, None] * (image - start)


srlens.CURVES["eased"] = Eased
