"""Methods of installed packages: those that are at fault are named in a sentence, and all else works."""

import logging
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import vaeclust_jax as vc
from tests.cli.conftest import VAECLUST
from vaeclust_jax.methods import registry

Install = Callable[[str, str, str], None]

WORKING = """
from dataclasses import dataclass
import vaeclust_jax as vc

@dataclass(frozen=True)
class Mine(vc.VAEKMeans):
    "One of my own."
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Lays a package on the path as pip does: a module, and what it says of itself."""

    def install(package: str, code: str, point: str) -> None:
        info = tmp_path / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n", encoding="utf-8")
        (info / "entry_points.txt").write_text(f"[vaeclust.methods]\n{point}\n", encoding="utf-8")
        (tmp_path / f"{package}_module.py").write_text(code, encoding="utf-8")
        registry.all_methods.cache_clear()

    monkeypatch.syspath_prepend(str(tmp_path))
    yield install
    monkeypatch.undo()
    registry.all_methods.cache_clear()


def test_one_that_works_is_a_method_like_the_others(install: Install) -> None:
    install("works", WORKING, "mine = works_module:Mine")
    kind = registry.method_named("mine")
    assert (kind.__name__, registry.name_of(kind(3))) == ("Mine", "mine")
    assert {*registry.all_methods()} == {*vc.METHODS, "mine"}


@pytest.mark.parametrize(
    ("package", "code", "point", "sentence"),
    [
        ("fails", "raise OSError('no\\n such thing')", "bad = fails_module:Bad",
         "the method 'bad' of the package fails cannot be imported: no such thing"),
        ("lacks", "", "bad = lacks_module:Bad",
         "the method 'bad' of the package lacks cannot be imported: module 'lacks_module' has no attribute 'Bad'"),
        ("absent", "", "bad = nowhere_at_all:Bad",
         "the method 'bad' of the package absent cannot be imported: No module named 'nowhere_at_all'"),
        ("silent", "raise RuntimeError", "bad = silent_module:Bad",
         "the method 'bad' of the package silent cannot be imported: RuntimeError"),
        ("other", "Bad = dict", "bad = other_module:Bad",
         "the method 'bad' of the package other is no vaeclust_jax.Method"),
        ("value", "Bad = 3", "bad = value_module:Bad",
         "the method 'bad' of the package value is no vaeclust_jax.Method"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isalpha() else "",
)  # fmt: skip
def test_one_at_fault_is_named_in_one_warning(
    install: Install, caplog: pytest.LogCaptureFixture, package: str, code: str, point: str, sentence: str
) -> None:
    install("works", WORKING, "mine = works_module:Mine")
    install(package, code, point)
    with caplog.at_level(logging.WARNING):
        assert {*registry.all_methods()} == {*vc.METHODS, "mine"}
        registry.all_methods()  # said once
    assert [record.getMessage() for record in caplog.records] == [sentence]
    with pytest.raises(vc.InputError, match="there is no method 'bad': methods are kmeans, dec, "):
        registry.method_named("bad")


@pytest.mark.parametrize("name", ["dec", "mine"])
def test_two_of_one_name_are_an_error_that_says_whose(install: Install, name: str) -> None:
    install("works", WORKING, "mine = works_module:Mine")
    install("again", WORKING, f"{name} = again_module:Mine")
    with pytest.raises(vc.InputError, match=rf"two methods have the name '{name}': rename or uninstall that of the"):
        registry.all_methods()


@pytest.mark.long
def test_the_command_says_it_and_goes_on(install: Install, tmp_path: Path) -> None:
    install("fails", "raise OSError('no such thing')", "bad = fails_module:Bad")
    done = subprocess.run(
        [*VAECLUST, "list"], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(tmp_path)}
    )
    assert done.returncode == 0
    assert "the method 'bad' of the package fails cannot be imported: no such thing" in done.stderr
    assert done.stderr.count("\n") == 1
    assert "mixture" in done.stdout
    assert "bad" not in done.stdout
