"""The models whose training is timed, and how many floating-point operations their mathematics has.

Counted are the matrix products alone (a convolution is one), a multiplication and an addition each: those of the
forward pass, and two more of each size for the gradients of its input and of its weights.
"""

import math
from itertools import pairwise
from typing import NamedTuple

from vaeclust_jax import networks as kinds
from vaeclust_jax.experiments import dynamic_beta_insects
from vaeclust_jax.networks.build import NetworkConfig
from vaeclust_jax.networks.cnn import image_sizes
from vaeclust_jax.types import Networks


class Model(NamedTuple):
    """Networks with the settings they are trained with."""

    config: NetworkConfig
    shape: tuple[int, ...]
    """Of one sample."""
    beta: float
    learning_rate: float
    likelihood: str = "bernoulli"

    @property
    def networks(self) -> Networks:
        """As `fit` builds them."""
        return self.config.build(self.shape)


CONV = Model(kinds.Conv(latent_dim=10), (32, 32, 1), beta=1.0, learning_rate=1e-3)
"""Of the VAE+DEC in notebooks/reproductions.md, COIL-20 at 32 x 32."""
MLP = Model(kinds.MLP(hidden=(392, 196, 98), latent_dim=8), (784,), beta=3.0, learning_rate=5e-4)
"""A narrow MLP of four layers, MNIST."""
WIDE_MLP = Model(kinds.MLP(hidden=(1024,), latent_dim=300), (784,), beta=1.0, learning_rate=1e-3)
"""One wide layer, as in many course models."""

INSECTS = Model(dynamic_beta_insects.EXPERIMENT.network, (193,), beta=1.0, learning_rate=1e-3, likelihood="squared")
"""The deep and narrow MLP of the dynamic beta-VAE, spectra of 193 bins."""


def encode_flops(model: Model) -> float:
    """Floating-point operations of the encoder for one sample."""
    return _hidden_flops(model) + _heads_flops(model)


def train_flops(model: Model) -> float:
    """Floating-point operations of one sample in a training step; the input rows need no gradient."""
    first = _layers_flops(model)[0]
    # The decoder has the encoder's hidden layers mirrored, behind one linear layer from z: half the two heads.
    forward = 2 * _hidden_flops(model) + 1.5 * _heads_flops(model)
    return 3 * forward - first


def _hidden_flops(model: Model) -> float:
    return sum(_layers_flops(model))


def _layers_flops(model: Model) -> list[float]:
    """Of each hidden layer of the encoder."""
    config = model.config
    if isinstance(config, kinds.MLP):
        return [2.0 * i * o for i, o in pairwise((math.prod(model.shape), *config.hidden))]
    assert isinstance(config, kinds.Conv)
    height, width, channels = model.shape
    pixels = [h * w for h, w in image_sizes((height, width), config.kernels)[1:]]
    products = [i * o for i, o in pairwise((channels, *config.channels))]
    return [2.0 * p * k**2 * io for p, k, io in zip(pixels, config.kernels, products, strict=True)]


def _heads_flops(model: Model) -> float:
    config = model.config
    if isinstance(config, kinds.MLP):
        features = config.hidden[-1]
    else:
        assert isinstance(config, kinds.Conv)
        height, width, _ = model.shape
        features = math.prod(image_sizes((height, width), config.kernels)[-1]) * config.channels[-1]
    return 2.0 * features * 2 * config.latent_dim
