"""A thousand epochs: what a process holds does not grow with them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SOAK = """
import json, os, sys
import jax, numpy as np
import vaeclust_jax as vc
from tests.fitting.made import blobs, calling, config

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

sizes, epochs = {"vae": [], "joint": []}, int(sys.argv[1])
vc.fit(
    config(pretrain_epochs=epochs, joint_epochs=epochs, tolerance=0.0, validation=0.0), blobs()[0], jax.random.key(0),
    callbacks=[calling(lambda rows: sizes[rows[0]["stage"]].append(resident()))],
)
print(json.dumps(sizes))
"""


@pytest.mark.long
@pytest.mark.parametrize("epochs", [250, pytest.param(1000, marks=pytest.mark.slow)])
def test_memory_after_epoch_50_does_not_grow(epochs: int) -> None:
    """Of each stage, the largest resident size of the last fifty epochs. Without checkpoints: of each of those orbax
    keeps some 50 kB.
    """
    if not Path("/proc/self/statm").exists():
        pytest.skip("needs Linux's /proc")
    command = [sys.executable, "-c", SOAK, str(epochs)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1500, check=True)
    for stage, sizes in json.loads(done.stdout).items():
        assert len(sizes) == epochs
        growth = max(sizes[-50:]) / sizes[49] - 1
        print(f"{stage}: {sizes[49] / 2**20:.0f} MiB after epoch 50, {growth:+.2%} after epoch {epochs}")
        assert growth < 0.01
