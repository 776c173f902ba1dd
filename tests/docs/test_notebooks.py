"""The notebooks are executed by a kernel, from the first cell to the last, and show what they promise."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).resolve().parents[2] / "examples" / "notebooks"


def executed(name: str, folder: Path) -> nbformat.NotebookNode:
    """The notebook with its outputs; run in a folder of its own."""
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    return notebook


def shown(notebook: nbformat.NotebookNode, kind: str) -> list[str]:
    """What cells showed of that MIME type."""
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return [output["data"][kind] for output in outputs if kind in output.get("data", {})]


@pytest.mark.slow
def test_five_minutes(tmp_path: Path) -> None:
    notebook = executed("five-minutes", tmp_path)
    pictures = [text for text in shown(notebook, "text/html") if "<img" in text]
    assert len(pictures) == 2  # the map, and the comparison
    assert (tmp_path / "map.safetensors").is_file()
    assert (tmp_path / "map.pdf").is_file()
    assert shown(notebook, "text/plain")[-1] == "True"


@pytest.mark.slow
def test_your_model(tmp_path: Path) -> None:
    notebook = executed("your-model", tmp_path)
    html = "".join(shown(notebook, "text/html"))
    assert "srlens.zip" in html
    assert any("FileUpload" in text for text in shown(notebook, "text/plain"))


@pytest.mark.parametrize("name", ["five-minutes", "your-model"])
def test_notebooks_are_kept_without_outputs(name: str) -> None:
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert all(not cell.outputs and cell.execution_count is None for cell in notebook.cells if cell.cell_type == "code")
