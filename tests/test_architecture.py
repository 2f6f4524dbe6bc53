"""The house keeps its floors: imports go downward, and heavy libraries stay in their rooms."""

import ast
import graphlib
import itertools
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import vaeclust_jax

PACKAGE = Path(vaeclust_jax.__file__).parent

FLOORS = [
    {
        "errors",
        "types",
        "checks",
        "for_each",
        "random",
        "streamed",
        "keys",
        "machine",
        "compiling",
        "whole_file",
        "shown",
        "field_texts",
        "forked",
    },
    {"training", "graph"},
    {"objectives", "networks", "control", "data", "metrics", "baselines"},
    {"methods", "plots", "uncertainty", "folder"},
    {"fitting", "page"},
    {"selection", "trackers"},
    {"studies", "estimators"},
    {"experiments", "plot"},
    {"cli"},
]
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}

HOME_OF = {
    "flax": "networks",
    "orbax": "training",
    "matplotlib": {"plots", "plot"},
    "bokeh": "page",
    "jinja2": "page",
    "tyro": "cli",
    "shtab": "cli",
    "rich": {"cli", "fitting", "folder"},
    **dict.fromkeys(("tensorboard", "trackio", "wandb", "mlflow"), "trackers"),
}

FILES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imported_modules(path: Path) -> Iterator[str]:
    """Every module a file imports, anywhere in it, function bodies included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_every_room_has_a_floor() -> None:
    assert {room_of(path) for path in FILES} - {"__init__"} == set(FLOOR_OF)


def test_the_books_table_names_every_room_on_its_floor() -> None:
    page = (Path(__file__).parent.parent / "notebooks" / "architecture.md").read_text(encoding="utf-8")
    rooms = re.findall(r"^\| (\d+) \| (.*?) \|", page, flags=re.MULTILINE)
    shown = {name: int(floor) - 1 for floor, names in rooms for name in re.findall(r"`(\w+)`", names)}
    assert shown == FLOOR_OF


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_downward(path: Path) -> None:
    room = room_of(path)
    if room == "__init__":  # the front door
        return
    for module in imported_modules(path):
        parts = module.split(".")
        if parts[0] != "vaeclust_jax" or len(parts) == 1 or parts[1] == room:
            continue
        if FLOOR_OF[room] == 0:  # single files: no circle, which the test below sees, but no order either
            assert FLOOR_OF[parts[1]] == 0, f"{room} imports {module}"
            continue
        assert FLOOR_OF[parts[1]] < FLOOR_OF[room], f"{room} imports {module}"


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


def imported_files(path: Path, modules: set[str]) -> Iterator[str]:
    """Those of the modules that a file imports; `from package import module` is of the module, not of the package."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from modules & {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parts = {f"{node.module}.{alias.name}" for alias in node.names}
            yield from parts & modules
            yield from {str(node.module)} & modules if parts - modules else ()


def circle(imports: dict[str, set[str]]) -> list[str]:
    """Modules each of which imports the next, the last of them the first again; empty if there is no circle."""
    try:
        graphlib.TopologicalSorter(imports).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])[::-1]  # it begins with what is imported
    return []


def test_no_modules_import_each_other() -> None:
    """Not even in a function, nor for a type."""
    modules = {name_of(path) for path in FILES}
    assert circle({name_of(path): set(imported_files(path, modules)) for path in FILES}) == []


def test_a_circle_would_be_seen() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    found = circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})
    assert found[0] == found[-1]
    assert set(itertools.pairwise(found)) == {("a", "b"), ("b", "c"), ("c", "a")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_heavy_libraries_stay_in_their_rooms(path: Path) -> None:
    for module in imported_modules(path):
        home = HOME_OF.get(module.split(".")[0])
        if home is not None:
            assert room_of(path) in home if isinstance(home, set) else room_of(path) == home, f"{path}: {module}"


def test_files_stay_small() -> None:
    assert {path.name: n for path in FILES if (n := len(path.read_text().splitlines())) > 320} == {}


@pytest.mark.long
def test_importing_the_package_loads_no_heavy_library_it_may_not_need() -> None:
    code = (
        "import sys, vaeclust_jax;"
        "heavy = ('matplotlib', 'sklearn', 'scipy', 'orbax', 'rich', 'tyro', 'pooch', 'PIL', 'bokeh', 'jinja2',"
        "         'flax');"
        "print([m for m in heavy if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.long
def test_importing_changes_no_jax_setting() -> None:
    code = "import jax; before = dict(jax.config.values); import vaeclust_jax; print(before == dict(jax.config.values))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "True"
