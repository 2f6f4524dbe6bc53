"""IDEC and DEC: a deterministic autoencoder whose latents are drawn to centroids, with its decoder and without.

    vaeclust run idec                 # digits, one seed

Sources: Guo et al., Improved Deep Embedded Clustering with Local Structure Preservation, 2017; Xie, Girshick and
Farhadi, Unsupervised Deep Embedding for Clustering Analysis, 2016. Networks, epochs, optimiser and the weight of the
clustering loss are those of `vaeclust run`, so that these compare with VAE+DEC; they are not the sources'.
"""

from dataclasses import replace

from vaeclust_jax.data import PrepareConfig
from vaeclust_jax.fitting.config import Config, ModelConfig, TrainingConfig
from vaeclust_jax.networks.build import NetworkConfig
from vaeclust_jax.studies.experiment import Experiment, Method, unchanged


def without_decoder(config: Config) -> Config:
    """`Method.configure`: the joint stage minimises the clustering loss alone."""
    return replace(config, model=replace(config.model, joint_reconstruction=False))


EXPERIMENT = Experiment(
    name="idec",
    summary="IDEC beside DEC and k-means on the autoencoder's latents; any data set, 30 + 30 epochs",
    dataset="digits",
    methods={
        "idec": Method(unchanged, "joint"),
        "dec": Method(without_decoder, "joint"),
        "ae-kmeans": Method(unchanged, "kmeans"),
    },
    prepare=PrepareConfig(image_size=(32, 32)),
    network=NetworkConfig(),
    model=ModelConfig(deterministic=True, beta=0.0),
    training=TrainingConfig(pretrain_epochs=30, joint_epochs=30),
)
