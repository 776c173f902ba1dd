"""Sphinx: pages in MyST, a gallery that is executed, the API from its docstrings; nothing is fetched."""

import ast
import warnings
from collections import defaultdict
from pathlib import Path
from typing import Any

import srlens

HERE = Path(__file__).parent

project, author, copyright = "srlens", "The srlens authors", "The srlens authors"
version = release = srlens.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_gallery.gen_gallery"]
html_theme = "furo"
html_title = f"srlens {version}"
html_static_path = ["_static"]
html_css_files = ["srlens.css"]
html_show_copyright = False
exclude_patterns = ["build", "_static", "**/README.txt", "gallery/*.ipynb", "gallery/*.py", "families-table.md"]

myst_enable_extensions = ["colon_fence", "deflist", "smartquotes"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 88
napoleon_google_docstring, napoleon_numpy_docstring = True, False
napoleon_use_ivar = True
nitpicky = False

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
    "capture_repr": ("_repr_html_", "__repr__"),
    "matplotlib_animations": False,
    "image_scrapers": ("matplotlib",),
    "image_srcset": ["2x"],
}

#: The packages of srlens, from the face downwards, as the API pages go through them.
CHAPTERS = {
    "attribution": "Attribution: methods, paths, detectors",
    "trust": "Trust: interventions and tests of maps",
    "comparison": "Comparison: several networks, windows, settings; measures",
    "networks": "Networks",
    "imaging": "Images and degradations",
    "measures": "Measures",
    "study": "Studies",
    "records": "Files",
    "errors": "Errors and warnings",
    "": "Everything else",
}


def _write_api(_: Any) -> None:
    """One page a package, with every public name: ``srlens.__all__`` is the one list."""
    pages: dict[str, list[str]] = defaultdict(list)
    for name, module in sorted(_public().items(), key=lambda item: item[0].lower()):
        value = getattr(srlens, name)
        package = module.split(".")[1] if module.split(".")[1] in CHAPTERS else ""
        place = f"srlens.{name}"
        if isinstance(value, type):
            how = "autoexception" if issubclass(value, Exception) else "autoclass"
            options = ":members:\n:show-inheritance:\n"
        elif callable(value):
            how, options = "autofunction", ""
        else:  # what a registry is stands as a comment where it is made
            how, options, place = "autodata", ":no-value:\n", f"{module}.{name}"
        pages[package].append(f"```{{eval-rst}}\n.. {how}:: {place}\n{_indented(options)}```\n")
    folder = HERE / "api"
    folder.mkdir(exist_ok=True)
    for package, title in CHAPTERS.items():
        if pages[package]:
            _write(folder / f"{package or 'other'}.md", f"# {title}\n\n" + "\n".join(pages[package]))
    contents = "\n".join(package or "other" for package in CHAPTERS if pages[package])
    _write(folder / "index.md", f"# API\n\n{srlens.__doc__.split(chr(10))[0]}\n\n```{{toctree}}\n{contents}\n```\n")


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


def _indented(text: str) -> str:
    return "".join(f"   {line}\n" for line in text.splitlines())


def _write(path: Path, text: str) -> None:
    """Only what has changed, so that a second build is quick."""
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def setup(app: Any) -> None:
    """Called by Sphinx."""
    warnings.filterwarnings("ignore", category=srlens.errors.UnlikeInputWarning)
    app.connect("builder-inited", _write_api)
    app.connect("builder-inited", _write_families)
