"""The notebooks: stripped in git, and running from the first cell to the last."""

import json

import nbformat
import pytest
from nbclient import NotebookClient

from repository import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NAMES = ("01-tour", "02-own-criterion", "03-own-data")


def test_all_three_are_there():
    assert tuple(file.stem for file in NOTEBOOKS) == NAMES


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_no_output_is_kept_in_git(file):
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert code
    assert [cell for cell in code if cell["outputs"] or cell["execution_count"]] == []


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_every_cell_runs(file, demo, tmp_path):
    (tmp_path / "data").symlink_to(demo.folder / "data")
    folder = tmp_path / "notebooks"
    folder.mkdir()
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    client = NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(folder)}})
    client.execute()
    shown = [cell for cell in notebook.cells if cell.get("outputs")]
    assert len(shown) >= 4
    kinds = {output["output_type"] for cell in shown for output in cell["outputs"]}
    assert "error" not in kinds
    assert list(folder.iterdir()) == []
