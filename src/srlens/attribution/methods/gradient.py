"""Gradients at the image itself: what an infinitesimal change of a pixel would do."""

from dataclasses import dataclass

from srlens.attribution.scene import Algorithm, Explanation, Scene


@dataclass(frozen=True)
class Gradient(Algorithm):
    """``map_i = ∂D(F(I))/∂I_i`` (saliency; Simonyan et al. 2014), signed, in units of the detector per unit of I."""

    @property
    def together(self) -> bool:
        """Windows share the forward pass."""
        return True

    def explain(self, scene: Scene) -> Explanation:
        """One gradient."""
        return Explanation(scene.gradients(scene.image[None])[0])


@dataclass(frozen=True)
class GradientInput(Algorithm):
    """``map_i = I_i · ∂D(F(I))/∂I_i`` (Shrikumar et al. 2017): the gradient times the pixel's value."""

    @property
    def together(self) -> bool:
        """Windows share the forward pass."""
        return True

    def explain(self, scene: Scene) -> Explanation:
        """One gradient, times the image."""
        return Explanation(scene.gradients(scene.image[None])[0] * scene.image)
