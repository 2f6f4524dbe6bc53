"""The notebooks run, and are kept without output. `python -m tests.test_notebooks` brings them to that form."""

from pathlib import Path

import nbformat
import numpy as np
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
RUN = "vaedec-coil20-20260102-030405"


def without_output(path: Path) -> str:
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata = METADATA
    for cell in notebook.cells:
        cell.metadata = {}
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return nbformat.writes(notebook) + "\n"


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to run in, apart from the data, the runs and the Jupyter settings of whoever tests."""
    for name in ("VAECLUST_DATA", "VAECLUST_RUN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("VAECLUST_CACHE", "TMPDIR", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("VAECLUST_FAST", "1")
    (tmp_path / "notebooks").mkdir()
    return tmp_path


def executed(name: str, workplace: Path) -> NotebookNode:
    """The notebook with its outputs; a cell that raises makes this raise."""
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    # No installed kernel, which could be of another environment: ipykernel of this interpreter.
    manager = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
    resources = {"metadata": {"path": str(workplace / "notebooks")}}
    client = NotebookClient(notebook, km=manager, timeout=1200, resources=resources)
    client.execute(cleanup_kc=True)  # also ends the kernel
    return notebook


def shown(notebook: NotebookNode, kind: str) -> list[str]:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output.data[kind] for output in outputs if kind in output.get("data", {})]


def test_there_are_notebooks() -> None:
    assert [path.name for path in NOTEBOOKS] == [
        "00_tour.ipynb",
        "10_vaedec_coil20.ipynb",
        "20_dynamic_beta.ipynb",
        "30_mixtures.ipynb",
        "40_posterior_graph.ipynb",
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_kept_without_output(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == without_output(path), "python -m tests.test_notebooks puts this right"


@pytest.mark.long
def test_the_tour_runs(workplace: Path) -> None:
    notebook = executed("00_tour", workplace)
    assert len(shown(notebook, "image/png")) == 11
    assert len(shown(notebook, "text/markdown")) == 3
    assert notebook.cells[-1].outputs[0].text == "the same answers: True\n"


@pytest.mark.slow
def test_the_dynamic_beta_runs(workplace: Path) -> None:
    notebook = executed("20_dynamic_beta", workplace)
    assert len(shown(notebook, "image/png")) == 3
    printed = [output.text for cell in notebook.cells for output in cell.get("outputs", []) if "text" in output]
    hint, betas, scores = printed
    assert hint == "vaeclust data get wingbeat-frequencies downloads them\n"  # they are not here
    assert "beta 0.001 -> " in betas
    assert [line.split()[0] for line in scores.splitlines()] == ["dynamic-beta", "beta-1", "warm-up", "cyclic"]


@pytest.mark.slow
def test_the_mixtures_run(workplace: Path) -> None:
    notebook = executed("30_mixtures", workplace)
    assert len(shown(notebook, "image/png")) == 3
    printed = "".join(output.text for cell in notebook.cells for output in cell.get("outputs", []) if "text" in output)
    assert "mean log-likelihood" in printed
    assert "40 labels: accuracy" in printed
    assert "3 clusters of 2 to 3" in printed or "2 clusters of 2 to 3" in printed


@pytest.mark.slow
def test_the_posterior_graph_runs(workplace: Path) -> None:
    notebook = executed("40_posterior_graph", workplace)
    assert len(shown(notebook, "image/png")) == 4
    printed = "".join(
        output.text for cell in notebook.cells for output in cell.get("outputs", []) if output.get("name") == "stdout"
    ).splitlines()
    assert printed[0].startswith("the graph's clusters: ACC ")
    assert [line.split()[0] for line in printed[1:6]] == ["kmeans", "graph", "joint", "shared-graph", "shared-joint"]
    assert "are in a cluster of another ring" in printed[6]


@pytest.mark.long
def test_the_study_runs_small_and_then_shows_the_newest_finished_run(workplace: Path) -> None:
    small = executed("10_vaedec_coil20", workplace)
    assert shown(small, "text/markdown")[0].startswith("# THIS IS NOT THE STUDY")
    (folder,) = workplace.glob("small-vaedec-*")
    (workplace / "runs").mkdir()
    folder = folder.rename(workplace / "runs" / RUN)
    for other in ("vaedec-coil20-20270102-030405", "vaedec-coil20-literal-20270102-030405"):
        (workplace / "runs" / other).mkdir()  # unfinished, and of another experiment
    saved = executed("10_vaedec_coil20", workplace)
    assert f"- folder: `{RUN}`" in "".join(shown(saved, "text/markdown"))
    assert not any("small run" in text or "NOT THE STUDY" in text for text in shown(saved, "text/markdown"))
    assert len(shown(saved, "image/png")) == len(list(folder.glob("*.png")))
    assert shown(saved, "image/png") == shown(small, "image/png")


@pytest.mark.slow
def test_the_small_study_takes_coil20_where_it_is(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    y = np.repeat(np.arange(20), 72)
    patterns = np.random.default_rng(0).integers(0, 256, (20, 8, 8), np.uint8)
    np.savez(workplace / "coil20.npz", x=np.kron(patterns, np.ones((16, 16), np.uint8))[y], y=y)
    monkeypatch.setenv("VAECLUST_DATA", str(workplace))
    text = "".join(shown(executed("10_vaedec_coil20", workplace), "text/markdown"))
    assert "- data: coil20, " in text
    assert "**Reported and measured**" in text
    assert "**Are samples of digits noticed?**" in text


if __name__ == "__main__":
    for path in NOTEBOOKS:
        path.write_text(without_output(path), encoding="utf-8")
