import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.fitting.made import blobs
from vaeclust_jax import cli
from vaeclust_jax.cli.once import IMPORTS

TINY = ["--network", "mlp", "--hidden", "16", "--latent-dim", "2", "--batch-size", "32"]
VAECLUST = [sys.executable, "-m", "vaeclust_jax.cli"]

Answer = tuple[int, str, str]


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Nothing is looked up outside; what XLA compiled is shared with the process that tests (tests/conftest.py)."""
    folder = tmp_path_factory.mktemp("home")
    return {
        **os.environ,
        "VAECLUST_CACHE": str(folder / "data"),
        "JAX_PLATFORMS": "cpu",
        "COLUMNS": "120",
    }


@pytest.fixture(scope="session")
def process(environment: dict[str, str]) -> Callable[..., Answer]:
    """The command as a person runs it, without a terminal."""

    def process(*argv: object, cwd: Path | None = None) -> Answer:
        done = subprocess.run(
            [*VAECLUST, *map(str, argv)], capture_output=True, text=True, env=environment, cwd=cwd, timeout=200
        )
        return done.returncode, done.stdout, done.stderr

    return process


@pytest.fixture
def vaeclust(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """The same in this process: exit code, stdout, stderr."""

    def vaeclust(*argv: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["vaeclust", *map(str, argv)])
        capfd.readouterr()
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = 0 if end.code is None else int(end.code)
        for thread in threading.enumerate():  # what it still imports must not change modules under the next test
            if thread.name == IMPORTS:
                thread.join()
        out, err = capfd.readouterr()
        return code, out, err

    return vaeclust


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Inputs, good and bad."""
    folder = tmp_path_factory.mktemp("files")
    x, y = blobs()
    np.savez(folder / "vectors.npz", x=x, y=y)
    np.savez(folder / "unlabelled.npz", x=x)
    np.savez(folder / "nan.npz", x=np.full((10, 5), np.nan))
    np.savez(folder / "nox.npz", z=x, w=x)
    np.savez(folder / "mixed.npz", x=x, y=y[:7])
    np.savez(folder / "narrow.npz", x=x[:, :4])
    (folder / "cut.npz").write_bytes((folder / "vectors.npz").read_bytes()[:200])
    (folder / "notes.txt").write_text("mine")
    (folder / "empty").mkdir()
    return folder
