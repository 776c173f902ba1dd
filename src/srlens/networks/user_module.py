"""Networks from the user's own code: ``package.module:factory``."""

import importlib
import sys
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import torch
from torch import nn

from srlens.errors import ModuleError, SettingError, SrlensError
from srlens.networks.device import Device
from srlens.networks.differentiable import ensure_differentiable
from srlens.networks.frozen import settle
from srlens.networks.likeness import warn_where_unlike
from srlens.networks.network import Network


def load_module_network(
    spec: str, *, name: str | None = None, device: Device = None, dtype: torch.dtype | None = None, **facts: Any
) -> Network:
    """Import ``package.module`` and call its ``factory``.

    **This executes the user's own code**, so it happens only where the caller asks for it.

    The module is looked for in the current folder first, then on ``sys.path``. The factory takes no argument and
    returns an ``nn.Module`` with its weights loaded, or a ready :class:`Network` (which can say more: padding,
    colour, a ``forward`` of its own).

    Args:
        spec: ``"package.module:factory"``.
        name: for captions; ``spec`` by default.
        device: where to put the weights; left as they are by default.
        dtype: the weights' type; left as it is by default.
        **facts: ``scale``, ``value_range``, ``channels``, ``colour``, see :meth:`Network.wrap`; None where not said.
            A scale is needed where the factory returns an ``nn.Module``.

    Raises:
        SettingError: the spec, the import, the factory or what it returns is no good; says which.
        ModuleError: the module fails on a small image, of 16 pixels a side and of 64.
        NotDifferentiableError: no gradient reaches the input.
    """
    made = _call_factory(spec)
    said = {label: value for label, value in facts.items() if value is not None}
    if isinstance(made, Network):
        network = made
        for label, value in said.items():  # a ready network knows these facts; what the caller says must agree
            if value != (known := getattr(made, label)):
                raise SettingError(
                    f"{spec} returned a network with {label} {known}, but {label}={value} was asked for."
                )
    elif isinstance(made, nn.Module) and "scale" in said:
        network = Network.wrap(made, name=name or spec, **said)
    else:
        raise SettingError(
            f"{spec} returned a {type(made).__name__}. Return a torch.nn.Module and give its scale (scale=4, on the "
            "command line --scale 4), or return a srlens.Network."
        )
    settle(network.module, device, dtype)
    ensure_differentiable(network)
    with suppress(ModuleError):  # the picture may be of a size that it does not take
        warn_where_unlike(network)
    return network


def _call_factory(spec: str) -> Any:
    module_name, colon, attribute = spec.partition(":")
    if not colon or not attribute or not all(part.isidentifier() for part in module_name.split(".")):
        raise SettingError(f"{spec!r} is not of the form package.module:factory (e.g. my_networks.edsr:build).")
    folder = str(Path.cwd())
    sys.path.insert(0, folder)  # as `python -m` does, and the console script does not
    doing = f"Importing {module_name}"
    try:
        module = importlib.import_module(module_name)
        factory = getattr(module, attribute, None)
        if not callable(factory):
            close = get_close_matches(attribute, [n for n in vars(module) if callable(getattr(module, n))], n=3)
            hint = f" Did you mean {' or '.join(close)}?" if close else ""
            raise SettingError(f"{module_name} has no function or class {attribute!r}.{hint}")
        doing = f"{spec}()"
        return factory()
    except SrlensError:
        raise
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise SettingError(f"{doing} failed: {error.name!r} is not installed.") from error
        raise SettingError(
            f"No module {error.name!r} in {folder} or on sys.path. Run srlens from the folder that holds it, or set "
            "PYTHONPATH."
        ) from error
    except (Exception, SystemExit) as error:  # whatever the user's code raises is reported under its name
        ends = isinstance(error, SystemExit) and doing != f"{spec}()"
        hint = ". It ends the program, as argparse does: move that below `if __name__ == '__main__':`" if ends else ""
        raise SettingError(f"{doing} failed: {type(error).__name__}: {error}{hint}") from error
    finally:
        sys.path.remove(folder)
