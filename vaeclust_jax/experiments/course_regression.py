"""Regression of a smooth surface over two inputs by a small perceptron.

    vaeclust run course-regression --seeds 5
    vaeclust run course-regression --quick

Layers of 16, 16 and 16 units with mish, mish and tanh (609 parameters), Adam with 0.05, and a patience of ten epochs
are the source's. Its function is private: the mean of five smooth functions, weighted by the digits 9, 7, 5, 3, 1, is
in its place (`vaeclust_jax.data.generated.smooth_surface`). 1,000 rows each are for training, validation and test.
"""

from dataclasses import replace

from vaeclust_jax.data import PrepareConfig
from vaeclust_jax.fitting.config import Config, TrainingConfig, with_method
from vaeclust_jax.methods.optimisers import LBFGS
from vaeclust_jax.methods.regressor import Regressor
from vaeclust_jax.networks import Dense
from vaeclust_jax.studies.experiment import Arm, Experiment, unchanged


def _gentle(config: Config) -> Config:
    """A tenth of the learning rate."""
    training = replace(config.training, learning_rate=config.training.learning_rate / 10)
    return replace(config, training=replace(training, patience=5 * training.patience))


def _all_rows(config: Config) -> Config:
    """L-BFGS, a step an epoch; a batch is padded to its size, so that this one has the next power of two of 1,000."""
    training = replace(config.training, batch_size=max(config.training.batch_size, 1024))
    return with_method(replace(config, training=training), optimiser=LBFGS())


EXPERIMENT = Experiment(
    name="course-regression",
    summary="a perceptron of 609 parameters on a smooth surface, Adam 0.05, early stopping; gentler Adam and L-BFGS",
    dataset="smooth-surface",
    arms={"adam": Arm(unchanged), "gentle adam": Arm(_gentle), "l-bfgs": Arm(_all_rows)},
    prepare=PrepareConfig(validation=0.5),
    network=Dense(latent_dim=1, hidden=(16, 16, 16), activations=("mish", "mish", "tanh")),
    method=Regressor(epochs=1000),
    training=TrainingConfig(learning_rate=0.05, patience=10),
    quick=lambda experiment: replace(experiment, method=experiment.method.for_epochs(50)),
)
