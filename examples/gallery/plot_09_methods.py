"""
Methods side by side
====================

One network at one window, explained by several methods (Figures 3 and 4 of the paper). Units differ, so that each map
is divided by its mass; beside each stands how faithful it is: whether replacing pixels in the map's order changes the
window sooner than replacing the nearest first.
"""

import srlens

network = srlens.load_default("nonlocal")
clean = srlens.open_image("pagoda")[:, 112:240, 112:240]
image = srlens.make_lr(clean, 4)
methods = ("lam", "linear-blur", "ig-black", "gradient", "gradient-input", "occlusion")
found = srlens.compare_methods(network, image, srlens.Window(56, 56, 16, 16), methods, clean=clean, steps=12)
found.figure()

# %%
# A gain above 0 is better than "near first".

for row in found.rows:
    gain = row.faithfulness.over("distance")
    print(f"{row.result.method.name:15} DI {row.result.diffusion_index:6.2f}   gain over distance {gain:+.3f}")
