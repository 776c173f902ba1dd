"""Recording a network call while it runs.

A dispatch mode sees every ATen operator below autograd, with real tensors. Recording therefore costs only some 20 µs
an operator on top of a call that is made anyway; tracing with ``make_fx`` or ``torch.export`` takes 5–20 network
calls (measured: 0.3–9 s), and both fail on some networks.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor
from torch._ops import OpOverload
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary

from srlens.windowed.graph import Graph, Node, Ref, map_arguments


class NotRecordableError(Exception):
    """The call cannot be repeated from its record; the message says why. Never leaves this package."""


def last_written(tensor: Tensor) -> int | None:
    """Grows with every write to the tensor's memory; None where that is not counted (inference mode)."""
    return None if tensor.is_inference() else int(tensor._version)


# The same tensor in other words. detach is among them because autograd itself runs it on the results of view
# operators; a network's own is seen in UserCalls.
_SAME = frozenset({"alias", "detach", "lift_fresh"})
# The same elements in the same order in another shape. As recorded, most of them fail where the tensor lies in memory
# another way (a crop, channels last); reshape does not.
_RESHAPING = frozenset({"view", "_unsafe_view", "_reshape_alias", "squeeze", "unsqueeze"})


# What a module may do with a tensor that no operator tells of: its pixels become numbers, which would be constants in
# the record; or its gradient is stopped or changed, which values do not show.
_TENSOR: Any = Tensor  # its attributes' own functions are not in its type
_PIXELS = {Tensor.tolist, Tensor.numpy, Tensor.__array__, Tensor.data_ptr, Tensor.untyped_storage, Tensor.__dlpack__}
_STOPS = {Tensor.detach, torch.detach, Tensor.detach_, torch.detach_, _TENSOR.data.__get__}
_HOOKS = {Tensor.register_hook, _TENSOR.grad_fn.__get__}


class UserCalls(TorchFunctionMode):
    """Ends a call with NotRecordableError where it does with a tensor of the record what no operator tells of.

    Args:
        recorder: at work within the same block.
    """

    def __init__(self, recorder: "Recorder") -> None:
        super().__init__()
        self._recorder = recorder

    def __torch_function__(self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None) -> Any:
        """Look at what the module calls, and call it."""
        unseen = func in _PIXELS | _STOPS | _HOOKS
        if unseen and any(isinstance(one, Tensor) and one in self._recorder.known for one in args):
            name = func.__self__.__name__ if func.__name__ == "__get__" else func.__name__
            what = "stops the gradient" if func in _STOPS else "takes values or gradients out of PyTorch"
            self._recorder.known.clear()  # should the network take this for an error of its own, and go on
            raise NotRecordableError(f"it {what} ({name})")
        return func(*args, **(kwargs or {}))


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Records what happens to one input within the ``with`` block.

    Operators that do not depend on the input are not recorded: their results (masks, position tables) are constants.
    In-place operators are recorded as those out of place. What cannot be repeated faithfully (random numbers,
    control flow that depends on pixel values, writing through overlapping views) ends the call with
    NotRecordableError.

    Whether memory was written to is told by PyTorch's own counter, which all views of it share.

    Attributes:
        known: of each live tensor that follows from the input, its value, and last_written as that was made.
    """

    def __init__(self, given: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.known: Any = WeakTensorKeyDictionary()
        self._constants: list[tuple[Tensor, int | None]] = []  # that nodes refer to, likewise
        self._nodes: list[Node] = []
        self._shapes: list[tuple[int, ...]] = []
        self._register(given, given._version)

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # else the first operator imports the compiler: 1.7 s

    def graph(self, output: Tensor) -> Graph:
        """The record, ending in ``output``.

        Raises:
            NotRecordableError: the call cannot be repeated from its record.
        """
        if any(last_written(constant) != written for constant, written in self._constants):
            raise NotRecordableError("it overwrites a constant that it has used")
        value = self._value(output)
        if value is None:
            raise NotRecordableError("the output does not follow from the input by recorded operators")
        return Graph(tuple(self._nodes), tuple(self._shapes), value)

    def __torch_dispatch__(self, func: OpOverload, types: Any, args: Sequence[Any] = (), kwargs: Any = None) -> Any:
        """Run the operator, and note it."""
        named = dict(kwargs or {})
        result = func(*args, **named)
        try:
            self._note(func, tuple(args), named, result)
        except NotRecordableError:
            self.known.clear()  # likewise
            raise
        return result

    def _note(self, func: OpOverload, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        name = func._schema.name
        # Attention that drops nothing draws nothing.
        if torch.Tag.nondeterministic_seeded in func.tags and Node(func, args, kwargs, ()).bound.get("dropout_p") != 0:
            raise NotRecordableError(f"it draws random numbers ({name})")
        given, named = map_arguments((args, kwargs), Tensor, self._described)
        node = Node(func, given, named, ())
        if not node.inputs:  # a constant, be it one that is being painted
            return
        if not torch.is_grad_enabled():  # so too in an autograd function, whose derivative need not be its operators'
            raise NotRecordableError("it stops the gradient (no_grad)")
        map_arguments((given, named), Tensor, lambda t: self._constants.append((t, last_written(t))))
        if func._schema.is_mutable:
            operator = _out_of_place(func)
            if operator is None or result is not args[0]:
                raise NotRecordableError(f"it writes in place ({name})")
            # The counter grows when this operator is done.
            self._nodes.append(Node(operator, given, named, (self._register(result, result._version + 1),)))
            return
        written = args[0]._version if node.is_view else 0
        if node.name in _SAME:
            self.known[result] = (node.inputs[0], written)
            return
        results = [result] if isinstance(result, Tensor) else result
        tensors = isinstance(results, tuple | list) and all(isinstance(r, Tensor | None) for r in results)
        if not tensors or _follows_values(node):
            raise NotRecordableError(f"its course depends on pixel values ({name})")
        outputs = tuple(self._register(r, written) for r in results)
        if isinstance(result, list):
            self._nodes += _pieces(node, result, outputs)
        elif node.name in _RESHAPING:
            self._nodes.append(Node(torch.ops.aten.reshape.default, (given[0], list(result.shape)), {}, outputs))
        else:
            self._nodes.append(Node(func, given, named, outputs))

    def _described(self, tensor: Tensor) -> Tensor | Ref:
        value = self._value(tensor)
        return tensor if value is None else Ref(value)

    def _value(self, tensor: Tensor) -> int | None:
        value: int | None
        value, written = self.known.get(tensor, (None, None))
        if value is not None and last_written(tensor) != written:
            # Another view of the same memory was written to since: what this tensor now holds was not recorded.
            raise NotRecordableError("it writes into one of several overlapping views")
        return value

    def _register(self, tensor: Tensor | None, written: int) -> int:
        self._shapes.append(tuple(tensor.shape) if tensor is not None else ())
        value = len(self._shapes) - 1
        if tensor is not None:
            self.known[tensor] = (value, written)
        return value


def _follows_values(node: Node) -> bool:
    """Whether the result's shape, or a Python number, is made of pixel values."""
    if node.name == "index":  # only with a mask: what is chosen by constants has a constant shape
        return any(isinstance(index, Ref) for index in node.args[1])
    return torch.Tag.data_dependent_output in node.operator.tags or torch.Tag.dynamic_output_shape in node.operator.tags


def _pieces(node: Node, results: list[Tensor], outputs: tuple[int, ...]) -> list[Node]:
    """Splitting as one slice or selection a piece, so that each piece can be asked for by itself."""
    if node.name not in ("split", "split_with_sizes", "unbind"):
        raise NotRecordableError(f"{node.operator._schema.name} returns a list")
    given, dim = node.args[0], node.bound["dim"]
    if node.name == "unbind":
        select = torch.ops.aten.select.int
        return [Node(select, (given, dim, k), {}, (value,)) for k, value in enumerate(outputs)]
    stops = list(accumulate(piece.shape[dim] for piece in results))
    ends = zip([0, *stops], stops, outputs, strict=False)
    return [Node(torch.ops.aten.slice.Tensor, (given, dim, *cut), {}, (value,)) for *cut, value in ends]


def _out_of_place(func: OpOverload) -> OpOverload | None:
    """``relu`` for ``relu_``; None where there is no such operator."""
    namespace, _, name = func._schema.name.partition("::")
    packet = getattr(getattr(torch.ops, namespace), name.removesuffix("_"), None)
    found = getattr(packet, func._overloadname, None) if name.endswith("_") else None
    return found if isinstance(found, OpOverload) else None
