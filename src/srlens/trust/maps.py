"""Maps that tests compare with one another: of few nodes where that is enough, with what they cost."""

from collections.abc import Callable, Sequence

from numpy.typing import ArrayLike
from torch import Tensor

from srlens.attribution.explainer import Explainer
from srlens.attribution.method import Method
from srlens.attribution.result import Attribution
from srlens.attribution.scene import Progress
from srlens.imaging.window import Window
from srlens.networks.network import Network

#: Forward passes that a gradient counts as: the forward pass, and a backward pass that costs about as much twice.
GRADIENT = 3


def with_steps(method: Method, steps: int) -> Method:
    """The method with so many fixed nodes where it would refine to a tolerance; any other as it is."""
    return method.but(steps=steps) if getattr(method.algorithm, "tolerance", None) is not None else method


def passes_of(*results: Attribution) -> int:
    """Forward passes that maps took, a gradient counted as :data:`GRADIENT`; several shared each forward pass."""
    of_one = 0 if results[0].method.algorithm.by_values else (GRADIENT - 1) * len(results)
    return results[0].evaluations * (1 + of_one)


def maps_of(
    network: Network,
    image: Tensor,
    windows: Sequence[Window],
    method: Method,
    *,
    clean: Tensor | ArrayLike | None = None,
    memory: int | None = None,
) -> list[Attribution]:
    """The maps of some windows, which share forward passes where the method can; zero maps like any other.

    Unlike :func:`srlens.attribute` it does not warn of a large completeness gap: maps of randomised networks and maps
    of few nodes are compared with one another, and none of them is shown.

    Raises:
        NotDifferentiableError, NotFiniteError, OutOfMemoryError: the evaluation failed.
    """
    return list(Explainer(network, image, method, clean=clean, memory=memory).windows(windows))


def counted(progress: Progress | None, every: int) -> Callable[[], None]:
    """What is called once for each of so many evaluations."""
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, every)

    return tick
