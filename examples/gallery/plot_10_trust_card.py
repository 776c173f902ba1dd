"""
A trust card
============

Is the map true? Pixels are replaced, weights re-drawn, inputs disturbed; one card says what came of it. A small budget
does for an example.
"""

import srlens

network = srlens.load_default("channel")
clean = srlens.open_image("pagoda")[:, 112:240, 112:240]
image = srlens.make_lr(clean, 4)
found = srlens.verify(network, image, srlens.Window(56, 56, 16, 16), clean, budget="quick")
found.figure()

# %%
# The same in words, and as numbers:

for sentence in found.words:
    print(sentence)
print(found.reach.radius, found.deletion.gain_over_distance, found.infidelity.correlation)
