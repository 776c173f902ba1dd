"""
A network that samples
======================

A diffusion network goes from noise to its picture, and from other noise to another picture. With the noise fixed it has
a map like any network. Maps of several seeds tell what is the network's, and what is the noise's. Dashed: the causal
reach, beyond which pixels hardly change the window.
"""

import srlens

network = srlens.load_default("diffusion")
clean = srlens.open_image("pagoda")[:, 128:256, 128:256]
image = srlens.make_lr(clean, 4)
found = srlens.compare_seeds(network, image, srlens.Window(56, 56, 16, 16), clean=clean, seeds=2, steps=4, reach=True)
found.figure()

# %%
# One row a seed, and what holds over both. Attention is no gradient: here it tells something else than the map.

for row in found.rows:
    print(f"seed {row.result.facts['seed']}: DI {row.result.diffusion_index:.1f}, reach {row.reach.radius} LR pixels")
print(f"one sign in both seeds: {found.maps.stable_share:.0%} of the maps")
print(f"rank correlation of map and attention: {found.rank_correlation:.2f}")
