"""The compilation cache of the command line: on by default, off on demand, never in the way."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import jax
import pytest

import vaeclust_jax as vc
from tests.cli.conftest import VAECLUST, Answer
from tests.fitting.made import blobs, config
from vaeclust_jax import compiling

Run = Callable[..., Answer]
COMPILING = {
    "run": ["--dataset", "{files}/nan.npz", "--clusters", "3"],
    "tune": ["--dataset", "{files}/nan.npz", "--clusters", "3"],
    "predict": ["{files}/empty", "{files}/vectors.npz"],
}


@pytest.fixture
def switched(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What the command asks for, with jax's settings restored afterwards."""
    calls: list[str] = []
    monkeypatch.setattr(compiling, "enable_compilation_cache", lambda: calls.append("on"))
    before = {name: jax.config.values[name] for name in ("jax_enable_compilation_cache", "jax_compilation_cache_dir")}
    jax.config.update("jax_enable_compilation_cache", True)
    jax.config.update("jax_compilation_cache_dir", None)
    yield calls
    for name, value in before.items():
        jax.config.update(name, value)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cached") / "saved.vaeclust"
    vc.fit(config(joint_epochs=0), blobs()[0], jax.random.key(0)).save(path)
    return path


@pytest.mark.parametrize("command", COMPILING)
def test_a_command_that_compiles_switches_it_on_and_has_a_flag_against_it(
    command: str, vaeclust: Run, files: Path, tmp_path: Path, switched: list[str]
) -> None:
    assert "--no-compilation-cache" in vaeclust(command, "--help" if command == "predict" else "--help-all")[1]
    assert switched == []
    argv = [word.format(files=files) for word in COMPILING[command]]
    assert vaeclust(command, *argv)[0] == 2
    assert switched == ["on"]
    assert jax.config.values["jax_enable_compilation_cache"]
    assert vaeclust(command, *argv, "--no-compilation-cache")[0] == 2
    assert switched == ["on"]
    assert not jax.config.values["jax_enable_compilation_cache"]


@pytest.mark.parametrize("argv", [["list"], ["data", "list"], ["info"], ["--help"]], ids=" ".join)
def test_other_commands_leave_it_alone(argv: list[str], vaeclust: Run, switched: list[str]) -> None:
    assert vaeclust(*argv)[0] == 0
    assert switched == []


def test_info_shows_the_folder_and_its_size_or_that_there_is_none(
    vaeclust: Run, switched: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAECLUST_CACHE", str(tmp_path))
    folder = tmp_path / "compiled"
    assert f"compiled programs {folder} (0.0 MB)" in vaeclust("info")[1]
    assert not folder.exists()
    folder.mkdir()
    (folder / "jit_epoch-cache").write_bytes(bytes(2_300_000))
    assert f"compiled programs {folder} (2.3 MB)" in vaeclust("info")[1]
    jax.config.update("jax_enable_compilation_cache", False)
    assert "compiled programs not kept" in vaeclust("info")[1]


@pytest.mark.long
def test_programs_of_one_command_serve_the_next_and_labels_are_the_same(
    model: Path, files: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("mine")
    env = {
        name: value for name, value in os.environ.items() if not name.startswith(("JAX_COMPILATION", "JAX_PERSISTENT"))
    }
    env |= {"JAX_ENABLE_COMPILATION_CACHE": "true", "JAX_LOG_COMPILES": "true"}

    def predict(cache: Path, *flags: str) -> tuple[str, bytes]:
        argv = [
            *VAECLUST,
            "predict",
            str(model),
            str(files / "unlabelled.npz"),
            "--out",
            "labels.csv",
            "--overwrite",
            *flags,
        ]
        done = subprocess.run(
            argv, capture_output=True, text=True, env=env | {"VAECLUST_CACHE": str(cache)}, cwd=tmp_path, timeout=200
        )
        assert (done.returncode, done.stdout) == (0, "labels.csv\n"), done.stderr
        return done.stderr, (tmp_path / "labels.csv").read_bytes()

    cold, labels = predict(tmp_path / "cache")
    written = sorted(path.name for path in (tmp_path / "cache" / "compiled").iterdir())
    assert written
    warm, again = predict(tmp_path / "cache")
    assert "Persistent compilation cache hit" in warm
    assert "Persistent compilation cache hit" not in cold
    assert sorted(path.name for path in (tmp_path / "cache" / "compiled").iterdir()) == written
    off, third = predict(tmp_path / "unused", "--no-compilation-cache")
    assert not (tmp_path / "unused").exists()
    refused, fourth = predict(tmp_path / "file")
    (line,) = [line for line in refused.splitlines() if line.startswith("vaeclust:")]
    assert line.startswith("vaeclust: compiled programs are not kept: ")
    assert "Traceback" not in cold + warm + off + refused
    assert labels == again == third == fourth
