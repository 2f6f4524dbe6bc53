"""VaDE on any data set, beside the Gaussian mixture it starts from and k-means on the same VAE's latents.

    vaeclust run vade                 # digits, one seed

Networks, epochs and optimiser are those of `vaeclust run`, so that the two compare.
"""

from dataclasses import replace

from vaeclust_jax.data import PrepareConfig
from vaeclust_jax.fitting.config import Config, ModelConfig, TrainingConfig
from vaeclust_jax.networks.build import NetworkConfig
from vaeclust_jax.studies.experiment import Experiment, Method, unchanged


def _from_graph(config: Config) -> Config:
    return replace(config, model=replace(config.model, mixture_start="graph"))


EXPERIMENT = Experiment(
    name="vade",
    summary="VaDE beside the mixture it starts from and k-means on the VAE's latents; any data set, 30 + 30 epochs",
    dataset="digits",
    methods={
        "vade": Method(unchanged, "joint"),
        "vade, graph start": Method(_from_graph, "joint"),
        "vae-mixture": Method(unchanged, "mixture"),
        "vae-kmeans": Method(unchanged, "kmeans"),
    },
    prepare=PrepareConfig(image_size=(32, 32)),
    network=NetworkConfig(),
    model=ModelConfig(clustering="vade"),
    training=TrainingConfig(pretrain_epochs=30, joint_epochs=30),
)
