"""Does the order of networks depend on the blur?
==============================================

The baseline is the input blurred by a Gaussian of σ = 1.2 LR pixels. What if σ were another?
"""

import srlens

networks = [srlens.load_default(name) for name in ("plain", "channel", "nonlocal")]
image = srlens.make_lr(srlens.open_image("pagoda")[:, :192, :192], 4)
sweep = srlens.sweep(networks, image, srlens.Window(96, 96, 16, 16), setting="sigma", values=[0.6, 1.2, 2.4], steps=8)
sweep.figure()
