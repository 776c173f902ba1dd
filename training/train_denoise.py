"""Train the denoisers that ship with srlens.

::

    python training/train_denoise.py trunk --out runs
    python training/train_denoise.py denoise-plain --out runs       # these two continue the trunk,
    python training/train_denoise.py denoise-nonlocal --out runs    # on the same draws

Each stage writes ``OUT/STAGE.safetensors``, the exponential moving average of the weights. ``--steps``
shortens a stage for a trial. No picture outside the scikit-image wheel is read, and none is used to choose a
checkpoint: the last average is the result.
"""

from loop import Stage, run
from photographs import NoisySampler
from torch import nn

from srlens.networks.zoo.smalldn import WIDTH, SmallDN
from srlens.networks.zoo.smallsr import NonLocalAttention


def plain() -> SmallDN:
    """Build the trunk alone: convolutions, a bounded receptive field."""
    return SmallDN(lambda _: nn.Identity())


def nonlocal_() -> SmallDN:
    """Build the trunk with non-local attention over the whole image in every second block."""
    return SmallDN(lambda i: NonLocalAttention(WIDTH, embedding=WIDTH // 2) if i % 2 else nn.Identity())


BUILD = {"trunk": plain, "denoise-plain": plain, "denoise-nonlocal": nonlocal_}

TRUNK = Stage(
    steps=4_000,
    horizon=24_000,
    rate=2e-3,
    last_rate=3e-4,
    attention_factor=1.0,
    sampler=lambda seed: NoisySampler(side=64, batch=16, seed=seed),
    seed=1,
)
# Larger patches: attention over the whole image has little to learn from a patch that the trunk sees whole.
VARIANT = Stage(
    steps=2_000,
    horizon=2_000,
    rate=1e-3,
    last_rate=0.0,
    attention_factor=3.0,
    sampler=lambda seed: NoisySampler(side=96, batch=8, seed=seed),
    seed=2,
)

if __name__ == "__main__":
    run(BUILD, TRUNK, VARIANT, __doc__)
