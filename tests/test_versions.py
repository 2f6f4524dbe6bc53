"""Every name of jax and its kin that the code uses is there in the installed versions, and is not deprecated.

The names are looked up in the libraries' sources without importing them, so that any version can be looked at on any
Python: in a folder of unpacked wheels, which VAECLUST_TEST_VERSIONS names (libraries that it lacks are skipped).

    pip download --no-deps --only-binary=:all: --python-version 3.12 -d wheels 'jax==0.12.*'
    unzip -q wheels/jax-*.whl -d unpacked
    VAECLUST_TEST_VERSIONS=unpacked python -m pytest -n 0 tests/test_versions.py
"""

import ast
import functools
import os
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

LIBRARIES = Path(os.environ.get("VAECLUST_TEST_VERSIONS") or sysconfig.get_path("purelib"))
CHECKED = ("jax", "flax", "optax", "orbax", "chex")
ROOMS = [Path(__file__).parents[1] / room for room in ("vaeclust_jax", "tests", "benchmarks")]


@functools.cache
def used() -> dict[str, set[Path]]:
    """Every name of the checked libraries that our files import or reach through an import, in full, and the files."""
    names: dict[str, set[Path]] = {}
    for path in (path for room in ROOMS for path in room.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        full = {name: origin for name, origin in imported(tree) if origin.split(".")[0] in CHECKED}
        for name in (*full.values(), *(spelled(node, full) for node in ast.walk(tree) if full)):
            names.setdefault(name, set()).add(path)
    return names


def imported(tree: ast.AST, package: str = "") -> Iterator[tuple[str, str]]:
    """What the imports in a file, or in a module of a package, bind, and what it is in full."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield (alias.asname, alias.name) if alias.asname else (alias.name.split(".")[0],) * 2
        elif isinstance(node, ast.ImportFrom):
            start = package.split(".")[: 1 - node.level or None] if node.level else []
            source = ".".join([*start, *([node.module] if node.module else [])])
            yield from ((alias.asname or alias.name, f"{source}.{alias.name}") for alias in node.names)


def spelled(node: ast.AST, full: dict[str, str]) -> str:
    """`jnp.linalg.norm` in full, or nothing if it does not begin with an imported name."""
    if isinstance(node, ast.Attribute):
        return (before := spelled(node.value, full)) and f"{before}.{node.attr}"
    return full.get(node.id, "") if isinstance(node, ast.Name) else ""


def file_of(module: str) -> Path | None:
    folder = LIBRARIES.joinpath(*module.split("."))
    return next((path for path in (folder / "__init__.py", folder.with_suffix(".py"), folder) if path.exists()), None)


@functools.cache
def bound(module: str) -> dict[str, str]:
    """The names that a module binds, each to the full name that it is imported from, to "deprecated" or to nothing."""
    path = file_of(module)
    names, deprecated = {}, set()
    nodes = [ast.parse(path.read_text(encoding="utf-8"))] if path and path.is_file() else []
    for node in nodes:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for name, origin in imported(node, module if path.stem == "__init__" else module.rpartition(".")[0]):
                names |= bound(origin.removesuffix(".*")) if name == "*" else {name: origin}
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names[node.name] = "deprecated" if any("deprecat" in ast.unparse(d) for d in node.decorator_list) else ""
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            made_by = ast.unparse(node.value.func) if isinstance(node.value, ast.Call) else ""
            for target in map(ast.unparse, node.targets if isinstance(node, ast.Assign) else [node.target]):
                names[target] = "deprecated" if "deprecat" in made_by else ""
                if "deprecat" in target and isinstance(node.value, ast.Dict):  # names whose look-up warns or fails
                    deprecated |= {key.value for key in node.value.keys if isinstance(key, ast.Constant)}
        else:
            nodes += ast.iter_child_nodes(node)  # branches
    return names | dict.fromkeys(deprecated, "deprecated")


def lookup(name: str) -> str:
    """Whether a name is "there", "deprecated" or "missing"; what is an object's, not a module's, counts as there."""
    module, *rest = name.split(".")
    for index, part in enumerate(rest):
        origin = bound(module).get(part)
        if origin == "deprecated":
            return origin
        if file_of(f"{module}.{part}"):
            module = f"{module}.{part}"
        elif origin and origin.split(".")[0] in CHECKED:
            try:
                return lookup(".".join([origin, *rest[index + 1 :]]))
            except SyntaxError:  # a newer Python's; what a module imports by name is there
                return "there"
        else:
            return "missing" if origin is None else "there"
    return "there"


@pytest.mark.long
@pytest.mark.parametrize("library", CHECKED)
def test_every_name_that_we_use_is_there_and_not_deprecated(library: str) -> None:
    if not (LIBRARIES / library).is_dir():
        pytest.skip(f"no {library} in {LIBRARIES}")
    names = {name: lookup(name) for name in used() if name.split(".")[0] == library}
    assert "there" in names.values()
    assert not {name: (answer, used()[name]) for name, answer in names.items() if answer != "there"}


def test_the_look_up_tells_what_is_deprecated_or_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.test_versions.LIBRARIES", tmp_path)
    (tmp_path / "made" / "inner").mkdir(parents=True)
    (tmp_path / "made" / "__init__.py").write_text("from made.inner.old import *\n_deprecations = {'gone': ('', None)}")
    (tmp_path / "made" / "inner" / "old.py").write_text("@deprecated('')\ndef f(): ...\ndef g(): ...\nh = g\ngone = g")
    answers = {name: lookup(f"made.{name}") for name in ("f", "g", "h.any", "gone", "inner.old.gone", "inner.new", "k")}
    assert [name for name, answer in answers.items() if answer == "deprecated"] == ["f", "gone"]
    assert [name for name, answer in answers.items() if answer == "missing"] == ["inner.new", "k"]
