"""T5: five seeds of the joint VAE+DEC as one program over the cores, against five runs one after the other.

`python -m benchmarks.cases.seeds 5 1440` trains 5 seeds on 1440 rows for a few epochs in a process of its own, whose
peak memory is then known, and prints how many seconds compilation took.
"""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax

from benchmarks import samples
from benchmarks.alone import run_alone
from benchmarks.case import Case, Effort, Row
from benchmarks.cases.epoch import BATCH_SIZE, joint_flops, joint_learner, num_rows, torch_joint_epochs
from benchmarks.fastest import OURS, against_fastest
from benchmarks.ours import Training
from benchmarks.peers.available import missing
from benchmarks.timing import measure
from vaeclust_jax.training.mesh import Mesh

NUM_SEEDS = 5


def epochs_of_five(n: int, seeds_a_program: int) -> Callable[[], Any]:
    """An epoch of five seeds on n rows, as one program (5) or in five runs of a program for one seed (1)."""
    x, learner = samples.images(n), joint_learner(n)
    mesh = Mesh.of_cores(seeds_a_program)
    runs = [Training(learner, x, BATCH_SIZE, seeds_a_program, mesh) for _ in range(NUM_SEEDS // seeds_a_program)]
    return lambda: [jax.block_until_ready(run.epoch()) for run in runs]


def main(num_seeds: int, n: int) -> None:
    """Prints the seconds of compilation: what the first epoch takes longer than a later one."""
    mesh = Mesh.of_cores(num_seeds)
    training = Training(joint_learner(n), samples.images(n), BATCH_SIZE, num_seeds, mesh)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        jax.block_until_ready(training.epoch())
        seconds.append(time.perf_counter() - start)
    print(seconds[0] - min(seconds[1:]))


def _alone(num_seeds: int, n: int) -> dict[str, float]:
    """Peak memory and compilation of one program, in a fresh process without a compilation cache."""
    env = {"PYTHONPATH": str(Path(__file__).parents[2]), "JAX_ENABLE_COMPILATION_CACHE": "false"}
    taken = run_alone([sys.executable, "-m", "benchmarks.cases.seeds", str(num_seeds), str(n)], env)
    return {"peak_bytes": taken.peak_bytes, "compile_seconds": float(taken.stdout)}


def _run(effort: Effort) -> Iterator[Row]:
    n = num_rows(effort)
    what = f"{NUM_SEEDS} seeds of the joint epoch as one program over the cores, {n} x 32 x 32"
    common: dict[str, Any] = {"case": "T5", "unit": "s", "flops": NUM_SEEDS * joint_flops(n), "target": 1.1}
    epochs = {OURS: epochs_of_five(n, NUM_SEEDS), "five runs one after the other": epochs_of_five(n, 1)}
    absent = missing("torch")
    torch = {} if absent else torch_joint_epochs(joint_learner(n), samples.images(n), NUM_SEEDS)
    seconds = measure(epochs | torch, effort.repetitions)
    alone = {"together": _alone(NUM_SEEDS, n), "one_run": _alone(1, n)} if effort.full else {}
    yield against_fastest(
        {name: taken for name, taken in seconds.items() if name in epochs},
        what=what,
        note=_memory(alone) if alone else "",
        details=alone,
        **common,
    )
    yield against_fastest(
        {name: taken for name, taken in seconds.items() if name == OURS or name in torch},
        what=f"{what}, against five PyTorch runs",
        note=absent or "",
        **common,
    )


def _memory(alone: dict[str, dict[str, float]]) -> str:
    together, one = (alone[name]["peak_bytes"] / 1e6 for name in ("together", "one_run"))
    return f"peak memory {together:.0f} MB, of one run {one:.0f} MB"


CASES = [Case("T5", "five seeds of T2 as one program over the cores", _run)]

if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
