"""Clusters of series: VAEs that read them step by step, by convolutions, or as vectors.

    vaeclust run series --seeds 5
    vaeclust run series --quick
    vaeclust run series --dataset mine.npz --clusters 4     # x (n, T), or (n, T C) with --channels-a-step C

The series are made here: a plateau, a rise or a fall at random times, with noise (Saito 1994). Labels are read for
scoring alone. Every method is DEC on the same settings; k-means on the series themselves is in the floor.
"""

from collections.abc import Callable
from dataclasses import replace

from vaeclust_jax.data import PrepareConfig
from vaeclust_jax.fitting.config import Config
from vaeclust_jax.methods.dec import DEC
from vaeclust_jax.networks import LSTM, MLP, Conv1D, NetworkConfig
from vaeclust_jax.studies.experiment import Arm, Experiment, unchanged


def _by(network: NetworkConfig) -> Callable[[Config], Config]:
    return lambda config: replace(config, network=replace(network, latent_dim=config.network.latent_dim))


EXPERIMENT = Experiment(
    name="series",
    summary="series clustered by VAEs with 1-d convolutions, LSTM cells, or a perceptron; 50 + 20 epochs",
    dataset="cylinder-bell-funnel",
    arms={
        "conv1d": Arm(unchanged, "joint"),
        "lstm": Arm(_by(LSTM(cells=(32,))), "joint"),
        "mlp": Arm(_by(MLP()), "joint"),
        "conv1d, vae-kmeans": Arm(unchanged, "kmeans"),
    },
    prepare=PrepareConfig(scaling="standardise-all"),
    network=Conv1D(),
    method=DEC(3),
    quick=lambda experiment: replace(experiment, method=experiment.method.for_epochs(5)),
)
