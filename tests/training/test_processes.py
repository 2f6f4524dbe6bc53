"""One fit over several processes on this machine: the clusters of one process, in all of them."""

import json
import os
import socket
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import vaeclust_jax as vc
from tests.fitting.made import K, blobs, config
from tests.training.in_processes import SEEDS


def free_port() -> int:
    """Which no other process of this machine listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def said_by(processes: int, *words: str, devices: int = 1) -> list[list[dict[str, Any]]]:
    """What each process says of each word."""
    port = free_port()
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={devices}"
    begun = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.training.in_processes", str(port), str(processes), str(index), *words],
            env={**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for index in range(processes)
    ]  # fmt: skip
    try:
        ended = [process.communicate(timeout=300) for process in begun]
    finally:
        for process in begun:
            process.kill()
    assert [process.returncode for process in begun] == [0] * processes, ended[0][1][-3000:]
    return [[json.loads(line) for line in out.splitlines() if line.startswith("{")] for out, _ in ended]


@pytest.fixture(scope="module")
def expected() -> np.ndarray:
    """Probabilities of one process."""
    x = blobs()[0]
    return np.stack([run.predict_proba(x) for run in vc.fit_seeds(config(K), x, SEEDS)])


@pytest.mark.long
@pytest.mark.parametrize(
    ("processes", "devices", "meshes"),
    [
        (2, 1, ["seeds=2", "rows=2"]),
        pytest.param(2, 2, ["seeds=2,rows=2"], marks=pytest.mark.slow),
        pytest.param(4, 1, ["seeds=2,rows=2"], marks=pytest.mark.slow),
    ],
)
def test_processes_find_the_clusters_of_one(
    expected: np.ndarray, processes: int, devices: int, meshes: list[str]
) -> None:
    for of_process in said_by(processes, *meshes, devices=devices):
        assert len(of_process) == len(meshes)
        for said in of_process:
            np.testing.assert_allclose(said["q"], expected, atol=1e-5)


@pytest.mark.long
def test_what_does_not_fit_together_is_one_sentence_in_all_processes() -> None:
    for index, (first, other, part) in enumerate(said_by(2, "first", "other", "seeds=1")):
        assert first == {"index": [0, 0], "alike": [1, 1, 1]}
        assert other == {
            "process": index,
            "error": "process 1 was given other data, settings or seeds than process 0: give all processes the same",
        }
        assert "takes 1 of the 2 devices that 2 processes have together" in part["error"]
