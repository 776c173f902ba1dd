"""The diffusion index over a whole image
======================================

One map is made for every window of a grid. Windows share their forward passes, so that the field costs a fraction of
separate maps.
"""

import srlens

network = srlens.load_default("nonlocal")
image = srlens.make_lr(srlens.open_image("pagoda")[:, 96:224, 64:192], 4)
field = srlens.field(network, image, size=16, stride=16, steps=4)
field.figure(lr=image)
