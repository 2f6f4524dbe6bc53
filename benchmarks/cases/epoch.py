"""T2: a joint VAE+DEC epoch with the refresh of its target, against PyTorch."""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import samples
from benchmarks.case import Case, Effort, Row
from benchmarks.fastest import OURS, against_fastest
from benchmarks.models import CONV, encode_flops, train_flops
from benchmarks.ours import Training
from benchmarks.peers.available import missing
from benchmarks.timing import measure
from vaeclust_jax.methods.dec_learner import dec
from vaeclust_jax.types import Batch, Learner

BATCH_SIZE = 64
NUM_CLUSTERS = 20
GAMMA = 100.0
REFRESH = "every timed epoch ends with a target refresh"


def joint_learner(num_samples: int) -> Learner:
    """VAE+DEC on n rows, P refreshed every epoch so that every timed epoch does the same work."""
    return dec(
        CONV.networks,
        num_clusters=NUM_CLUSTERS,
        num_samples=num_samples,
        latent_dim=CONV.config.latent_dim,
        beta=CONV.beta,
        gamma=GAMMA,
        learning_rate=CONV.learning_rate,
        update_target_interval=1,
    )


def num_rows(effort: Effort) -> int:
    """Of T2 and T5, which share a program then."""
    return 1440 if effort.full else (2 if effort.smoke else 4) * BATCH_SIZE


def joint_flops(num_samples: int) -> float:
    """Floating-point operations of one epoch with its refresh."""
    return num_samples * (train_flops(CONV) + encode_flops(CONV))


def torch_joint_epochs(learner: Learner, x: np.ndarray, num_models: int = 1) -> dict[str, Callable[[], Any]]:
    """PyTorch's joint epochs by name, each from weights, target and loss that agree with ours.

    Args:
        learner: ours, for the weights and the check.
        x: training rows (n, 32, 32, 1).
        num_models: that are trained one after the other in what is returned.

    Raises:
        AssertionError: PyTorch computes another target, loss or gradient.
    """
    from benchmarks.peers.torch_check import check_step, check_target
    from benchmarks.peers.torch_training import JointTraining, torch_vae, variants
    from benchmarks.peers.torch_vae import VAEDEC

    state, _ = jax.jit(learner.end_epoch)(learner.init(jax.random.key(0)), jnp.asarray(x), jnp.ones((), int), {})
    batch = Batch(jnp.asarray(x[:BATCH_SIZE]), None, jnp.arange(BATCH_SIZE), jnp.ones(BATCH_SIZE))
    epochs = {}
    for name, channels_last in variants(CONV).items():
        trained = []
        for _ in range(num_models):
            model = VAEDEC(torch_vae(CONV), NUM_CLUSTERS, CONV.config.latent_dim, GAMMA)
            peer = JointTraining(model, state.params, x, BATCH_SIZE, CONV.learning_rate, channels_last)
            check_target(state.memory.p, peer.p)
            check_step(learner, state, batch, model, peer.p[:BATCH_SIZE])
            trained.append(peer)
        epochs[name] = lambda trained=trained: [peer.epoch() for peer in trained]
    return epochs


def _run(effort: Effort) -> Iterator[Row]:
    n = num_rows(effort)
    x = samples.images(n)
    learner = joint_learner(n)
    epochs = {OURS: Training(learner, x, BATCH_SIZE).epoch}
    absent = missing("torch")
    if absent is None:
        epochs |= torch_joint_epochs(learner, x)
    yield against_fastest(
        measure(epochs, effort.repetitions),
        case="T2",
        what=f"joint VAE+DEC epoch, {n} x 32 x 32, batch {BATCH_SIZE}",
        unit="s",
        flops=joint_flops(n),
        target=1.1,
        note=f"{REFRESH}{'' if absent is None else f'; {absent}'}",
    )


CASES = [Case("T2", "joint VAE+DEC epoch with target refresh (COIL-20 at 32 x 32)", _run)]
