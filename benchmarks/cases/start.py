"""T7: how long a person waits: imports, the first gradient step without and with compiled programs, a whole run."""

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.alone import Alone, run_alone
from benchmarks.case import Case, Effort, Measured, Row
from benchmarks.peers.available import missing
from benchmarks.timing import measured
from vaeclust_jax.data import load

_IMPORTS = """
import json, time
start = time.perf_counter()
import jax
import jax.numpy
middle = time.perf_counter()
import vaeclust_jax
print(json.dumps([middle - start, time.perf_counter() - middle]))
"""

_IMPORT = """
import time
start = time.perf_counter()
import {module}
print(time.perf_counter() - start)
"""

# 80 rows leave 64 for training: an epoch is one step, and its row of the history comes right after it.
_FIRST_STEP = """
import os, sys
import jax
import vaeclust_jax as vc
from vaeclust_jax.experiments.vaedec import EXPERIMENT as run

vc.enable_compilation_cache(sys.argv[1])
network = vc.MLP(hidden=(16,)) if sys.argv[2] == "smoke" else run.network
config = vc.Config(run.method, run.prepare, network, run.training)

class Ending(vc.Callback):
    def on_epoch(self, rows):
        print(rows[0]["loss"], flush=True)
        os._exit(0)

vc.fit(config, vc.data.load(run.dataset).x[:80], jax.random.key(0), callbacks=[Ending()])
"""

_FEW_ROWS = 200
_ON = {"JAX_ENABLE_COMPILATION_CACHE": "true"}


def _import_row(effort: Effort) -> Row:
    pairs = [json.loads(_python(_IMPORTS).stdout) for _ in range(effort.repetitions)]
    others = {"import jax, seconds": _median(jax for jax, _ in pairs)}
    absent = missing("torch")
    if absent is None:
        code = _IMPORT.format(module="torch")
        others["import torch, seconds"] = _median(float(_python(code).stdout) for _ in range(effort.repetitions))
    return Row(
        case="T7",
        what="import vaeclust_jax, after jax",
        unit="s",
        ours=measured([ours for _, ours in pairs]),
        target=1.2,
        note="; ".join([f"{name.removesuffix(', seconds')} takes {value:.2f} s" for name, value in others.items()]),
        details={**others, **({} if absent is None else {"torch": absent})},
    )


def _first_step_rows(effort: Effort) -> Iterator[Row]:
    included = "from the start of python to the first loss: imports, digits scaled to 32 x 32, weights, one step of 64"
    cold, warm = [], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(_few(effort)):
            compiled = str(Path(folder) / str(number))
            cold.append(_python(_FIRST_STEP, compiled, effort.name))
            warm.append(_python(_FIRST_STEP, compiled, effort.name))
        losses = [float(run.stdout) for run in (*cold, *warm)]
        assert len(set(losses)) == 1, f"compiled and read programs differ: {losses}"
    for what, runs, target in (("empty", cold, 10.0), ("filled", warm, 3.0)):
        yield Row(
            case="T7",
            what=f"first step of vaeclust run, {what} compilation cache",
            unit="s",
            ours=_seconds(runs),
            target=target,
            note=f"{included} rows",
            details={"peak_bytes": max(run.peak_bytes for run in runs), "loss": losses[0]},
        )


def _whole_run_rows(effort: Effort) -> Iterator[Row]:
    what = "vaeclust run" if effort.full else f"vaeclust run --network mlp --epochs 1 on {_FEW_ROWS} digits"
    argv = [sys.executable, "-m", "vaeclust_jax.cli", "run", "--quiet"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        argv += ["--out", str(folder / "runs"), *([] if effort.full else _short(folder / "few.npz"))]
        env = {**_ON, "JAX_COMPILATION_CACHE_DIR": str(folder / "compiled")}
        cold = run_alone(argv, env)
        taken = run_alone(argv, env) if effort.full else cold
    rows = {"s": ("wall time", taken.seconds), "MB": ("peak memory", float(taken.peak_bytes))}
    cache = "filled" if effort.full else "empty"
    for unit, (quantity, value) in rows.items():
        yield Row(
            case="T7",
            what=f"{what}: {quantity}",
            unit=unit,
            ours=measured([value]),
            note=f"{cache} compilation cache; training, scores, figures, model on disk",
            details={"empty cache": {"seconds": cold.seconds, "peak_bytes": cold.peak_bytes}},
        )


def _short(data: Path) -> list[str]:
    """Flags of a run of seconds."""
    np.savez(data, x=load("digits").x[:_FEW_ROWS])
    return ["--dataset", str(data), "--clusters", "10", "--epochs", "1", "--network", "mlp", "--hidden", "16"]


def _python(code: str, *argv: str) -> Alone:
    return run_alone([sys.executable, "-c", code, *argv], _ON)


def _seconds(runs: Sequence[Alone]) -> Measured:
    return measured([run.seconds for run in runs])


def _median(seconds: Iterator[float]) -> float:
    return measured(list(seconds)).median


def _few(effort: Effort) -> int:
    """An empty cache costs the whole compilation each time."""
    return min(effort.repetitions, 5) if effort.full else 1


def _run(effort: Effort) -> Iterator[Row]:
    yield _import_row(effort)
    yield from _first_step_rows(effort)
    yield from _whole_run_rows(effort)


CASES = [Case("T7", "start: import, first step, a whole run", _run)]
