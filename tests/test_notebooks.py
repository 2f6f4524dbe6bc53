"""The notebooks run, use public names alone, and are kept with what they print and draw.

`python -m tests.test_notebooks [NAME ...]` runs them and keeps their outputs.
"""

import ast
import re
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode

import vaeclust_jax as vc

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
MOST_BYTES = 3_000_000
"""Of all notebooks together."""
PLACES = re.compile(r"(?<![\w.])(/(home|root|tmp|work|Users|usr|opt|var|mnt)/|[A-Z]:\\)|site-packages|file://")
"""Paths of a machine."""
ROOMS = {"data": vc.data, "estimators": vc.estimators, "plot": vc.plot, "uncertainty": vc.uncertainty}
STANDARD = {"dataclasses", "pathlib", "tempfile", "warnings"}
LIBRARIES = STANDARD | {"matplotlib", "mpl_toolkits", "numpy", "pandas", "scipy", "sklearn"}


def tidy(notebook: NotebookNode) -> str:
    """The text of its file: of metadata the tags alone."""
    notebook.metadata = METADATA
    for cell in notebook.cells:
        cell.metadata = {"tags": cell.metadata["tags"]} if "tags" in cell.metadata else {}
        for output in cell.get("outputs", []):
            if "metadata" in output:
                output.metadata = {}
    return nbformat.writes(notebook) + "\n"


def executed(notebook: NotebookNode, folder: Path, **settings: object) -> NotebookNode:
    """The notebook run in a folder, with its outputs; a cell that raises makes this raise.

    Args:
        notebook: read.
        folder: where it runs.
        settings: in place of those that its cell of parameters gives.
    """
    if settings:
        (cell,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
        names = {node.id for node in ast.walk(ast.parse(cell.source)) if is_set(node)}
        assert set(settings) <= names
        cell.source += "\n" + "\n".join(f"{name} = {value!r}" for name, value in settings.items())
    # No installed kernel, which could be of another environment: ipykernel of this interpreter.
    manager = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
    resources = {"metadata": {"path": str(folder)}}
    client = NotebookClient(notebook, km=manager, timeout=1200, resources=resources, record_timing=False)
    client.execute(cleanup_kc=True)  # also ends the kernel
    return notebook


def is_set(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def read(name: str) -> NotebookNode:
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def outputs(notebook: NotebookNode) -> list[NotebookNode]:
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def shown(notebook: NotebookNode, kind: str) -> list[str]:
    return [output.data[kind] for output in outputs(notebook) if kind in output.get("data", {})]


def printed(notebook: NotebookNode) -> str:
    return "".join(output.text for output in outputs(notebook) if output.output_type == "stream")


def private(source: str) -> list[str]:
    """What a cell takes from this library that is not public, and from libraries that no extra brings."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                modules = [(alias.name, None) for alias in names if alias.name != "vaeclust_jax"]
            case ast.ImportFrom(module=module, names=names):
                modules = [(module, alias.name) for alias in names]
            case ast.Attribute(value=ast.Name(id="vc"), attr=name):
                modules = [("vaeclust_jax", name)]
            case ast.Attribute(value=ast.Attribute(value=ast.Name(id="vc"), attr=room), attr=name) if room in ROOMS:
                modules = [(f"vaeclust_jax.{room}", name)]
            case _:
                continue
        found += [f"{module}: {name}" for module, name in modules if not is_public(str(module), name)]
    return found


def is_public(module: str, name: str | None) -> bool:
    library, _, room = module.partition(".")
    if library != "vaeclust_jax":
        return library in LIBRARIES
    return name in (ROOMS[room].__all__ if room in ROOMS else vc.__all__ if not room else ())


def test_there_are_notebooks() -> None:
    assert [path.name for path in NOTEBOOKS] == [
        "00_tour.ipynb",
        "10_vaedec_coil20.ipynb",
        "20_dynamic_beta.ipynb",
        "30_mixtures.ipynb",
        "40_posterior_graph.ipynb",
    ]
    assert sum(path.stat().st_size for path in NOTEBOOKS) < MOST_BYTES


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_kept_as_a_run_from_top_to_bottom_left_it(path: Path) -> None:
    notebook = read(path.stem)
    assert path.read_text(encoding="utf-8") == tidy(notebook), "python -m tests.test_notebooks puts this right"
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert shown(notebook, "image/png")
    for output in outputs(notebook):
        assert output.output_type != "error"
        assert output.get("name") != "stderr", output.text
        told = {kind: text for kind, text in output.get("data", {}).items() if not kind.startswith("image/")}
        for text in (output.get("text", ""), *told.values()):
            assert not PLACES.search(text), text


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_public_names_alone(path: Path) -> None:
    code = [cell.source for cell in read(path.stem).cells if cell.cell_type == "code"]
    assert any("import vaeclust_jax as vc" in source for source in code)
    assert [name for source in code for name in private(source)] == []


def test_what_is_not_public_is_found() -> None:
    assert private("import vaeclust_jax.metrics\nimport jax") == ["vaeclust_jax.metrics: None", "jax: None"]
    assert private("from vaeclust_jax.plots import latent_map") == ["vaeclust_jax.plots: latent_map"]
    assert private("vc.metrics.accuracy(y, labels)") == ["vaeclust_jax: metrics"]
    assert private("vc.plot._visible(x)") == ["vaeclust_jax.plot: _visible"]
    assert private("from vaeclust_jax import DEC\nvc.uncertainty.reject(x, 0.1)\nvc.data.load('digits')") == []


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to run in, apart from the data and the Jupyter settings of whoever tests."""
    monkeypatch.delenv("VAECLUST_DATA", raising=False)
    for name in ("VAECLUST_CACHE", "TMPDIR", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    return tmp_path


def same_kinds(name: str, ran: NotebookNode) -> None:
    """Each cell shows what its kept form shows, a picture, a table or a text."""
    kept = read(name)
    for ours, theirs in zip(ran.cells, kept.cells, strict=True):
        kinds = [
            [sorted(output.get("data", {"text": ""})) for output in cell.get("outputs", [])] for cell in (ours, theirs)
        ]
        assert kinds[0] == kinds[1], ours.source


@pytest.mark.long
def test_the_tour_runs(workplace: Path) -> None:
    ran = executed(read("00_tour"), workplace, ROWS=180, EPOCHS=1)
    same_kinds("00_tour", ran)
    assert ran.cells[-1].outputs[0].text == "the same answers: True\n"


@pytest.mark.long
def test_the_comparison_on_coil20_runs_on_digits_where_that_is_not_there(workplace: Path) -> None:
    ran = executed(read("10_vaedec_coil20"), workplace, PRETRAIN=1, JOINT=1, SEEDS=[0, 1], STEP=8)
    same_kinds("10_vaedec_coil20", ran)
    assert printed(ran) == "digits: (225, 8, 8, 1), 10 clusters\n"


@pytest.mark.slow
def test_the_comparison_takes_coil20_where_it_is(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    y = np.repeat(np.arange(20), 72)
    patterns = np.random.default_rng(0).integers(0, 256, (20, 8, 8), np.uint8)
    np.savez(workplace / "coil20.npz", x=np.kron(patterns, np.ones((16, 16), np.uint8))[y], y=y)
    monkeypatch.setenv("VAECLUST_DATA", str(workplace))
    ran = executed(read("10_vaedec_coil20"), workplace, PRETRAIN=1, JOINT=1, SEEDS=[0, 1], STEP=4)
    assert printed(ran) == "coil20: (360, 128, 128, 1), 20 clusters\n"


@pytest.mark.slow
def test_the_dynamic_beta_runs(workplace: Path) -> None:
    ran = executed(read("20_dynamic_beta"), workplace, EPOCHS=30, STEP=50, INSECT_EPOCHS=30, SEEDS=[0])
    assert "vaeclust data get wingbeat-frequencies downloads them\n" in printed(ran)  # they are not here
    assert len(shown(ran, "image/png")) == len(shown(read("20_dynamic_beta"), "image/png"))


@pytest.mark.slow
def test_the_mixtures_run(workplace: Path) -> None:
    ran = executed(read("30_mixtures"), workplace, ROWS=200, EPOCHS=1, CANDIDATES=range(2, 4))
    same_kinds("30_mixtures", ran)
    assert " clusters of 2 to 3: " in printed(ran)


@pytest.mark.slow
def test_the_posterior_graph_runs(workplace: Path) -> None:
    ran = executed(read("40_posterior_graph"), workplace, RINGS=3, VIEWS=12, PRETRAIN=2, JOINT=1, SEEDS=[0, 1])
    same_kinds("40_posterior_graph", ran)
    assert "are in a cluster of another ring" in printed(ran)


if __name__ == "__main__":
    for path in [FOLDER / f"{name}.ipynb" for name in sys.argv[1:]] or NOTEBOOKS:
        path.write_text(tidy(executed(read(path.stem), FOLDER)), encoding="utf-8")
