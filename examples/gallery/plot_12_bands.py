"""
A picture of many bands
=======================

A network of six bands: its first output band mixes bands 1 and 4. The map has a part for each band, and their shares
say which bands the window was made from.
"""

import torch
from torch import nn

import srlens

torch.manual_seed(0)
module = nn.Conv2d(6, 6, 5, padding=2, bias=False)
with torch.no_grad():
    module.weight.mul_(0.02)
    module.weight[0, 0] += 0.03
    module.weight[0, 3] += 0.05

photograph = srlens.open_image("hopper")[:, 64:128, 64:128]
picture = torch.cat([photograph, photograph.flip(0).square()])  # six bands
network = srlens.Network.wrap(module, scale=1, channels=6, name="six bands")
result = srlens.attribute(network, picture, srlens.Window(24, 24, 16, 16))
srlens.parts_figure(result, srlens.Subject.of(picture, 1))

# %%
# The share of each band in the absolute map:

for band, share in enumerate(result.shares, start=1):
    print(f"band {band}: {share:.1%}")
