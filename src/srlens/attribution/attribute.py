"""The verbs: attribute one window of the SR image to the pixels of the LR image, or a grid of windows."""

from typing import Any

from numpy.typing import ArrayLike
from torch import Tensor

from srlens.attribution.explainer import Explainer
from srlens.attribution.field import Field
from srlens.attribution.method import Method, as_method
from srlens.attribution.result import Attribution
from srlens.attribution.scene import Progress
from srlens.imaging.window import Window
from srlens.networks.network import Network


def attribute(
    network: Network,
    image: Tensor | ArrayLike,
    window: Window,
    method: str | Method = "lam",
    *,
    clean: Tensor | ArrayLike | None = None,
    degradation: str | None = None,
    degradation_seed: int = 0,
    memory: int | None = None,
    regional: bool = True,
    seed: int | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> Attribution:
    """Compute a map of one window of the SR image; by default the local attribution map (Gu & Dong, CVPR 2021).

    Several windows of one image cost less by :class:`srlens.Explainer`, whose arguments these are.

    Args:
        network: what is explained, from :func:`srlens.load_network` or :meth:`srlens.Network.wrap`.
        image: the LR image, C×h×w in [0, 1], tensor or array. RGB is converted for a luma network. Of a network of
            clips T×C×h×w, as is the map then.
        window: in SR pixels.
        method: a name of :data:`srlens.METHODS`, or a :class:`srlens.Method`; settings given beside that change it.
        clean: the ground truth, C×sh×sw in [0, 1], for detectors that read it.
        degradation: how the image was made of the clean one; see :class:`srlens.Explainer`.
        degradation_seed: likewise.
        memory: bytes that one batch of evaluations may take; see :class:`srlens.Explainer`.
        regional: evaluate the network only where the window needs it, where that is proven to give the same.
        seed: of a network that draws random numbers; see :class:`srlens.Explainer`.
        progress: called with (evaluations done, evaluations expected).
        **settings: of the method. All take

            - ``preset``: ``"paper"`` for the published settings (σ 1.2, kernel 9, 50 steps uniform in σ, right Riemann
              rule, diffusion index with the authors' shift); settings given beside it take precedence;
            - ``detector``: ``"gradient"`` (default), another name of :data:`srlens.DETECTORS`, or a
              :class:`srlens.Detector`.

            Path integrals (``lam``, ``linear-blur``, ``ig-black``) take

            - ``tolerance``: bound on the estimated relative L2 error of the map, 0.05 by default; nodes are added until
              it holds;
            - ``steps``: a fixed number of nodes instead;
            - ``max_steps``: limit of gradient evaluations when refining, 729 by default;
            - ``path`` (``lam`` alone): ``"progressive-blur"`` (default), ``"linear-blur"``, ``"linear-black"``, or a
              path object;
            - ``sigma``, ``kernel``: of the baseline's blur, in LR pixels;
            - ``rule``: ``"midpoint"`` (default), ``"right-riemann"``, ``"gauss-legendre"``;
            - ``parameterisation``: ``"Laplacian arc length"`` (midpoint's default), ``"arc length"``, or ``"uniform"``
              in the path's own parameter. It moves the nodes; the integral is the same.

            ``occlusion`` takes ``block``, ``stride``, ``fill``, ``sigma``, ``kernel``; see
            :class:`~srlens.attribution.methods.occlusion.Occlusion`. ``causal-effect`` takes ``block``, ``patches``,
            ``draws``, ``coarse_draws``, ``threshold``, ``draw_seed``; see
            :class:`~srlens.attribution.methods.causal_effect.CausalEffect`.

    Raises:
        WindowError, SettingError, ImageError, ImageTooSmallError, ChannelError: something given cannot be used.
        NotDifferentiableError, NotFiniteError, OutOfMemoryError: the evaluation failed.
        ZeroMapError: the map is zero everywhere (flat window, flat image, input ignored).
    """
    given: dict[str, Any] = {"clean": clean, "degradation": degradation, "degradation_seed": degradation_seed}
    explainer = Explainer(network, image, method, **given, memory=memory, regional=regional, seed=seed, **settings)
    return explainer.window(window, progress=progress)


#: Nodes of every map of a field, unless others are given.
FIELD_STEPS = 12


def field_method(method: str | Method = "lam", **settings: Any) -> Method:
    """The method of a field: as of :func:`attribute`, but path integrals have a fixed number of steps.

    Windows that share their nodes share forward passes, which refinement to a tolerance would not allow.
    """
    chosen = as_method(method, settings)
    if getattr(chosen.algorithm, "tolerance", None) is not None and settings.get("tolerance") is None:
        return chosen.but(steps=FIELD_STEPS)
    return chosen


def field(
    network: Network,
    image: Tensor | ArrayLike,
    *,
    size: int = 16,
    stride: int | None = None,
    method: str | Method = "lam",
    clean: Tensor | ArrayLike | None = None,
    memory: int = 2**30,
    regional: bool = True,
    progress: Progress | None = None,
    **settings: Any,
) -> Field:
    """The diffusion index of a grid of windows over the whole SR image.

    The path is blurred once. Every forward pass is shared by all windows as far as the network is global; what is
    local is evaluated window by window, only where it is needed.

    Args:
        network: as for :func:`srlens.attribute`.
        image: the LR image, C×h×w in [0, 1].
        size: side of the windows, in SR pixels.
        stride: of the grid, in SR pixels; ``size`` by default, so that the windows tile the image.
        method: as for :func:`srlens.attribute`; path integrals have 12 steps unless others are given (``steps=50`` with
            the paper preset).
        clean: as for :func:`srlens.attribute`.
        memory: bytes that the maps in hand may take; fewer windows at once mean more forward passes.
        regional: evaluate only what a window needs, once that is verified to give the same.
        progress: called with (window evaluations done, all of them).
        **settings: of the method.

    Raises:
        As :func:`srlens.attribute`, but for ZeroMapError: a flat window has None for its numbers.
    """
    explainer = Explainer(network, image, field_method(method, **settings), clean=clean, regional=regional)
    return explainer.field(size=size, stride=stride, memory=memory, progress=progress)
