"""T1, T3 and T4: one training step of three VAEs, in the epoch that `fit` runs, against PyTorch's step by step."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import samples
from benchmarks.case import Case, Effort, Row
from benchmarks.fastest import OURS, against_fastest, per
from benchmarks.models import CONV, MLP, WIDE_MLP, Model, train_flops
from benchmarks.ours import Training
from benchmarks.peers.available import missing
from benchmarks.timing import measure
from vaeclust_jax.methods.vae import vae
from vaeclust_jax.types import Batch, Learner


class Setting(NamedTuple):
    """What one row of the table measures."""

    what: str
    model: Model
    batch_size: int
    steps: int
    """Of the timed epoch; every batch is full."""
    target: float


CONV_64 = Setting("conv VAE train step, batch 64", CONV, 64, 18, 1.0)  # 1152 rows: 80 % of COIL-20
CONV_256 = Setting("conv VAE train step, batch 256", CONV, 256, 5, 1.0)
MLP_32 = Setting("MLP VAE 784-392-196-98-8 train step, batch 32", MLP, 32, 128, 1.8)
MLP_128 = Setting("MLP VAE 784-1024-300 train step, batch 128", WIDE_MLP, 128, 64, 1.2)


def train_step_row(case: str, setting: Setting, effort: Effort) -> Row:
    """Times epochs of one VAE; the row's figure is the time of one step.

    Raises:
        AssertionError: PyTorch computes another loss or gradient from the same weights.
    """
    model, batch_size = setting.model, setting.batch_size
    steps = 2 if effort.smoke else setting.steps
    x = samples.images(steps * batch_size) if model is CONV else samples.vectors(steps * batch_size)
    learner = vae(model.networks, beta=model.beta, learning_rate=model.learning_rate)
    epochs = {OURS: Training(learner, x, batch_size).epoch}
    absent = missing("torch")
    if absent is None:
        epochs |= torch_epochs(learner, model, x, batch_size)
    seconds = measure(epochs, effort.repetitions)
    return against_fastest(
        {name: per(taken, steps) for name, taken in seconds.items()},
        case=case,
        what=setting.what,
        unit="ms",
        flops=train_flops(model) * batch_size,
        target=setting.target,
        note=absent or "",
        details={"steps_an_epoch": steps},
    )


def torch_epochs(learner: Learner, model: Model, x: np.ndarray, batch_size: int) -> dict[str, Callable[[], Any]]:
    """PyTorch's epochs of a VAE, by name, each from weights and loss that agree with ours.

    Args:
        learner: the VAE of `model`.
        model: what PyTorch shall train.
        x: training rows.
        batch_size: rows a step.

    Raises:
        AssertionError: PyTorch computes another loss or gradient.
    """
    from benchmarks.peers.torch_check import check_step
    from benchmarks.peers.torch_training import Training as TorchTraining
    from benchmarks.peers.torch_training import torch_vae, variants

    state = learner.init(jax.random.key(0))
    batch = Batch(jnp.asarray(x[:batch_size]), None, jnp.arange(batch_size), jnp.ones(batch_size))
    epochs = {}
    for name, channels_last in variants(model).items():
        peer = TorchTraining(torch_vae(model), state.params, x, batch_size, model.learning_rate, channels_last)
        check_step(learner, state, batch, peer.model)
        epochs[name] = peer.epoch
    return epochs


def _case(name: str, title: str, *settings: Setting) -> Case:
    def run(effort: Effort) -> Iterator[Row]:
        for setting in settings[: None if effort.full else 1]:
            yield train_step_row(name, setting, effort)

    return Case(name, title, run)


CASES = [
    _case("T1", "conv VAE train step (COIL-20 at 32 x 32)", CONV_64, CONV_256),
    _case("T3", "MLP VAE train step, small batch (MNIST)", MLP_32),
    _case("T4", "MLP VAE train step, wide layers (MNIST)", MLP_128),
]
