"""A convolutional classifier with pooling: each layer a convolution, ReLU and the largest of 2 x 2; then dropout."""

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from vaeclust_jax.networks.batch_norm import dropout
from vaeclust_jax.networks.conv import conv
from vaeclust_jax.random import truncated_normal
from vaeclust_jax.types import Key


def pooled(x: Float[Array, "n h w c"]) -> Float[Array, "n p q c"]:
    """The largest value of every 2 x 2 pixels; a last odd row or column is left out."""
    h, w = (2 * (size // 2) for size in x.shape[1:3])
    parts = [x[:, i:h:2, j:w:2] for i in (0, 1) for j in (0, 1)]
    return jnp.stack(parts).max(axis=0)


def num_features(size: tuple[int, int], channels: tuple[int, ...], kernel: int) -> int:
    """Values that are left after all layers; 0 where a kernel does not fit."""
    h, w = size
    for _ in channels:
        h, w = max(h - kernel + 1, 0) // 2, max(w - kernel + 1, 0) // 2
    return h * w * channels[-1]


class PooledEncoder(nnx.Module):
    """x -> (features, 0): the layers without padding, flattened."""

    def __init__(self, inputs: int, channels: tuple[int, ...], kernel: int, rate: float, rngs: nnx.Rngs):
        widths, self.rate = (inputs, *channels), rate
        self.kernels = nnx.List(
            nnx.Param(truncated_normal(rngs.params(), (kernel, kernel, i, o), 1 / (kernel**2 * i)))
            for i, o in zip(widths, channels, strict=False)
        )
        self.biases = nnx.List(nnx.Param(jnp.zeros(o)) for o in channels)

    def __call__(self, x: Float[Array, "n h w c"]) -> tuple[Array, Array]:  # noqa: D102
        for kernel, bias in zip(self.kernels, self.biases, strict=True):
            x = pooled(jax.nn.relu(conv(x, kernel[...], 1, 0) + bias[...]))
        features = x.reshape(x.shape[0], -1)
        return features, jnp.zeros_like(features)

    def in_training(self, key: Key, weight: Float[Array, " n"], x: Float[Array, "n h w c"]) -> tuple[Array, Array]:
        """As `Network.train`."""
        features, nothing = self(x)
        return dropout(key, features, self.rate), nothing
