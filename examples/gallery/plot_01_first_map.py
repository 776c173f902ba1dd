"""A first map
===========

One network, one window: which pixels of the input did the network take the window's edges from?
"""

import srlens

network = srlens.open_network("plain")  # a file of yours is opened the same way
clean = srlens.open_image("pagoda")  # a packaged photograph
image = srlens.make_lr(clean, network.scale)
window = srlens.Window(top=168, left=168, height=16, width=16)  # SR pixels

result = srlens.attribute(network, image, window)
result.figure(subject=srlens.Subject.of(image, network.scale))

# %%
# Red pixels made the window's edges stronger as the blurred input was sharpened, blue ones weaker. The map sums to the
# detector's change from the blurred input to the image; by how much it misses is the completeness gap.

print(f"diffusion index {result.diffusion_index:.2f} at LR {result.lr_size}")
print(f"completeness gap {result.completeness_gap:.2%}")
print(f"map error {result.map_error:.2%}, estimated")
print(f"sum of the map {result.map.sum():.4f}")
change = result.detector_at_image - result.detector_at_baseline
print(f"change of the detector {change:.4f}")
