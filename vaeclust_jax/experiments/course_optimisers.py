"""Optimisers by the loss over epochs and over seconds, on a noisy function of one input.

    vaeclust run course-optimisers --seeds 10
    vaeclust run course-optimisers --quick
    vaeclust run course-optimisers-cnn --seeds 5            # SGD, Adam and Adadelta on images; --quick on digits

Gradient descent with 0.05 and 0.1, with momentum, Adam and L-BFGS with a line search are the source's, and so are 2,500
epochs; every step is of all rows. The function is sin(x^2) with noise of deviation 0.2
(`vaeclust_jax.data.generated.noisy_wave`). Any other optimiser of optax: `--rule rmsprop --rule-settings decay=0.99`,
which stands in the place of the first one.
"""

from collections.abc import Callable
from dataclasses import replace

from vaeclust_jax.data import PrepareConfig
from vaeclust_jax.fitting.config import Config, TrainingConfig, with_method
from vaeclust_jax.methods.classifier import Classifier
from vaeclust_jax.methods.optimisers import LBFGS, Optax, Optimiser
from vaeclust_jax.methods.regressor import Regressor
from vaeclust_jax.networks import Dense, PooledCNN
from vaeclust_jax.studies.experiment import Arm, Experiment, unchanged


def _by(optimiser: Optimiser, learning_rate: float) -> Callable[[Config], Config]:
    def configure(config: Config) -> Config:
        training = replace(config.training, learning_rate=learning_rate)
        return with_method(replace(config, training=training), optimiser=optimiser)

    return configure


def _label(config: Config) -> str:
    """Of the first arm, whose optimiser a person may choose."""
    assert isinstance(config.method, Regressor), "the experiment's"
    optimiser = config.method.optimiser
    if isinstance(optimiser, LBFGS):
        return f"l-bfgs of {optimiser.memory}"
    return " ".join([optimiser.rule, f"{config.training.learning_rate:g}", *optimiser.rule_settings])


EXPERIMENT = Experiment(
    name="course-optimisers",
    summary="SGD, momentum, Adam and L-BFGS on a noisy function of one input, over epochs and over seconds",
    dataset="noisy-wave",
    arms={
        "sgd 0.05": Arm(unchanged, label=_label),
        "sgd 0.1": Arm(_by(Optax("sgd"), 0.1)),
        "momentum": Arm(_by(Optax("sgd", ("momentum=0.9",)), 0.05)),
        "adam": Arm(_by(Optax("adam"), 0.01)),
        "l-bfgs": Arm(_by(LBFGS(), 1.0)),
    },
    prepare=PrepareConfig(validation=0.2),
    network=Dense(latent_dim=1, hidden=(20,), activations=("tanh",)),  # of 50 units, descent with 0.1 diverges
    method=Regressor(epochs=2500, optimiser=Optax("sgd")),
    training=TrainingConfig(learning_rate=0.05, patience=2500, batch_size=256),
    quick=lambda experiment: replace(experiment, method=experiment.method.for_epochs(300)),
)

CNN = Experiment(
    name="course-optimisers-cnn",
    summary="SGD, Adam and Adadelta on a CNN of 34,826 parameters and MNIST, in a reduced form: 5 epochs",
    dataset="mnist",
    arms={
        "adam": Arm(_by(Optax("adam"), 1e-3)),
        "sgd": Arm(_by(Optax("sgd"), 0.01)),
        "adadelta": Arm(_by(Optax("adadelta"), 1.0)),
    },
    prepare=PrepareConfig(validation=1 / 12),
    network=PooledCNN(),
    method=Classifier(epochs=5),
    training=TrainingConfig(batch_size=128),
    quick=lambda experiment: replace(
        experiment,
        dataset="digits",
        prepare=PrepareConfig(image_size=(16, 16), validation=0.2),
        network=PooledCNN(channels=(16, 32)),
    ),
)
