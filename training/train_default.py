"""Train the networks that ship with srlens.

::

    python training/train_default.py trunk --out runs
    python training/train_default.py plain --out runs      # these three continue the trunk,
    python training/train_default.py channel --out runs    # on the same draws
    python training/train_default.py nonlocal --out runs

Each stage writes ``OUT/STAGE.safetensors``, the exponential moving average of the weights. ``--steps``
shortens a stage for a trial. No picture outside the scikit-image wheel is read, and none is used to choose a
checkpoint: the last average is the result.
"""

from loop import Stage, run
from photographs import PairSampler
from torch import nn

from srlens.networks.zoo.smallsr import WIDTH, ChannelAttention, NonLocalAttention, SmallSR


def plain() -> SmallSR:
    """Build the trunk alone: convolutions, a bounded receptive field."""
    return SmallSR(lambda _: nn.Identity())


def channel() -> SmallSR:
    """Build the trunk with global-average-pooling channel attention in each block."""
    return SmallSR(lambda _: ChannelAttention(WIDTH, hidden=WIDTH))


def nonlocal_() -> SmallSR:
    """Build the trunk with non-local attention over the whole image in every second block."""
    return SmallSR(lambda i: NonLocalAttention(WIDTH, embedding=WIDTH // 2) if i % 2 else nn.Identity())


BUILD = {"trunk": plain, "plain": plain, "channel": channel, "nonlocal": nonlocal_}

TRUNK = Stage(
    steps=6_000,
    horizon=12_000,
    rate=1.5e-3,
    last_rate=5e-4,
    attention_factor=1.0,
    sampler=lambda seed: PairSampler(lr_size=32, batch=16, seed=seed, soft_share=0.0),
    seed=1,
)
# Larger patches of differing sharpness: attention over the whole image has little to learn from a patch that
# the trunk sees whole, or from pictures that are all alike.
VARIANT = Stage(
    steps=5_000,
    horizon=5_000,
    rate=1e-3,
    last_rate=0.0,
    attention_factor=3.0,
    sampler=lambda seed: PairSampler(lr_size=48, batch=8, seed=seed, soft_share=0.5),
    seed=2,
)

if __name__ == "__main__":
    run(BUILD, TRUNK, VARIANT, __doc__)
