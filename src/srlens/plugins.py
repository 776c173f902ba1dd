"""The user's own code beside srlens: measures and whatever else can be added, loaded wherever srlens computes.

Two places name it, and **it is executed**, in this process and in every worker of a study:

* the environment variable ``SRLENS_PLUGINS``: names of modules, or paths of ``.py`` files, separated by commas;
* the entry points of the group ``srlens.plugins`` of installed distributions.

A plug-in is a module that adds to srlens when it is imported, for instance by
:func:`srlens.comparison.measures.add_measure`.
"""

import os
import sys
from importlib import import_module, metadata, util
from pathlib import Path

from srlens.errors import PluginError

VARIABLE = "SRLENS_PLUGINS"
GROUP = "srlens.plugins"

_loaded: set[str] = set()


def load_plugins() -> None:
    """Import every plug-in that was not imported yet; the command line, the page and studies call it at their start.

    Raises:
        PluginError: a plug-in is not there or raises while it is imported; says which.
    """
    for name in filter(None, map(str.strip, os.environ.get(VARIABLE, "").split(","))):
        _load_once(name, f"{VARIABLE} names {name!r}")
    for point in metadata.entry_points(group=GROUP):
        _load_once(point.value, f"The entry point {point.name!r} of {GROUP} is {point.value!r}")


def _load_once(name: str, source: str) -> None:
    key = str(Path(name).expanduser().absolute()) if name.endswith(".py") else name
    if key in _loaded:
        return
    try:
        if name.endswith(".py"):
            _import_file(Path(key))
        else:
            import_module(name.partition(":")[0])
    except Exception as error:
        raise PluginError(
            f"{source}, which cannot be loaded: {type(error).__name__}: {error}. Mend it, or leave it out."
        ) from error
    _loaded.add(key)


def _import_file(path: Path) -> None:
    """Import a file by its path, under a module name that pickles and tracebacks can show."""
    spec = util.spec_from_file_location(f"srlens_plugin_{path.stem}", path)
    assert spec is not None  # a name that ends in .py has a loader
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[spec.name]
        raise
