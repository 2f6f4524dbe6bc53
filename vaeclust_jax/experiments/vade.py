"""VaDE on any data set, beside the Gaussian mixture it starts from and k-means on the same VAE's latents.

    vaeclust run vade                 # digits, one seed

Networks, epochs and optimiser are those of `vaeclust run vaedec`, so that the two compare.
"""

from vaeclust_jax.fitting.config import Config, with_method
from vaeclust_jax.methods.vade import GraphStart, VaDE
from vaeclust_jax.studies.experiment import Arm, Experiment, unchanged


def _from_graph(config: Config) -> Config:
    return with_method(config, start=GraphStart())


EXPERIMENT = Experiment(
    name="vade",
    summary="VaDE beside the mixture it starts from and k-means on the VAE's latents; any data set, 50 + 20 epochs",
    dataset="digits",
    arms={
        "vade": Arm(unchanged, "joint"),
        "vade, graph start": Arm(_from_graph, "joint"),
        "vae-mixture": Arm(unchanged, "mixture"),
        "vae-kmeans": Arm(unchanged, "kmeans"),
    },
    method=VaDE(10),
)
