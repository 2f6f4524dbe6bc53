"""VaDE on any data set, beside the Gaussian mixture it starts from and k-means on the same VAE's latents.

    vaeclust run vade                 # digits, one seed

Networks, epochs and optimiser are those of `vaeclust run`, so that the two compare.
"""

from vaeclust_jax.data import PrepareConfig
from vaeclust_jax.fitting.config import Config, with_method
from vaeclust_jax.methods.vade import GraphStart, VaDE
from vaeclust_jax.studies.experiment import Arm, Experiment, unchanged


def _from_graph(config: Config) -> Config:
    return with_method(config, start=GraphStart())


EXPERIMENT = Experiment(
    name="vade",
    summary="VaDE beside the mixture it starts from and k-means on the VAE's latents; any data set, 30 + 30 epochs",
    dataset="digits",
    arms={
        "vade": Arm(unchanged, "joint"),
        "vade, graph start": Arm(_from_graph, "joint"),
        "vae-mixture": Arm(unchanged, "mixture"),
        "vae-kmeans": Arm(unchanged, "kmeans"),
    },
    prepare=PrepareConfig(image_size=(32, 32)),
    method=VaDE(10, pretrain_epochs=30, joint_epochs=30),
)
