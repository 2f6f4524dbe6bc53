"""A stacked autoencoder that classifies MNIST: greedy layers, then the classes, then all; and with no greedy layers.

    vaeclust run course-sae --seeds 5
    vaeclust run course-sae --quick                                # digits
    vaeclust run course-sae --noise 0.3                            # denoising
    vaeclust run idec --start greedy                               # its layers as the start of IDEC and DEC

The source has layers 784-256-64-10: 20 epochs for each layer, 30 for the layer of the classes alone, 50 for all. It
reports a test accuracy of .955. The arm without greedy layers begins with random weights and is trained for as many
steps, 120 epochs of the whole network. Both keep the weights with the lowest loss of 5,000 held-out rows. "classes
alone" is the model before all layers are trained together.
"""

from dataclasses import replace

from vaeclust_jax.data import PrepareConfig
from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.config import Config, TrainingConfig
from vaeclust_jax.methods.greedy import GreedyStart, RandomStart
from vaeclust_jax.methods.stacked import StackedAutoencoder
from vaeclust_jax.networks import MLP
from vaeclust_jax.studies.experiment import Arm, Experiment, unchanged

_LAYERS = 2


def _denoising(config: Config) -> Config:
    method, start = _parts(config)
    return replace(config, method=replace(method, start=replace(start, noise=0.3)))


def _at_once(config: Config) -> Config:
    """As many epochs as all stages together, of the whole network."""
    method, start = _parts(config)
    epochs = _LAYERS * start.layer_epochs + method.classes_epochs + method.epochs
    return replace(config, method=replace(method, start=RandomStart(), classes_epochs=0, epochs=epochs))


def _parts(config: Config) -> tuple[StackedAutoencoder, GreedyStart]:
    """The method and its start.

    Raises:
        InputError: it has no greedy layers to compare with.
    """
    method = config.method
    assert isinstance(method, StackedAutoencoder)
    if not isinstance(method.start, GreedyStart):
        raise InputError(
            "course-sae compares greedy layers with none: leave --start out, or run stacked --start random"
        )
    return method, method.start


EXPERIMENT = Experiment(
    name="course-sae",
    summary="stacked autoencoder that classifies MNIST, with and without greedy layers and noise, 120 epochs",
    dataset="mnist",
    arms={
        "stacked": Arm(unchanged, "together"),
        "stacked, denoising": Arm(_denoising, "together"),
        "classes alone": Arm(unchanged, "classes"),
        "no greedy layers": Arm(_at_once, "together"),
    },
    prepare=PrepareConfig(validation=1 / 12),
    method=StackedAutoencoder(start=GreedyStart(layer_epochs=20), classes_epochs=30, epochs=50),
    network=MLP(latent_dim=64, hidden=(256,)),
    training=TrainingConfig(patience=1000),
    quick=lambda experiment: replace(experiment, dataset="digits"),
)
