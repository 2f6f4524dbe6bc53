"""Adversarial networks with dense and convolutional layers, beside every other generator of the library.

    vaeclust run course-gan                 # MNIST; hours on two cores
    vaeclust run course-gan --quick         # digits, 60 epochs

The judge is a classifier of our own on the labels of the training rows; its FID compares with the floor, training
against held-out rows, and with no figure of Inception's. Labels reach no generator.
"""

from collections.abc import Callable
from dataclasses import replace

from vaeclust_jax.experiments import course_rbm
from vaeclust_jax.fitting.config import Config, TrainingConfig
from vaeclust_jax.methods.dbm import DBM
from vaeclust_jax.methods.dec import DEC
from vaeclust_jax.methods.gan import GAN
from vaeclust_jax.methods.generative_vae import VAE
from vaeclust_jax.methods.method import Method
from vaeclust_jax.methods.rbm import RBM
from vaeclust_jax.methods.vade import VaDE
from vaeclust_jax.networks import MLP, Conv
from vaeclust_jax.studies.experiment import Arm, Experiment, unchanged


def _conv(config: Config) -> Config:
    return replace(config, network=Conv(latent_dim=64, channels=(32, 64), kernels=(5, 5)))


def _other(method: Method) -> Callable[[Config], Config]:
    """Another generator, with its own networks and optimiser."""
    return lambda config: replace(config, method=method, network=MLP(), training=TrainingConfig())


def _machines(training: TrainingConfig, rbm: RBM, dbm: DBM) -> dict[str, Arm]:
    """Boltzmann machines, trained as those of `course-rbm`."""

    def arm(method: Method) -> Arm:
        return Arm(lambda config: replace(config, method=method, training=training))

    return {"rbm": arm(rbm), "dbm": arm(dbm)}


def _quick(experiment: Experiment) -> Experiment:
    machines = _machines(course_rbm.FEW_ROWS, RBM(epochs=30), DBM(pretrain_epochs=10, epochs=15))
    vaes = {"vae + mixture": Arm(_other(VAE(epochs=50))), "vae": Arm(_other(VAE(epochs=50)), "vae")}
    arms = {**experiment.arms, **vaes, **machines}
    return replace(experiment, dataset="digits", arms=arms, method=GAN(epochs=60, r1=0.1))


EXPERIMENT = Experiment(
    name="course-gan",
    summary="GANs, dense and convolutional, beside every other generator of the library, judged by a CNN of our own",
    dataset="mnist",
    arms={
        "gan": Arm(unchanged),
        "gan, last weights": Arm(unchanged, "gan"),
        "gan, conv": Arm(_conv),
        "vae + mixture": Arm(_other(VAE())),
        "vae": Arm(_other(VAE()), "vae"),
        "vade": Arm(_other(VaDE(10))),
        "vaedec": Arm(_other(DEC(10))),
        **_machines(course_rbm.EXPERIMENT.training, RBM(epochs=60), DBM()),
    },
    method=GAN(r1=0.1),
    network=MLP(latent_dim=64, hidden=(512, 256), decoder_hidden=(256, 512, 1024)),
    training=TrainingConfig(batch_size=64, learning_rate=2e-4),
    quick=_quick,
)
