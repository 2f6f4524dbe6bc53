"""A VAE 784-1024-300, why samples of its prior fail, and a mixture fitted to its codes in its place.

    vaeclust run course-vae                 # MNIST
    vaeclust run course-vae --quick         # digits, 64-1024-300

Layers, 100 epochs at most and cross-entropy are those of a course on neural networks, whose samples show few clear
digits. Both arms are one training: they differ in where the codes of new samples come from.
"""

from dataclasses import replace

from vaeclust_jax.fitting.config import Config
from vaeclust_jax.methods.generative_vae import VAE
from vaeclust_jax.methods.vade import VaDE
from vaeclust_jax.networks import MLP
from vaeclust_jax.studies.experiment import Arm, Experiment, unchanged


def _vade(config: Config) -> Config:
    return replace(config, method=VaDE(10), network=MLP())


EXPERIMENT = Experiment(
    name="course-vae",
    summary="VAE 784-1024-300: samples of a mixture fitted to its codes, of its prior, and of VaDE, 100 epochs",
    dataset="mnist",
    arms={"vae + mixture": Arm(unchanged), "vae": Arm(unchanged, "vae"), "vade": Arm(_vade)},
    method=VAE(),
    network=MLP(latent_dim=300, hidden=(1024,)),
    quick=lambda experiment: replace(experiment, dataset="digits"),
)
