"""VAE+DEC on any data set, beside k-means on the same VAE's latents before joint training.

    vaeclust run                      # digits, one seed

Expected on digits (8x8, scaled to 32x32): see notebooks/reproductions.md.
"""

from vaeclust_jax.data import PrepareConfig
from vaeclust_jax.methods.dec import DEC
from vaeclust_jax.studies.experiment import Arm, Experiment, unchanged

EXPERIMENT = Experiment(
    name="vaedec",
    summary="VAE+DEC beside k-means on the VAE's latents; any data set, 30 + 30 epochs",
    dataset="digits",
    arms={
        "vaedec": Arm(unchanged, "joint"),
        "vae-kmeans": Arm(unchanged, "kmeans"),
    },
    prepare=PrepareConfig(image_size=(32, 32)),
    method=DEC(10, pretrain_epochs=30, joint_epochs=30),
)
