"""I2AM's maps: cross-attention of a network, by step, head and layer (Park & Jang, ICLR 2025, arXiv 2407.12331)."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from srlens.errors import SettingError
from srlens.imaging.window import Window
from srlens.measures.imacs import footprint, imacs

Direction = Literal["sram", "g2r", "r2g"]
Map = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LayerAttention:
    """Attention of one layer, means over the steps of each group: groups × heads × rows × columns, float64, read-only.

    Attributes:
        name: of the layer.
        sram: what the window's places read of each place of the LR picture; sums to 1.
        g2r: what all places read of it, likewise.
        r2g: the share that each place of the output takes of what is read, likewise.
    """

    name: str
    sram: Map
    g2r: Map
    r2g: Map

    def __post_init__(self) -> None:
        for values in (self.sram, self.g2r, self.r2g):
            values.setflags(write=False)


@dataclass(frozen=True, eq=False)
class AttentionMaps:
    """What the cross-attention of one network read for one picture, and for one window of its output.

    Maps are on the LR grid, h×w, high where much is read (``sram``, ``g2r``) or taken (``r2g``): nothing is inverted.
    (The authors' code shows R2G as one minus the map.) Layers of other sizes are brought to the LR grid by bicubic
    interpolation and clamped at 0. The paper sums over steps; here it is their mean, another factor. Attention is no
    gradient: it says where a layer looks, not what the output would be without that.

    Attributes:
        network: its name.
        window: in SR pixels.
        scale: SR pixels per LR pixel.
        lr_size: height and width of the LR picture.
        padded_size: the same with the padding that the network needs; the grids of the layers cover this.
        seed: of the noise; None where the network does not sample.
        steps: how many fell into each group, in the order of the steps.
        layers: those whose keys are places of the picture.
    """

    network: str
    window: Window
    scale: int
    lr_size: tuple[int, int]
    padded_size: tuple[int, int]
    seed: int | None
    steps: tuple[int, ...]
    layers: tuple[LayerAttention, ...]

    @property
    def sram(self) -> Map:
        """The window's own map, over all steps, heads and layers: h×w."""
        return self.unified("sram")

    @property
    def imacs(self) -> float:
        """IMACS of :attr:`sram`, the mask being the LR pixels under the window: in [−3, 1]."""
        return imacs(self.sram, footprint(self.window.on_lr(self.scale), *self.lr_size))

    def unified(self, direction: Direction) -> Map:
        """Over all steps, heads and layers (ULAM): h×w."""
        return self._mean(self.by_layer(direction))

    def by_step(self, direction: Direction) -> Map:
        """Of each group of steps (TLAM), over heads and layers: groups×h×w."""
        groups: Map = np.mean([one.mean(axis=1) for one in self._on_lr(direction)], axis=0)
        return groups

    def by_head(self, direction: Direction) -> Map:
        """Of each head (HLAM), over steps and layers: heads×h×w.

        Raises:
            SettingError: the layers differ in their number of heads.
        """
        counts = {layer.g2r.shape[1] for layer in self.layers}
        if len(counts) > 1:
            raise SettingError(f"The layers have {sorted(counts)} heads, which cannot be told apart over all layers.")
        heads: Map = np.mean([self._over_steps(one) for one in self._on_lr(direction)], axis=0)
        return heads

    def by_layer(self, direction: Direction) -> Map:
        """Of each layer (LLAM), over steps and heads: layers×h×w, in the order of ``layers``."""
        return np.stack([self._over_steps(one).mean(axis=0) for one in self._on_lr(direction)])

    @staticmethod
    def _mean(maps: Map) -> Map:
        mean: Map = maps.mean(axis=0)
        mean.setflags(write=False)
        return mean

    def _over_steps(self, maps: Map) -> Map:
        mean: Map = np.average(maps, axis=0, weights=self.steps)
        return mean

    def _on_lr(self, direction: Direction) -> list[Map]:
        """Of each layer, groups × heads × h×w."""
        if direction not in get_args(Direction):
            raise SettingError(f"direction must be one of {', '.join(get_args(Direction))}, got {direction!r}.")
        return [self._resized(getattr(layer, direction)) for layer in self.layers]

    def _resized(self, maps: Map) -> Map:
        if maps.shape[-2:] != self.padded_size:
            given = torch.tensor(maps)
            maps = torch.nn.functional.interpolate(given, self.padded_size, mode="bicubic").clamp(min=0).numpy()
        return maps[..., : self.lr_size[0], : self.lr_size[1]]
