"""Sphinx: pages in MyST, a gallery that is executed, the API from its docstrings; nothing is fetched."""

import ast
import re
import sys
import tomllib
import warnings
from collections import defaultdict
from concurrent.futures import Executor
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.typing import stringify_annotation

import srlens.imaging.window
import srlens.shown

HERE = Path(__file__).parent
MEASURES = Path(srlens.__file__).parent / "comparison" / "measures.toml"
sys.path.insert(0, str(HERE / "extensions"))

project, author, copyright = "srlens", "The srlens authors", "The srlens authors"
version = release = srlens.__version__

extensions = [
    "myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.intersphinx", "sphinx_gallery.gen_gallery"
]  # fmt: skip
html_theme = "furo"
html_title = f"srlens {version}"
html_static_path = ["_static"]
html_css_files = ["srlens.css"]
html_show_copyright = False
html_show_sourcelink = html_copy_source = False
exclude_patterns = ["build", "_static", "**/README.txt", "gallery/*.ipynb", "gallery/*.py", "*-table.md"]

myst_enable_extensions = ["colon_fence", "deflist", "smartquotes"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 88
napoleon_google_docstring, napoleon_numpy_docstring = True, False
napoleon_use_ivar = True
nitpicky = True  # a name in a docstring that leads nowhere is a warning, hence an error
nitpick_ignore_regex = [
    ("py:class", r"srlens\.study\.(blocks|job|plan|schema)\..*"),
    ("py:class", r"srlens\.web\..*|.*\._T"),
]

sphinx_gallery_conf = {
    "examples_dirs": "../examples/gallery",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_memory": False,
    "min_reported_time": 1,
    "write_computation_times": False,  # pages that load their script from elsewhere
    "capture_repr": ("_repr_html_",),
    "image_scrapers": ("figures_of_examples.scrape", "matplotlib"),
}

#: What is named of others, in inventories of our own (plain text), so that a build needs no network.
intersphinx_mapping = {
    "python": ("https://docs.python.org/3/", "inventories/python.inv"),
    "numpy": ("https://numpy.org/doc/stable/", "inventories/numpy.inv"),
    "torch": ("https://docs.pytorch.org/docs/stable/", "inventories/torch.inv"),
    "matplotlib": ("https://matplotlib.org/stable/", "inventories/matplotlib.inv"),
    "rich": ("https://rich.readthedocs.io/en/stable/", "inventories/rich.inv"),
    "polars": ("https://docs.pola.rs/api/python/stable/reference/", "inventories/polars.inv"),
}

#: The packages of srlens, from the face downwards, as the API pages go through them.
CHAPTERS = {
    "attribution": "Attribution: methods, paths, detectors",
    "trust": "Trust: interventions and tests of maps",
    "comparison": "Comparison: several networks, windows, settings; measures",
    "networks": "Networks",
    "imaging": "Images and degradations",
    "measures": "Measures",
    "figures": "Figures",
    "study": "Studies",
    "records": "Files",
    "errors": "Errors and warnings",
    "": "Everything else",
}

#: What public functions take and give without its having a public name.
NAMELESS = {
    "attribution.making": "Making",
    "attribution.methods.causal_effect": "CausalEffect",
    "attribution.methods.occlusion": "Occlusion",
    "trust.agreement": "Agreement",
    "trust.budget": "Plan",
    "trust.deletion": "Deletion FillCurves OrderCurve",
    "trust.faithfulness": "Faithfulness",
    "trust.infidelity": "Infidelity",
    "trust.numbers": "Number",
    "trust.randomisation": "Likeness Randomisation RandomisationStage",
    "trust.stability": "Perturbed Stability",
    "comparison.effective": "EffectiveField",
    "comparison.interest": "Pair",
    "comparison.support": "GradientSupport",
    "comparison.seeds": "OverSeeds",
    "comparison.sweep": "SweepPoint",
    "networks.clamps": "Clamp",
    "networks.facts": "NetworkFacts",
    "networks.inspect": "Inspection",
    "networks.padding": "Padding",
    "imaging.degradation": "Asked",
    "imaging.patches": "PatchBank",
    "measures.cancellation": "Ring Shares",
    "measures.extent": "Radius",
    "measures.texture": "Texture",
    "study.mine": "Mined",
    "study.progress": "Report",
    "study.report.build": "BuiltReport",
    "study.run": "Summary",
    "study.store": "Failure",
    "study.verdicts": "Findings Use Verdict",
    "study.statistics": "Association Contrast Correlation",
    "study.uncertainty": "Estimate",
    "study.window_list": "WindowList",
    "cli.progress": "Bars",
    "diagnosis": "SelfTest",
    "shown": "Shown",
    "web.server": "Server",
}


def _write_api(_: Any) -> None:
    """One page a package: every public name, for which ``srlens.__all__`` is the one list, and what goes with it."""
    pages: dict[str, list[str]] = defaultdict(list)

    def add(module: str, how: str, place: str, options: str) -> None:
        package = module.split(".")[1] if module.split(".")[1] in CHAPTERS else ""
        pages[package].append(f"```{{eval-rst}}\n.. {how}:: {place}\n{_indented(options)}```\n")

    for name, module in sorted(_public().items(), key=lambda item: item[0].lower()):
        value = getattr(srlens, name)
        if isinstance(value, type):
            how, options = "autoexception" if issubclass(value, Exception) else "autoclass", _of_class(value)
        elif callable(value):
            how, options = "autofunction", ""
        else:  # what a registry is stands as a comment where it is made
            told = ModuleAnalyzer.for_module(module).find_attr_docs()["", name]
            how, options = "py:data", "\n" + "\n".join(told)
        add(module, how, f"srlens.{name}", options)
    for module, names in NAMELESS.items():
        for name in names.split():
            value = getattr(import_module(f"srlens.{module}"), name)
            add(f"srlens.{module}", "autoclass", f"srlens.{module}.{name}", _of_class(value))
    folder = HERE / "api"
    folder.mkdir(exist_ok=True)
    for package, title in CHAPTERS.items():
        if pages[package]:
            _write(folder / f"{package or 'other'}.md", f"# {title}\n\n" + "\n".join(pages[package]))
    contents = "\n".join(package or "other" for package in CHAPTERS if pages[package])
    face = "```{eval-rst}\n.. automodule:: srlens\n   :no-members:\n```\n"
    _write(folder / "index.md", f"# API\n\n{face}\n```{{toctree}}\n:maxdepth: 2\n\n{contents}\n```\n")


def _of_class(value: type) -> str:
    return ":members:\n" + ("" if value.__bases__ == (object,) else ":show-inheritance:\n")


def _public() -> dict[str, str]:
    """Every public name with the module that defines it."""
    tree = ast.parse(Path(srlens.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    found = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module]
    return {alias.name: f"srlens.{node.module}" for node in found for alias in node.names}


def _write_families(_: Any) -> None:
    """The table of families, from the one list."""
    rows = ["| family | how it gathers context | paper |", "|---|---|---|"]
    rows += [f"| {row['family']} | {row['kind'] or ''} | {row['paper'] or ''} |" for row in srlens.listed_families()]
    _write(HERE / "families-table.md", "\n".join(rows) + "\n")


def _write_columns(_: Any) -> None:
    """The table of columns, from the one list of measures."""
    rows = ["| column | shown as | unit | better | drawn from |", "|---|---|---|---|---|"]
    for key, told in tomllib.loads(MEASURES.read_text(encoding="utf-8")).items():
        label = told.get("label", "").replace("{lr}", "H×W")
        unit = "share" if told.get("format") == "percent" else told.get("unit", "")
        way = f"`{told['of']}`" if "of" in told else ""
        rows.append(f"| `{key}` | {label} | {unit} | {told.get('better', '')} | {way} |")
    _write(HERE / "columns-table.md", "\n".join(rows) + "\n")


#: What Sphinx writes for annotations, and the name by which it is known.
_KNOWN_AS = {
    stringify_annotation(ArrayLike, "smart"): "~numpy.typing.ArrayLike",
    stringify_annotation(torch.Generator, "smart"): "~torch.Generator",
}


def _shorten_signature(
    _app: Any, _what: str, _name: str, _object: Any, _options: Any, taken: str | None, given: str | None
) -> tuple[str | None, str | None]:
    return _shortened(taken), _shortened(given)


def _shortened(signature: str | None) -> str | None:
    """With short names of types, and without defaults that Sphinx could not read as Python."""
    for long, short in _KNOWN_AS.items():
        signature = signature and signature.replace(long, short)
    return signature and re.sub(r"<(?:function|class) '?(\w+)[^>]*>", r"\1", signature.replace("<factory>", "..."))


_attributes: dict[str, list[str]] = {}


def _keep_attribute(_app: Any, what: str, name: str, _object: Any, _options: Any, lines: list[str]) -> None:
    """Napoleon takes "What it is: …" in an attribute's docstring for its type; the text is kept from it."""
    if what in {"attribute", "property", "data"}:
        _attributes[name] = list(lines)


def _restore_attribute(_app: Any, _what: str, name: str, _object: Any, _options: Any, lines: list[str]) -> None:
    lines[:] = _attributes.pop(name, lines)


def _indented(text: str) -> str:
    return "".join(f"   {line}\n" for line in text.splitlines())


def _write(path: Path, text: str) -> None:
    """Only what has changed, so that a second build is quick."""
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def setup(app: Any) -> None:
    """Called by Sphinx."""
    warnings.filterwarnings("ignore", category=srlens.errors.UnlikeInputWarning)
    torch.nn.Module.__module__, Executor.__module__ = "torch.nn", "concurrent.futures"  # as their own pages have them
    srlens.shown.Figure, srlens.imaging.window.Tensor = Figure, torch.Tensor  # named there for type checkers only
    app.connect("builder-inited", _write_api)
    app.connect("builder-inited", _write_families)
    app.connect("builder-inited", _write_columns)
    app.connect("autodoc-process-signature", _shorten_signature)
    app.connect("autodoc-process-docstring", _keep_attribute, priority=400)
    app.connect("autodoc-process-docstring", _restore_attribute, priority=600)
