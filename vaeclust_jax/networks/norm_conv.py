"""A convolutional network that classifies: convolutions with batch norm, ReLU and dropout, then a dense layer."""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from vaeclust_jax.networks.batch_norm import BatchNorm, dropout
from vaeclust_jax.networks.conv import conv, conv_output_size
from vaeclust_jax.networks.linear import linear
from vaeclust_jax.random import truncated_normal
from vaeclust_jax.types import Key


class ConvLayer(NamedTuple):
    """Output channels, kernel size, stride, zeros on each side, and the share of values that dropout takes."""

    channels: int
    kernel: int
    stride: int
    padding: int
    dropout: float


def image_sizes(size: tuple[int, int], layers: tuple[ConvLayer, ...]) -> list[tuple[int, int]]:
    """(H, W) before the first layer and after each one; below 1 where a kernel does not fit."""
    sizes = [size]
    for layer in layers:
        h, w = (conv_output_size(one, layer.kernel, layer.stride, layer.padding) for one in sizes[-1])
        sizes.append((h, w))
    return sizes


class NormConv(nnx.Module):
    """A convolution, batch norm, ReLU and dropout."""

    def __init__(self, inputs: int, layer: ConvLayer, batch_norm: bool, rngs: nnx.Rngs):
        shape = (layer.kernel, layer.kernel, inputs, layer.channels)
        self.kernel = nnx.Param(truncated_normal(rngs.params(), shape, 1 / (layer.kernel**2 * inputs)))
        self.bias = nnx.Param(jnp.zeros(layer.channels))
        self.norm = nnx.data(BatchNorm(layer.channels) if batch_norm else None)
        self.layer = layer

    def __call__(self, x: Float[Array, "n h w c"]) -> Float[Array, "n p q o"]:  # noqa: D102
        y = self._convolved(x)
        return jax.nn.relu(y if self.norm is None else self.norm(y))

    def in_training(self, key: Key, weight: Float[Array, " n"], x: Float[Array, "n h w c"]) -> Float[Array, "n p q o"]:
        """As `Network.train`."""
        y = self._convolved(x)
        y = jax.nn.relu(y if self.norm is None else self.norm.in_training(weight, y))
        return dropout(key, y, self.layer.dropout)

    def _convolved(self, x: Array) -> Array:
        return conv(x, self.kernel[...], self.layer.stride, self.layer.padding) + self.bias[...]


class NormConvEncoder(nnx.Module):
    """x -> (features, 0): the layers, flattened, and a dense one."""

    def __init__(
        self, shape: tuple[int, ...], layers: tuple[ConvLayer, ...], batch_norm: bool, features: int, rngs: nnx.Rngs
    ):
        height, width, inputs = shape
        widths = (inputs, *(layer.channels for layer in layers))
        self.layers = nnx.List(NormConv(i, layer, batch_norm, rngs) for i, layer in zip(widths, layers, strict=False))
        flat = math.prod(image_sizes((height, width), layers)[-1]) * widths[-1]
        self.dense = linear(flat, features, rngs)

    def __call__(self, x: Float[Array, "n h w c"]) -> tuple[Array, Array]:  # noqa: D102
        for layer in self.layers:
            x = layer(x)
        return self._dense(x)

    def in_training(self, key: Key, weight: Float[Array, " n"], x: Float[Array, "n h w c"]) -> tuple[Array, Array]:
        """As `Network.train`."""
        for of_layer, layer in zip(jax.random.split(key, len(self.layers)), self.layers, strict=True):
            x = layer.in_training(of_layer, weight, x)
        return self._dense(x)

    def _dense(self, x: Array) -> tuple[Array, Array]:
        features = self.dense(x.reshape(x.shape[0], -1))
        return features, jnp.zeros_like(features)
