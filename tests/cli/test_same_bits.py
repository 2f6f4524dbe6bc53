"""The same command twice, in two processes: the same bytes, whichever way each of them went."""

import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import TINY, VAECLUST


@pytest.mark.long
def test_two_processes_write_the_same_bytes(files: Path, environment: dict[str, str], tmp_path: Path) -> None:
    """At once, so that they share the cores in whatever order; neither reads programs that the other compiled."""
    words = ["run", "vaedec", "--dataset", files / "vectors.npz", "--clusters", 3, "--epochs", 2, "--seeds", 2, *TINY]
    alone = {**environment, "JAX_ENABLE_COMPILATION_CACHE": "false"}
    together = [
        subprocess.Popen(
            [*VAECLUST, *map(str, words), "--out", str(tmp_path / out)], env=alone, stdout=subprocess.DEVNULL
        )
        for out in "ab"
    ]
    assert [process.wait(timeout=400) for process in together] == [0, 0]
    one, other = (next((tmp_path / out).iterdir()) for out in "ab")
    for name in ("assignments.csv", "history.csv", "metrics.json", "model/seed-0.vaeclust", "model/seed-1.vaeclust"):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
