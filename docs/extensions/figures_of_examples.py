"""Puts the figure that a gallery page's last line gives onto the page; matplotlib's own scraper sees pyplot's alone."""

import ast
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

#: Pixels per inch: more than the column of text shows. The picture links to itself, for those who want to see more.
DPI = 200


def scrape(_block: Any, page: dict[str, Any], settings: dict[str, Any]) -> str:
    """Called by sphinx-gallery after each block; gives the reST that shows the block's figure."""
    figure = page["example_globals"].get("___")  # the value of the last expression so far
    if not isinstance(figure, Figure) or figure is page.get("shown"):
        return ""
    page["shown"] = figure
    path = Path(next(page["image_path_iterator"]))
    figure.savefig(path, dpi=DPI)
    plt.close("all")  # what pyplot holds is this figure: its own scraper need not show it again
    said = ast.get_docstring(ast.parse(Path(page["src_file"]).read_text(encoding="utf-8"))) or ""
    title = said.partition("\n")[0]
    options = {"alt": title, "class": "sphx-glr-single-img", "width": f"{round(110 * figure.get_figwidth())}px"}
    place = path.relative_to(settings["src_dir"]).as_posix()
    return f"\n.. image:: /{place}\n" + "".join(f"   :{key}: {value}\n" for key, value in options.items())
