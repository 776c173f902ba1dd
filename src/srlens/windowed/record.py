"""Recording a network call while it runs.

A dispatch mode sees every ATen operator below autograd, with real tensors. Recording therefore costs only some 20 µs
an operator on top of a call that is made anyway; tracing with ``make_fx`` or ``torch.export`` takes 5–20 network
calls (measured: 0.3–9 s), and both fail on some networks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary

from srlens.windowed.graph import Graph, Node, Ref, map_arguments, pruned


class NotRecordableError(Exception):
    """The call cannot be repeated from its record; the message says why. Never leaves this package."""


@dataclass(frozen=True)
class _Known:
    """What is known of a live tensor: its value (None for a constant) and when its memory was last written."""

    value: int | None
    generation: int


# The same tensor in other words. detach is among them because autograd itself runs it on the results of view
# operators; a network's own detach is caught by comparing gradients.
_SAME = frozenset({"aten::alias", "aten::detach", "aten::lift_fresh"})


_VIEWS = frozenset({torch.ops.aten.view.default, torch.ops.aten._unsafe_view.default})


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Records what happens to one input within the ``with`` block.

    Operators that do not depend on the input are not recorded: their results (masks, position tables) are constants.
    In-place operators are recorded as their out-of-place twins. What cannot be repeated faithfully (random numbers,
    control flow that depends on pixel values, writing through overlapping views) is remembered as ``reason``, and
    the call itself goes on undisturbed.
    """

    def __init__(self, given: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.reason: str | None = None
        self._known: Any = WeakTensorKeyDictionary()
        self._generations: dict[int, int] = {}  # of the memory that was written to, by address
        self._written: list[Any] = []  # weak references to it: as long as they live, no other memory has its address
        self._held: set[int] = set()  # memory of the constants that nodes refer to
        self._nodes: list[Node] = []
        self._shapes: list[tuple[int, ...]] = []
        self._register(given)

    def graph(self, output: Tensor) -> Graph:
        """The record, ending in ``output``.

        Raises:
            NotRecordableError: the call cannot be repeated from its record.
        """
        if self.reason is not None:
            raise NotRecordableError(self.reason)
        value = self._value(output)
        if value is None:
            raise NotRecordableError("the output does not follow from the input by recorded operators")
        return pruned(Graph(tuple(self._nodes), tuple(self._shapes), 0, value))

    def __torch_dispatch__(
        self, func: OpOverload, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Run the operator, and note it."""
        named = dict(kwargs or {})
        if self.reason is not None:
            return func(*args, **named)
        try:
            described = self._describe(tuple(args), named)
        except NotRecordableError as error:
            self.reason = str(error)
            return func(*args, **named)
        result = func(*args, **named)
        try:
            self._note(func, tuple(args), described, result)
        except NotRecordableError as error:
            self.reason = str(error)
        except (RuntimeError, NotImplementedError) as error:  # a tensor without storage, say
            self.reason = f"{func._schema.name} cannot be recorded: {str(error).splitlines()[0]}"
        return result

    def _describe(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The arguments with values as Ref, or None if nothing depends on the input (before an operator writes)."""
        depends = False
        constants: list[int] = []

        def refer(tensor: Tensor) -> Any:
            nonlocal depends
            value = self._value(tensor)
            if value is None:
                constants.append(_memory(tensor))
                return tensor
            depends = True
            return Ref(value)

        described = map_arguments((args, kwargs), Tensor, refer)
        if not depends:
            return None
        self._held.update(constants)
        return described

    def _note(self, func: OpOverload, args: tuple[Any, ...], described: Any, result: Any) -> None:
        schema = func._schema
        if schema.is_mutable:
            self._note_writing(func, args, described, result)
            return
        if torch.Tag.nondeterministic_seeded in func.tags:
            raise NotRecordableError(f"it draws random numbers ({schema.name})")
        if described is None:
            map_arguments(result, Tensor, self._register_constant)
            return
        if schema.name in _SAME:
            self._known[result] = _Known(described[0][0].value, self._generation(result))
            return
        if _follows_values(func, described):
            raise NotRecordableError(f"its course depends on pixel values ({schema.name})")
        results = (result,) if isinstance(result, Tensor) else result
        if not isinstance(results, tuple | list) or not all(isinstance(r, Tensor) or r is None for r in results):
            raise NotRecordableError(f"its course depends on pixel values ({schema.name})")
        outputs = tuple(self._register(r) if r is not None else self._unused() for r in results)
        if isinstance(result, list):
            self._nodes += _pieces(func, described, result, outputs)
        else:
            # A view of a value fails where that lies in memory another way (a crop, channels last); reshape does not.
            operator = torch.ops.aten.reshape.default if func in _VIEWS else func
            self._nodes.append(Node(operator, described[0], described[1], outputs))

    def _note_writing(self, func: OpOverload, args: tuple[Any, ...], described: Any, result: Any) -> None:
        target = args[0] if args else None
        twin = _out_of_place(func)
        if not isinstance(target, Tensor) or result is not target or twin is None:
            raise NotRecordableError(f"it writes in place ({func._schema.name})")
        if described is None:
            if _memory(target) in self._held:
                raise NotRecordableError("it overwrites a constant that it has used")
            return  # a mask being painted, say: all views of it hold what it holds
        self._advance(target)
        args, kwargs = described
        self._nodes.append(Node(twin, args, kwargs, (self._register(target),)))

    def _value(self, tensor: Tensor) -> int | None:
        known: _Known | None = self._known.get(tensor)
        if self._generation(tensor) != (known.generation if known is not None else 0):
            # Another view of the same memory was written to since: what this tensor now holds was not recorded.
            raise NotRecordableError("it writes into one of several overlapping views")
        return known.value if known is not None else None

    def _register(self, tensor: Tensor) -> int:
        self._shapes.append(tuple(tensor.shape))
        value = len(self._shapes) - 1
        self._known[tensor] = _Known(value, self._generation(tensor))
        return value

    def _register_constant(self, tensor: Tensor) -> None:
        self._known[tensor] = _Known(None, self._generation(tensor))

    def _unused(self) -> int:
        self._shapes.append(())
        return len(self._shapes) - 1

    def _generation(self, tensor: Tensor) -> int:
        return self._generations.get(_memory(tensor), 0)

    def _advance(self, tensor: Tensor) -> None:
        key = _memory(tensor)
        if key not in self._generations:
            self._written.append(StorageWeakRef(tensor.untyped_storage()))  # type: ignore[no-untyped-call]
        self._generations[key] = self._generations.get(key, 0) + 1


def _memory(tensor: Tensor) -> int:
    """Identifies the memory that views share."""
    return int(tensor.untyped_storage()._cdata)


def _follows_values(func: OpOverload, described: Any) -> bool:
    """Whether the result's shape, or a Python number, is made of pixel values."""
    if func._schema.name == "aten::index":  # only with a mask: what is chosen by constants has a constant shape
        return any(isinstance(index, Ref) for index in described[0][1])
    return torch.Tag.data_dependent_output in func.tags or torch.Tag.dynamic_output_shape in func.tags


def _pieces(func: OpOverload, described: Any, results: list[Tensor], outputs: tuple[int, ...]) -> list[Node]:
    """Splitting as one slice or selection a piece, so that each piece can be asked for by itself."""
    args, kwargs = described
    whole = Node(func, args, kwargs, outputs)
    if whole.name not in ("split", "split_with_sizes", "unbind"):
        raise NotRecordableError(f"{func._schema.name} returns a list")
    dim: int = whole.bound["dim"]
    if whole.name == "unbind":
        select = torch.ops.aten.select.int
        return [Node(select, (args[0], dim, k), {}, (value,)) for k, value in enumerate(outputs)]
    nodes, start = [], 0
    for piece, value in zip(results, outputs, strict=True):
        stop = start + piece.shape[dim]
        nodes.append(Node(torch.ops.aten.slice.Tensor, (args[0], dim, start, stop), {}, (value,)))
        start = stop
    return nodes


def _out_of_place(func: OpOverload) -> OpOverload | None:
    """``relu`` for ``relu_``; None where there is no such twin."""
    namespace, _, name = func._schema.name.partition("::")
    if not name.endswith("_"):
        return None
    packet = getattr(getattr(torch.ops, namespace), name[:-1], None)
    twin = getattr(packet, func._overloadname, None) if packet is not None else None
    return twin if isinstance(twin, OpOverload) else None
