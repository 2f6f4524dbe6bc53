"""VAE+DEC on any data set, beside k-means on the same VAE's latents before joint training.

`vaeclust run vaedec` is on digits, with one seed.
"""

from vaeclust_jax.methods.dec import DEC
from vaeclust_jax.studies.experiment import Arm, Experiment, unchanged

EXPERIMENT = Experiment(
    name="vaedec",
    summary="VAE+DEC beside k-means on the VAE's latents; any data set, 50 + 20 epochs",
    dataset="digits",
    arms={
        "vaedec": Arm(unchanged, "joint"),
        "vae-kmeans": Arm(unchanged, "kmeans"),
    },
    method=DEC(10),
)
