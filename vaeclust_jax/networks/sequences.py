"""From sizes to networks of series, (n, T) or (n, T C), and to perceptrons with activations of one's own."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

from vaeclust_jax.errors import InputError
from vaeclust_jax.networks.adapter import from_module
from vaeclust_jax.networks.build import MLP, NetworkConfig
from vaeclust_jax.types import Networks

Activation = Literal["relu", "mish", "tanh", "sigmoid", "gelu", "silu", "elu", "softplus"]
"""Functions of `jax.nn`."""


@dataclass(frozen=True, kw_only=True)
class SeriesNetwork(NetworkConfig):
    """Base of the networks of series: a vector is T steps of C values side by side."""

    channels_a_step: int = 1
    """C, values at each step of a series that is given as a vector of T C."""

    def resolved(self, shape: tuple[int, ...]) -> NetworkConfig:
        """Itself; images are refused here, before they are resized and their values taken for pixels."""
        _check_vectors(shape)
        return self

    def check(self, shape: tuple[int, ...]) -> None:  # noqa: D102
        super().check(shape)
        _check_vectors(shape)
        if self.channels_a_step < 1:
            raise InputError(f"channels_a_step must be at least 1, got {self.channels_a_step}")
        if shape[0] % self.channels_a_step:
            raise InputError(
                f"channels_a_step must divide the length of a sample, {shape[0]}, got {self.channels_a_step}"
            )


def _check_vectors(shape: tuple[int, ...]) -> None:
    """An array (n, T, C) cannot be told from images of T x C pixels."""
    if len(shape) == 3:
        raise InputError(
            "networks of series need vectors (n, T C), got images: give an array (n, T, C) as x.reshape(len(x), -1), "
            "and set channels_a_step (--channels-a-step) to C"
        )


@dataclass(frozen=True, kw_only=True)
class LSTM(SeriesNetwork):
    """Recurrent networks for series: long short-term memory cells, whose last answer is read.

    Example:
        >>> networks = vc.LSTM(latent_dim=2, cells=(8,)).build((30,))
        >>> mean, logvar = networks.encoder.apply(networks.encoder.init(jax.random.key(0)), np.zeros((3, 30)))
        >>> mean.shape
        (3, 2)
    """

    cells: tuple[int, ...] = (100,)
    """Cells of each layer; the decoder's in reverse."""

    def check(self, shape: tuple[int, ...]) -> None:  # noqa: D102
        super().check(shape)
        if not self.cells or min(self.cells) < 1:
            raise InputError(f"cells must name at least one width, each at least 1, got {self.cells}")

    def build(self, shape: tuple[int, ...]) -> Networks:  # noqa: D102
        return _build_lstm(self, shape)


@lru_cache
def _build_lstm(config: LSTM, shape: tuple[int, ...]) -> Networks:
    from vaeclust_jax.networks.recurrent import LSTMDecoder, LSTMEncoder

    c, length = config.channels_a_step, config.latent_dim
    return Networks(
        from_module(lambda rngs: LSTMEncoder(shape, c, config.cells, length, rngs)),
        from_module(lambda rngs: LSTMDecoder(shape, c, config.cells[::-1], length, rngs)),
    )


@dataclass(frozen=True, kw_only=True)
class Conv1D(SeriesNetwork):
    """Convolutions along the time of a series, every layer of which halves the steps.

    Example:
        >>> networks = vc.Conv1D(latent_dim=2, filters=(8,)).build((30,))
        >>> networks.decoder.apply(networks.decoder.init(jax.random.key(0)), np.zeros((3, 2))).shape
        (3, 30)
    """

    filters: tuple[int, ...] = (32, 64)
    """Output channels of each layer."""
    kernel: int = 5
    """Steps that a filter sees."""

    def check(self, shape: tuple[int, ...]) -> None:  # noqa: D102
        super().check(shape)
        if not self.filters or min(self.filters) < 1:
            raise InputError(f"filters must name at least one width, each at least 1, got {self.filters}")
        if self.kernel < 2:
            raise InputError(f"kernel must be at least 2, got {self.kernel}")

    def build(self, shape: tuple[int, ...]) -> Networks:  # noqa: D102
        return _build_conv1d(self, shape)


@lru_cache
def _build_conv1d(config: Conv1D, shape: tuple[int, ...]) -> Networks:
    from vaeclust_jax.networks.series import Conv1DDecoder, Conv1DEncoder

    sizes = (shape, config.channels_a_step, config.filters, config.kernel, config.latent_dim)
    return Networks(
        from_module(lambda rngs: Conv1DEncoder(*sizes, rngs=rngs)),
        from_module(lambda rngs: Conv1DDecoder(*sizes, rngs=rngs)),
    )


@dataclass(frozen=True, kw_only=True)
class Dense(MLP):
    """A perceptron with an activation a layer and one head: its code has variance 1, for which nothing is learned.

    Example:
        >>> dense = vc.Dense(latent_dim=1, hidden=(16, 16, 16), activations=("mish", "mish", "tanh"))
        >>> sum(leaf.size for leaf in jax.tree.leaves(dense.build((2,)).encoder.init(jax.random.key(0))))
        609
    """

    hidden: tuple[int, ...] = (100,)
    """Widths of the hidden layers; the decoder's in reverse."""
    activations: tuple[str, ...] = ("relu",)
    """Of each hidden layer: relu, mish, tanh, sigmoid, gelu, silu, elu or softplus; one stands for all."""

    def check(self, shape: tuple[int, ...]) -> None:  # noqa: D102
        super().check(shape)
        known = get_args(Activation)
        if unknown := [name for name in self.activations if name not in known]:
            raise InputError(f"activations must be among {', '.join(known)}, got {unknown[0]!r}")
        if len(self.activations) not in (1, len(self.hidden)):
            raise InputError(
                f"activations must be one, or one for each of {len(self.hidden)} hidden layers, got {self.activations}"
            )

    def build(self, shape: tuple[int, ...]) -> Networks:  # noqa: D102
        return _build_dense(self, shape)


@lru_cache
def _build_dense(config: Dense, shape: tuple[int, ...]) -> Networks:
    from vaeclust_jax.networks.dense import DenseEncoder
    from vaeclust_jax.networks.mlp import MLPDecoder

    each = config.activations * len(config.hidden) if len(config.activations) == 1 else config.activations
    back = config.hidden[::-1] if config.decoder_hidden is None else config.decoder_hidden
    sizes = (math.prod(shape), *config.hidden, config.latent_dim)
    return Networks(
        from_module(lambda rngs: DenseEncoder(sizes, each, rngs)),
        from_module(lambda rngs: MLPDecoder(shape, back, config.latent_dim, "linear", "flax", rngs=rngs)),
    )
