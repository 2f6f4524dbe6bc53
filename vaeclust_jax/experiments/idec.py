"""IDEC and DEC: a deterministic autoencoder whose latents are drawn to centroids, with its decoder and without.

    vaeclust run idec                 # digits, one seed

Sources: Guo et al., Improved Deep Embedded Clustering with Local Structure Preservation, 2017; Xie, Girshick and
Farhadi, Unsupervised Deep Embedding for Clustering Analysis, 2016. Networks, epochs, optimiser and the weight of the
clustering loss are those of `vaeclust run vaedec`, so that these compare with VAE+DEC; they are not the sources'.
"""

from vaeclust_jax.fitting.config import Config, with_method
from vaeclust_jax.methods.dec import DEC
from vaeclust_jax.studies.experiment import Arm, Experiment, unchanged


def without_decoder(config: Config) -> Config:
    """`Arm.configure`: the joint stage minimises the clustering loss alone."""
    return with_method(config, joint_reconstruction=False)


EXPERIMENT = Experiment(
    name="idec",
    summary="IDEC beside DEC and k-means on the autoencoder's latents; any data set, 50 + 20 epochs",
    dataset="digits",
    arms={
        "idec": Arm(unchanged, "joint"),
        "dec": Arm(without_decoder, "joint"),
        "ae-kmeans": Arm(unchanged, "kmeans"),
    },
    method=DEC(10, deterministic=True, beta=0.0),
)
