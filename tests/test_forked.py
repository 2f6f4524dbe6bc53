"""A process that was forked from one in which JAX had started says so; before that, it works."""

import subprocess
import sys

import pytest

FORK = """
import os, signal, sys
import numpy as np
import vaeclust_jax as vc

x = np.repeat([[0.0] * 4, [9.0] * 4], 30, axis=0)
settings = vc.Config(vc.VAEKMeans(2, pretrain_epochs=1), network=vc.MLP(hidden=(8,)))

if sys.argv[1] == "after":
    run = vc.fit(settings, x, 0)
    calls = [lambda: vc.fit(settings, x, 0), lambda: vc.fit_seeds(settings, x, [0]), lambda: run.predict(x)]
    calls += [lambda: run.sample(0, 3), lambda: vc.cluster(x, 2), lambda: run.uncertainty(x, 0)]
else:
    calls = [lambda: vc.fit(settings, x, 0).predict(x)]
child = os.fork()
if child == 0:
    signal.alarm(100)
    for call in calls:
        try:
            call()
        except vc.InputError as error:
            print(f"refused: {error}", flush=True)
        else:
            print("works", flush=True)
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.long
@pytest.mark.parametrize(("moment", "answers"), [("after", ["refused"] * 6), ("before", ["works"])])
def test_a_fork(moment: str, answers: list[str]) -> None:
    done = subprocess.run([sys.executable, "-c", FORK, moment], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = done.stdout.splitlines()
    assert [line.partition(":")[0] for line in lines] == answers
    assert all("start processes by multiprocessing.get_context('spawn')" in line for line in lines if "refused" in line)
