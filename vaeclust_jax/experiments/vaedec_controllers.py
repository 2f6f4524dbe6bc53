"""VAE+DEC under every controller of beta, beside a beta of 1.

    vaeclust run vaedec-controllers --seeds 5
    vaeclust run vaedec-controllers --dataset coil20 --seeds 5

All methods share networks, epochs and gamma. A schedule takes the epochs of the VAE stage; the KL target of `pid` is 2
nats for each of ten latents, the reconstruction that `geco` holds is what beta 1 reached after ten epochs.
No label is read but for scoring.
"""

from vaeclust_jax.data import PrepareConfig
from vaeclust_jax.fitting.config import TrainingConfig
from vaeclust_jax.methods.dec import DEC
from vaeclust_jax.studies.experiment import Arm, Experiment, with_beta

EXPERIMENT = Experiment(
    name="vaedec-controllers",
    summary="VAE+DEC with beta dynamic, warmed up, cyclic, holding KL or reconstruction, beside beta 1; 30 + 30 epochs",
    dataset="digits",
    arms={
        "dynamic": Arm(with_beta("dynamic:warmup=5"), "joint"),
        "warm-up": Arm(with_beta("linear"), "joint"),
        "cyclic": Arm(with_beta("cyclic"), "joint"),
        "pid": Arm(with_beta("pid:target_kl=20"), "joint"),
        "geco": Arm(with_beta("geco"), "joint"),
        "beta-1": Arm(with_beta(1.0), "joint"),
    },
    prepare=PrepareConfig(image_size=(32, 32)),
    method=DEC(10, pretrain_epochs=30, joint_epochs=30),
    training=TrainingConfig(patience=30),
)
