"""Convolutional encoder and decoder: strided convolutions, each halving the image, and their mirror."""

import math

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from vaeclust_jax.networks.conv import conv, conv_output_size, conv_transpose
from vaeclust_jax.networks.linear import linear
from vaeclust_jax.random import truncated_normal

_STRIDE = 2


def _padding(kernel: int) -> int:
    return (kernel - 1) // 2


class Conv(nnx.Module):
    """Convolution of stride 2 with bias."""

    def __init__(self, inputs: int, outputs: int, kernel: int, rngs: nnx.Rngs):
        shape = (kernel, kernel, inputs, outputs)
        self.kernel = nnx.Param(truncated_normal(rngs.params(), shape, 1 / (kernel**2 * inputs)))
        self.bias = nnx.Param(jnp.zeros(outputs))

    def __call__(self, x: Float[Array, "n h w c"]) -> Float[Array, "n p q o"]:  # noqa: D102
        return conv(x, self.kernel[...], _STRIDE, _padding(self.kernel.shape[0])) + self.bias[None, None, None]


class ConvTranspose(nnx.Module):
    """Transposed convolution of stride 2 to a given image size, with bias."""

    def __init__(self, inputs: int, outputs: int, kernel: int, size: tuple[int, int], rngs: nnx.Rngs):
        # An output pixel sees kernel^2 / stride^2 windows, hence the scale of the variance.
        shape, variance = (kernel, kernel, outputs, inputs), _STRIDE**2 / (kernel**2 * inputs)
        self.kernel = nnx.Param(truncated_normal(rngs.params(), shape, variance))
        self.bias = nnx.Param(jnp.zeros(outputs))
        self.size = size

    def __call__(self, y: Float[Array, "n p q o"]) -> Float[Array, "n h w c"]:  # noqa: D102
        x = conv_transpose(y, self.kernel[...], _STRIDE, _padding(self.kernel.shape[0]), self.size)
        return x + self.bias[None, None, None]


def image_sizes(size: tuple[int, int], kernels: tuple[int, ...]) -> list[tuple[int, int]]:
    """(H, W) before the first layer and after each one."""
    sizes = [size]
    for kernel in kernels:
        h, w = (conv_output_size(s, kernel, _STRIDE, _padding(kernel)) for s in sizes[-1])
        sizes.append((h, w))
    return sizes


class ConvEncoder(nnx.Module):
    """x -> (mean, logvar): convolutions of stride 2 with ReLU, flattened, two linear heads."""

    def __init__(
        self,
        shape: tuple[int, ...],
        channels: tuple[int, ...],
        kernels: tuple[int, ...],
        latent_dim: int,
        rngs: nnx.Rngs,
    ):
        height, width, inputs = shape
        widths = (inputs, *channels)
        self.layers = nnx.List(Conv(i, o, k, rngs) for i, o, k in zip(widths, channels, kernels, strict=False))
        features = math.prod(image_sizes((height, width), kernels)[-1]) * channels[-1]
        self.mean = linear(features, latent_dim, rngs)
        self.logvar = linear(features, latent_dim, rngs)

    def __call__(self, x: Float[Array, "n h w c"]) -> tuple[Array, Array]:  # noqa: D102
        for layer in self.layers:
            x = jax.nn.relu(layer(x))
        x = x.reshape(x.shape[0], -1)
        return self.mean(x), self.logvar(x)


class ConvDecoder(nnx.Module):
    """z -> logits or mean of x: a linear layer, then the encoder's convolutions transposed in reverse order."""

    def __init__(
        self,
        shape: tuple[int, ...],
        channels: tuple[int, ...],
        kernels: tuple[int, ...],
        latent_dim: int,
        rngs: nnx.Rngs,
    ):
        height, width, outputs = shape
        sizes = image_sizes((height, width), kernels)
        self.smallest = (*sizes[-1], channels[-1])
        self.first = linear(latent_dim, math.prod(self.smallest), rngs)
        widths = (outputs, *channels)
        self.layers = nnx.List(
            ConvTranspose(widths[i + 1], widths[i], kernels[i], sizes[i], rngs) for i in reversed(range(len(channels)))
        )

    def __call__(self, z: Float[Array, "n l"]) -> Float[Array, "n h w c"]:  # noqa: D102
        y = self.first(z).reshape(z.shape[0], *self.smallest)
        for layer in self.layers[:-1]:
            y = jax.nn.relu(layer(y))
        return self.layers[-1](y)
