"""Every file is written whole or not at all, and all of them by the same few lines."""

import ast
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from tests.test_architecture import FILES, PACKAGE
from vaeclust_jax.cli.resume import remember
from vaeclust_jax.data import Dataset, Preparation
from vaeclust_jax.data.files import write_npz
from vaeclust_jax.errors import InputError
from vaeclust_jax.experiments import EXPERIMENTS
from vaeclust_jax.fitting.config import Config
from vaeclust_jax.fitting.model_file import write_model
from vaeclust_jax.fitting.packed import Packed
from vaeclust_jax.folder import (
    FigureEntry,
    LatentMap,
    Table,
    export_tables,
    write_assignments,
    write_figure_list,
    write_history,
    write_json,
    write_map,
    write_tables,
)
from vaeclust_jax.folder.table import Column
from vaeclust_jax.methods.dec import DEC
from vaeclust_jax.plots import save_figures
from vaeclust_jax.studies.write import write_config
from vaeclust_jax.training.checkpoint import Checkpoint, Keeper
from vaeclust_jax.whole_file import sweep, whole_file, write_whole

TABLES = [Table("scores", "Scores", (Column("method", "text"),), (("vae",),))]
PACKED = Packed(Config(DEC(num_clusters=2)), Preparation((3,), (3,)), {"params/centroids": np.zeros((2, 2))})
MAP = LatentMap(np.zeros((2, 2)), np.arange(2), np.arange(2), *(np.zeros(2) for _ in range(4)))

DATASET = Dataset(np.zeros((2, 3), np.float32), None, "made")


WRITERS: dict[str, Callable[[Path], object]] = {
    "metrics.json": lambda path: write_json(path, {"acc": 0.5}),
    "history.csv": lambda path: write_history(path, [{"seed": 0, "epoch": 1}]),
    "assignments.csv": lambda path: write_assignments(path, {"sample": [0, 1]}),
    "tables.json": lambda path: write_tables(path, TABLES),
    "figures.json": lambda path: write_figure_list(path, [FigureEntry("a.png", "s", "t", "c")]),
    "map.npz": lambda path: write_map(path, MAP),
    "data.npz": lambda path: write_npz(path, np.zeros((2, 2)), None),
    "loss.png": lambda path: save_figures(path.parent, {"loss": Figure()}),
    "tables/scores.md": lambda path: export_tables(path.parent.parent),
    "model.vaeclust": lambda path: write_model(path, PACKED),
    "arguments.json": lambda path: remember(path.parent, ["run"], None, None),
    "report.html": lambda path: write_whole(path, "a page"),
}


@contextmanager
def disk_that_fails_after(size: int) -> Iterator[None]:
    """No file may grow beyond so many bytes: the system refuses the rest of a write."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture(params=WRITERS)
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / request.param
    path.parent.mkdir(exist_ok=True)
    write_tables(tmp_path / "tables.json", TABLES)  # what is exported
    if path.name != "tables.json":
        path.write_text("older")
    return path


@pytest.fixture
def write(older: Path, tmp_path: Path) -> Callable[[], object]:
    return lambda: WRITERS[str(older.relative_to(tmp_path))](older)


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_new_file_takes_the_place_of_the_old_one(older: Path, write: Callable[[], object], tmp_path: Path) -> None:
    inode = older.stat().st_ino
    write()
    assert older.stat().st_ino != inode
    assert not list(tmp_path.rglob(".*"))


def test_a_write_that_fails_in_the_middle_leaves_the_old_files_and_nothing_else(
    write: Callable[[], object], tmp_path: Path
) -> None:
    before = contents(tmp_path)
    with pytest.raises((OSError, InputError), match="File too large"), disk_that_fails_after(1):
        write()
    assert contents(tmp_path) == before


def test_a_rename_that_fails_leaves_the_old_files_and_nothing_else(
    write: Callable[[], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("no such luck")

    before = contents(tmp_path)
    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises((OSError, InputError), match="no such luck"):
        write()
    assert contents(tmp_path) == before


def test_a_checkpoints_identity_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written to: File too large"), disk_that_fails_after(1):
        Keeper(Checkpoint(tmp_path), {"seeds": [0]})
    assert [path.name for path in tmp_path.iterdir()] in ([], [".lock"])
    Keeper(Checkpoint(tmp_path), {"seeds": [0]}).__exit__()  # the refused one left no lock


def test_a_process_killed_while_it_writes_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("older")
    code = (
        "import os, signal, sys; from pathlib import Path; from vaeclust_jax.whole_file import whole_file\n"
        "with whole_file(Path(sys.argv[1])) as file:\n"
        "    file.write(b'ne'); file.flush(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)]).returncode == -signal.SIGKILL
    assert path.read_text() == "older"
    write_whole(path, "new")  # what the dead one left is in nobody's way
    assert path.read_text() == "new"
    (tmp_path / ".notes.unfinished").write_text("mine")
    sweep(tmp_path)
    assert contents(tmp_path) == {path: b"new", tmp_path / ".notes.unfinished": b"mine"}


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("tables", export_tables),
        ("model", lambda run: write_config(run, EXPERIMENTS["vaedec"], PACKED.config, DATASET, [0])),
    ],
)
def test_a_folder_of_ours_is_no_link(tmp_path: Path, name: str, write: Callable[[Path], object]) -> None:
    run, mine = tmp_path / "run", tmp_path / "mine"
    for path in (run, mine):
        path.mkdir()
    write_tables(run / "tables.json", TABLES)
    (run / name).symlink_to(mine)
    with pytest.raises(InputError, match=f"{name} is a link to somewhere else, which is left alone"):
        write(run)
    assert not list(mine.iterdir())


def test_writers_of_one_name_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "file"
    contents = [bytes([number]) * 100_000 for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda content: write_whole(path, content), contents))
    assert path.read_bytes() in contents
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_of_the_caller_is_raised_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), whole_file(tmp_path / "file"):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_names_that_are_not_unicode_are_the_bytes_they_were(tmp_path: Path) -> None:
    write_whole(tmp_path / "page", "é\udcff")
    assert (tmp_path / "page").read_bytes() == "é".encode() + b"\xff"


# No other way to write ---------------------------------------------------------------------------------

TO_A_PATH = {"write_text", "write_bytes", "fdopen", "mkstemp", "NamedTemporaryFile", "rename", "tofile"}
TO_A_STREAM = {"savefig", "savez", "savez_compressed", "dump", "imsave", "to_csv", "np.save"}


def writes(tree: ast.Module) -> Iterator[str]:
    """Calls that write to a file, but for those to a stream of `whole_file` or in memory."""
    safe = {
        item.optional_vars.id
        for node in ast.walk(tree)
        if isinstance(node, ast.With)
        for item in node.items
        if ast.unparse(item.context_expr).startswith("whole_file(") and isinstance(item.optional_vars, ast.Name)
    } | {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and ast.unparse(node.value) in ("io.BytesIO()", "io.StringIO()")
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
        values = [*node.args, *(keyword.value for keyword in node.keywords)]
        texts = [value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)]
        mode = any(re.fullmatch(r"[rwaxbt]+\+?[bt]?", text) and set(text) & set("wax+") for text in texts)
        moved = isinstance(node.func, ast.Attribute) and name == "replace" and len(values) == 1  # of a str: two
        to_a_stream = {name, ast.unparse(node.func)} & TO_A_STREAM or (name == "ZipFile" and mode)
        if (
            name in TO_A_PATH
            or ast.unparse(node.func) == "os.replace"
            or (moved and not node.keywords)
            or (name == "open" and mode)
            or (to_a_stream and not any(isinstance(value, ast.Name) and value.id in safe for value in values))
        ):
            yield ast.unparse(node)


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if path != PACKAGE / "whole_file.py"],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_nothing_else_writes_a_file(path: Path) -> None:
    assert list(writes(ast.parse(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    "code",
    [
        "open(path, 'w')",
        "path.open('ab')",
        "open(path, mode='r+b')",
        "path.write_text('x')",
        "temporary.replace(path)",
        "os.replace(a, b)",
        "figure.savefig(path, dpi=3)",
        "np.savez(path, x=x)",
        "np.save(path, x)",
        "zipfile.ZipFile(path, 'w')",
        "json.dump(x, file)",
    ],
)
def test_another_way_would_be_seen(code: str) -> None:
    assert list(writes(ast.parse(code))) != []
