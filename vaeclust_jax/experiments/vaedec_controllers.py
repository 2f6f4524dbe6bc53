"""VAE+DEC under every controller of beta, beside a beta of 1.

    vaeclust run vaedec-controllers --seeds 5
    vaeclust run vaedec-controllers --dataset coil20 --seeds 5

All methods share networks, epochs and gamma. A schedule takes the epochs of the VAE stage; the KL target of `pid` is 2
nats for each of ten latents, the reconstruction that `geco` holds is what beta 1 reached after ten epochs.
No label is read but for scoring.
"""

from vaeclust_jax.data import PrepareConfig
from vaeclust_jax.fitting.config import ModelConfig, TrainingConfig
from vaeclust_jax.networks.build import NetworkConfig
from vaeclust_jax.studies.experiment import Experiment, Method, with_beta

EXPERIMENT = Experiment(
    name="vaedec-controllers",
    summary="VAE+DEC with beta dynamic, warmed up, cyclic, holding KL or reconstruction, beside beta 1; 30 + 30 epochs",
    dataset="digits",
    methods={
        "dynamic": Method(with_beta("dynamic:warmup=5"), "joint"),
        "warm-up": Method(with_beta("linear"), "joint"),
        "cyclic": Method(with_beta("cyclic"), "joint"),
        "pid": Method(with_beta("pid:target_kl=20"), "joint"),
        "geco": Method(with_beta("geco"), "joint"),
        "beta-1": Method(with_beta(1.0), "joint"),
    },
    prepare=PrepareConfig(image_size=(32, 32)),
    network=NetworkConfig(),
    model=ModelConfig(),
    training=TrainingConfig(pretrain_epochs=30, joint_epochs=30, patience=30),
)
