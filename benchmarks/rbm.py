"""Our restricted Boltzmann machine beside scikit-learn's: the same rows, the same passes, one judge.

    python -m benchmarks.rbm                                   # digits
    python -m benchmarks.rbm --dataset mnist --hidden 200 --passes 1 --peer-passes 30 --temperatures 10000
    python -m benchmarks.rbm --dataset mnist --hidden 500 --passes 200 --peer none --temperatures 30000

The last seventh of the rows is the test part (of MNIST its own 10,000), which decides nothing. Both machines learn from
binarised rows by persistent contrastive divergence, and the log-likelihood of both is by our annealed importance
sampling, forwards and backwards. Seconds are those of the processor, with what jax compiles said apart.
"""

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.neural_network import BernoulliRBM

import vaeclust_jax as vc
from vaeclust_jax.objectives.ais import base_rates, forward_ais, reverse_ais, schedule
from vaeclust_jax.objectives.rbm import RBMParams, free_energy, gibbs, log_partition

_TRAIN, _MOST_EXACT = 6 / 7, 16


def main() -> None:
    """Prints a JSON object a machine."""
    args = _arguments()
    data = vc.data.load(args.dataset)
    x = (data.x.reshape(len(data.x), -1) >= data.x.max() / 2).astype(np.float32)
    count = round(len(x) * _TRAIN)
    train, test = x[:count], x[count:]
    machines: dict[str, Callable[[], tuple[RBMParams, dict[str, float]]]] = {"ours": lambda: _ours(train, args)}
    if args.peer == "sklearn":
        machines["scikit-learn"] = lambda: _theirs(train, args)
    for name, fitted in machines.items():
        machine, seconds = fitted()
        print(json.dumps({"machine": name, **seconds, **judged(machine, train, test, args.temperatures)}), flush=True)


def judged(machine: RBMParams, train: np.ndarray, test: np.ndarray, temperatures: int) -> dict[str, float | None]:
    """Nats a row of both parts, with log Z from both sides, and exactly where that can be."""
    keys = jax.random.split(jax.random.key(0), 3)
    base, betas = base_rates(jnp.asarray(train.mean(axis=0))), schedule(temperatures)
    forward = forward_ais(keys[0], machine, base, betas, 100)
    samples = gibbs(keys[1], machine, jnp.asarray(train[:100]), 1000).visible
    reverse = reverse_ais(keys[2], machine, base, betas, samples)
    energy = [float(np.mean([free_energy(machine, jnp.asarray(r)).mean() for r in _blocks(x)])) for x in (test, train)]
    exact = float(log_partition(machine)) if min(machine.weights.shape) <= _MOST_EXACT else None
    return {
        "test": -energy[0] - forward.value,
        "test_reverse": -energy[0] - reverse.value,
        "test_exact": None if exact is None else -energy[0] - exact,
        "train": -energy[1] - forward.value,
        "deviation": forward.deviation,
    }


def _blocks(x: np.ndarray) -> list[np.ndarray]:
    """Of one size, so that their means are the mean."""
    size = max(size for size in range(1, min(len(x), 5000) + 1) if len(x) % size == 0)
    return np.split(x, len(x) // size)


def _ours(train: np.ndarray, args: argparse.Namespace) -> tuple[RBMParams, dict[str, float]]:
    config = vc.Config(
        vc.RBM(args.hidden, epochs=args.passes),
        vc.PrepareConfig(validation=0.0, scaling="none"),
        training=vc.TrainingConfig(batch_size=args.batch, learning_rate=args.rate),
    )
    ends: list[float] = []

    class Clock(vc.Callback):
        def on_epoch(self, rows: Any) -> None:
            ends.append(time.process_time())

    start = time.process_time()
    run = vc.fit(config, train, args.seed, callbacks=[Clock()])
    whole = time.process_time() - start
    a_pass = float(np.median(np.diff(ends))) if len(ends) > 1 else whole
    machine = run.config.method.machine(run.params)  # type: ignore[attr-defined]
    return machine, {"cpu_seconds": whole, "cpu_seconds_a_pass": a_pass}


def _theirs(train: np.ndarray, args: argparse.Namespace) -> tuple[RBMParams, dict[str, float]]:
    passes = args.peer_passes or args.passes
    model = BernoulliRBM(
        args.hidden, learning_rate=args.peer_rate, batch_size=args.batch, n_iter=passes, random_state=args.seed
    )
    start = time.process_time()
    model.fit(train)
    whole = time.process_time() - start
    parts = (model.components_.T, model.intercept_visible_, model.intercept_hidden_)
    machine = RBMParams(*(jnp.asarray(part, jnp.float32) for part in parts))
    return machine, {"cpu_seconds": whole, "cpu_seconds_a_pass": whole / passes}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="digits")
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--passes", type=int, default=30)
    parser.add_argument("--peer-passes", type=int, help="of the peer, if others than --passes")
    parser.add_argument("--batch", type=int, default=20)
    parser.add_argument("--rate", type=float, default=0.1)
    parser.add_argument("--peer-rate", type=float, default=0.1)
    parser.add_argument("--peer", choices=("sklearn", "none"), default="sklearn")
    parser.add_argument("--temperatures", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
