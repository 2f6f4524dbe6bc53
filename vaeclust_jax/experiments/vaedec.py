"""VAE+DEC on any data set, beside k-means on the same VAE's latents before joint training.

    vaeclust run                      # digits, one seed

Expected on digits (8x8, scaled to 32x32): see README, "Measured".
"""

from vaeclust_jax.data import PrepareConfig
from vaeclust_jax.fitting.config import ModelConfig, TrainingConfig
from vaeclust_jax.networks.build import NetworkConfig
from vaeclust_jax.studies.experiment import Experiment, Method, unchanged

EXPERIMENT = Experiment(
    name="vaedec",
    summary="VAE+DEC beside k-means on the VAE's latents; any data set, 30 + 30 epochs",
    dataset="digits",
    methods={
        "vaedec": Method(unchanged, "joint"),
        "vae-kmeans": Method(unchanged, "kmeans"),
    },
    prepare=PrepareConfig(image_size=(32, 32)),
    network=NetworkConfig(),
    model=ModelConfig(),
    training=TrainingConfig(pretrain_epochs=30, joint_epochs=30),
)
