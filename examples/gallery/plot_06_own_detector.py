"""Your own detector
=================

What is explained is a number drawn from the window. The paper's is the sum of the gradient magnitude. Here is another:
vertical edges alone.
"""

from torch import Tensor

import srlens


def vertical_edges(patch: Tensor) -> Tensor:
    """N×C×h×w pixels of the window to N values: the energy of horizontal differences."""
    return (patch[..., :, 1:] - patch[..., :, :-1]).square().sum(dim=(1, 2, 3))


network = srlens.load_default("channel")
image = srlens.make_lr(srlens.open_image("pagoda"), 4)
window = srlens.Window(168, 168, 16, 16)
subject = srlens.Subject.of(image, network.scale)
detector = srlens.Detector("vertical-edges", vertical_edges)
srlens.attribute(network, image, window, detector=detector).figure(subject=subject)

# %%
# Against the paper's detector at the same window:

srlens.attribute(network, image, window).figure(subject=subject)
