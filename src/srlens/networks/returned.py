"""What a module returned as the one picture that counts, or an error that says what is wrong with it."""

from typing import Any

from torch import Tensor

from srlens.errors import NetworkOutputError


def the_picture(returned: Any, given: Tensor, scale: int, name: str) -> Tensor:
    """The tensor N×C'×sh×sw that a module made of ``given``, N×C×h×w: itself, or the first of a tuple or list.

    Raises:
        NetworkOutputError: another shape, no tensor, or a list of several of one size, which may be steps.
    """
    shapes = [one.shape for one in returned if isinstance(one, Tensor)] if isinstance(returned, list) else []
    if len(shapes) > 1 == len(set(shapes)):
        raise NetworkOutputError(
            f"{name} returned a list of {len(shapes)} tensors of one size, {tuple(shapes[0])}. Say which "
            "counts, e.g. the last: forward=lambda module, x: module(x)[-1]."
        )
    if isinstance(returned, tuple | list) and returned:
        returned = returned[0]
    expected = (given.shape[0], given.shape[-2] * scale, given.shape[-1] * scale)
    if isinstance(returned, Tensor) and returned.ndim == 4 and (returned.shape[0], *returned.shape[-2:]) == expected:
        return returned
    got = tuple(returned.shape) if isinstance(returned, Tensor) else type(returned).__name__
    raise NetworkOutputError(
        f"{name} returned {got} for an input of {tuple(given.shape)}; at scale {scale} the "
        f"expected output is N×C×H×W with N, H, W = {expected}. Check `scale`, or pass `forward=`."
    )
