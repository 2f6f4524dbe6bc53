"""What grows: an epoch of a joint VAE+DEC, or a whole `fit`, of a given size, and the exponent it grows with.

`python -m benchmarks.grow epoch '{"rows": 1000, ...}'` (or "fit") does the work in a process of its own, whose peak
memory is then known.
"""

import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

import vaeclust_jax as vc
from benchmarks.alone import run_alone
from benchmarks.ours import Training
from vaeclust_jax.methods.dec_learner import dec
from vaeclust_jax.networks import MLP

FEATURES = 784
HIDDEN = (256, 128)
BATCH_SIZE = 256
NUM_EPOCHS = 1
"""Of each of the two stages of a fit."""
_CENTRES = 10
_ROWS_AT_ONCE = 10_000


class Size(NamedTuple):
    """What growth is measured against."""

    rows: int
    clusters: int = 10
    latent_dim: int = 10
    seeds: int = 1


def slope(sizes: Sequence[float], values: Sequence[float]) -> float:
    """The exponent e of values ~ sizes^e, by least squares on logarithms over the top decade of the sizes."""
    x, y = np.log10(np.asarray(sizes, float)), np.log10(np.asarray(values, float))
    top = x >= x.max() - 1 - 1e-9
    return float(np.polyfit(x[top], y[top], 1)[0])


def slope_beyond_first(sizes: Sequence[float], values: Sequence[float]) -> float:
    """`slope` of what comes on top of the smallest size, which holds the fixed part: libraries, compiled programs."""
    more_size, more = np.subtract(sizes, sizes[0])[1:], np.subtract(values, values[0])[1:]
    return slope(more_size, more)


def epochs(size: Size) -> Callable[[], Any]:
    """One more epoch of the joint stage with its target refresh, for all seeds as one program."""
    learner = dec(
        MLP(hidden=HIDDEN, latent_dim=size.latent_dim).build((FEATURES,)),
        num_clusters=size.clusters,
        num_samples=size.rows,
        latent_dim=size.latent_dim,
        update_target_interval=1,
    )
    return Training(learner, rows_of(size.rows), BATCH_SIZE, size.seeds).epoch


def fits(size: Size) -> Callable[[], Any]:
    """One more `fit` to rows that the caller holds."""
    x = np.asarray(rows_of(size.rows))
    training = vc.TrainingConfig(batch_size=BATCH_SIZE)
    method = vc.DEC(size.clusters, pretrain_epochs=NUM_EPOCHS, joint_epochs=NUM_EPOCHS, update_target_interval=1)
    network = vc.MLP(hidden=HIDDEN, latent_dim=size.latent_dim)
    config = vc.Config(method, network=network, training=training)
    return lambda: vc.fit_seeds(config, x, range(size.seeds))[0].params


WORK = {"epoch": epochs, "fit": fits}


def peak_bytes(work: str, size: Size) -> int:
    """Peak memory of a fresh process that does the work; on an accelerator, that of the device.

    Args:
        work: "epoch" or "fit".
        size: of the data and the model.
    """
    env = {
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "JAX_ENABLE_COMPILATION_CACHE": "false",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",  # the accelerator is shared with this process
    }
    taken = run_alone([sys.executable, "-m", "benchmarks.grow", work, json.dumps(size._asdict())], env)
    on_device = json.loads(taken.stdout)
    return taken.peak_bytes if on_device is None else on_device


def rows_of(n: int) -> Float[Array, "n 784"]:
    """Seeded rows in [0, 1] around ten centres; never held twice, not even while they are made."""
    rng = np.random.default_rng(0)
    centres = rng.random((_CENTRES, FEATURES), np.float32)
    x = jnp.zeros((n, FEATURES))
    for start in range(0, n, _ROWS_AT_ONCE):
        count = min(_ROWS_AT_ONCE, n - start)
        part = centres[rng.integers(0, _CENTRES, count)] + rng.random((count, FEATURES), np.float32)
        x = _put(x, part / 2, start)
    return x


@partial(jax.jit, donate_argnums=0)
def _put(x: Array, part: Array, start: Array) -> Array:
    return jax.lax.dynamic_update_slice(x, part, (start, 0))


def main(work: str, size: Size) -> None:
    """Does the work twice, the second time as every time after it; prints the device's peak bytes, null for a CPU."""
    once = WORK[work](size)
    for _ in range(2):
        jax.block_until_ready(once())
    print(json.dumps((jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use")))


if __name__ == "__main__":
    main(sys.argv[1], Size(**json.loads(sys.argv[2])))
