"""`examples/notebook.ipynb`, executed by a real kernel against a real server."""

from pathlib import Path

import pytest

from app.settings import ROOT
from tests.deploy.schemas import MISSING
from tools.server import Server

nbformat = pytest.importorskip("nbformat", reason=MISSING)
nbclient = pytest.importorskip("nbclient", reason=MISSING)
pytest.importorskip("ipykernel", reason=MISSING)

EXAMPLES = ROOT / "examples"


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_the_notebook_runs_and_shows_what_the_api_answers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    with Server("--models", "mnist-vae-2d") as server:
        monkeypatch.setenv("EXPLORER", server.url)
        notebook = nbformat.read(EXAMPLES / "notebook.ipynb", as_version=4)
        nbclient.NotebookClient(
            notebook, timeout=120, resources={"metadata": {"path": str(EXAMPLES)}}
        ).execute()
    shown = [
        set(output["data"])
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]
    assert len(shown) == 4
    assert [bool(kinds & {"image/png"}) for kinds in shown] == [False, True, False, False]
    assert "image/gif" in shown[2]
    assert server.url in notebook.cells[-1].outputs[0]["data"]["text/html"]
