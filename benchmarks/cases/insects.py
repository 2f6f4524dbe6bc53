"""I1: five seeds of the dynamic beta-VAE of insect spectra over the cores, against five runs of PyTorch."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.case import Case, Effort, Row
from benchmarks.cases.train_step import torch_epochs
from benchmarks.fastest import OURS, against_fastest
from benchmarks.models import INSECTS
from benchmarks.ours import Training
from benchmarks.peers.available import missing
from benchmarks.timing import measure
from vaeclust_jax.control.dynamic import dynamic
from vaeclust_jax.data.wingbeat import make_insects
from vaeclust_jax.experiments.dynamic_beta_insects import EXPERIMENT
from vaeclust_jax.methods.vae import vae
from vaeclust_jax.training.mesh import Mesh

NUM_SEEDS = 5
EPOCHS = EXPERIMENT.method.pretrain_epochs
BATCH_SIZE = EXPERIMENT.training.batch_size


def _run(effort: Effort) -> Iterator[Row]:
    """PyTorch trains with a fixed beta: its rule would cost it an instant an epoch, which it is spared."""
    size = {"balanced_each": 20, "num_mixed": 300} if effort.smoke else {}
    made = make_insects(num_strangers=0, **size)
    x = np.concatenate([made.balanced.x, made.mixed.x])
    beta = dynamic(warmup=0, start=INSECTS.beta)  # from the same loss on as PyTorch
    learner = vae(INSECTS.networks, likelihood=INSECTS.likelihood, beta=beta, learning_rate=INSECTS.learning_rate)
    ours = Training(learner, x, BATCH_SIZE, NUM_SEEDS, Mesh.of_cores(NUM_SEEDS))
    epochs: dict[str, Callable[[], Any]] = {OURS: ours.epoch}
    absent = missing("torch")
    if absent is None:
        runs = [torch_epochs(learner, INSECTS, x, BATCH_SIZE) for _ in range(NUM_SEEDS)]
        epochs |= {name: lambda name=name: [run[name]() for run in runs] for name in runs[0]}
    seconds = measure(epochs, effort.repetitions)
    whole = EPOCHS * seconds[OURS].median
    yield against_fastest(
        seconds,
        case="I1",
        what=f"an epoch of {NUM_SEEDS} dynamic beta-VAEs over the cores, {len(x)} x 193, batch {BATCH_SIZE}",
        unit="s",
        target=4.0,
        note=f"{EPOCHS} epochs are {whole:.0f} s{'' if absent is None else f'; {absent}'}",
        details={"seconds_of_all_epochs": whole},
    )


CASES = [Case("I1", "five seeds of the dynamic beta-VAE of insect spectra over the cores", _run, in_quick=False)]
