"""The example notebooks run from beginning to end, without a warning, and show what they show in the tree."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parent.parent / "examples"
PICTURES = {"feature_selection.ipynb": 2, "gradients.ipynb": 1}


@pytest.fixture(scope="module", params=PICTURES)
def file(request: pytest.FixtureRequest) -> Path:
    return FOLDER / str(request.param)


@pytest.fixture(scope="module")
def written(file: Path) -> Any:
    return nbformat.read(file, as_version=4)


@pytest.fixture(scope="module")
def executed(written: Any) -> Any:
    """A copy that was run anew, every warning an error; the kernel is as it is in a reader's hands."""
    import copy

    notebook = copy.deepcopy(written)
    strict = nbformat.v4.new_code_cell("import warnings; warnings.simplefilter('error')")
    notebook.cells.insert(0, strict)
    client = NotebookClient(notebook, timeout=250, resources={"metadata": {"path": str(FOLDER)}})
    client.execute()
    del notebook.cells[0]
    return notebook


def outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def test_it_is_a_notebook(written: Any) -> None:
    nbformat.validate(written)


@pytest.mark.filterwarnings("ignore:.*event loop policy:DeprecationWarning")
def test_it_runs_and_says_nothing_on_stderr(executed: Any) -> None:
    assert {output.output_type for output in outputs(executed)} <= {"execute_result", "display_data"}


def test_it_shows_what_it_shows_in_the_tree(file: Path, written: Any, executed: Any) -> None:
    """Texts agree but for digits, which another machine may round otherwise; there are as many pictures."""

    def kinds(notebook: Any) -> list[set[str]]:
        return [set(output.data) for output in outputs(notebook)]

    assert kinds(written) == kinds(executed)
    assert sum("image/png" in kind for kind in kinds(written)) == PICTURES[file.name]


def test_it_was_saved_after_a_run_in_order(file: Path, written: Any) -> None:
    counts = [cell.execution_count for cell in written.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    assert file.stat().st_size < 300_000
