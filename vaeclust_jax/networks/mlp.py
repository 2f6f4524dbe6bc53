"""Multi-layer perceptrons for vectors (images are flattened and brought back to their shape).

With "relu" heads all that leaves a network passes a ReLU: the mean, sigma (which is kept above 1e-6) and the pixels,
clipped to [1e-6, 1 - 1e-6]. So one source prints it; where a ReLU is 0, so is its gradient.
"""

import itertools
import math

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from vaeclust_jax.networks.linear import linear

_LEAST = 1e-6


class MLP(nnx.Module):
    """Linear layers with ReLU between them; none after the last."""

    def __init__(self, sizes: tuple[int, ...], start: str, rngs: nnx.Rngs):
        self.layers = nnx.List(linear(i, o, rngs, start) for i, o in itertools.pairwise(sizes))

    def __call__(self, x: Float[Array, "n i"]) -> Float[Array, "n o"]:  # noqa: D102
        for layer in self.layers[:-1]:
            x = jax.nn.relu(layer(x))
        return self.layers[-1](x)


class MLPEncoder(nnx.Module):
    """x -> (mean, logvar): hidden layers with ReLU, two heads."""

    def __init__(
        self, shape: tuple[int, ...], hidden: tuple[int, ...], latent_dim: int, heads: str, start: str, rngs: nnx.Rngs
    ):
        self.relu = heads == "relu"
        self.trunk = MLP((math.prod(shape), *hidden), start, rngs)
        self.mean = linear(hidden[-1], latent_dim, rngs, start)
        self.logvar = linear(hidden[-1], latent_dim, rngs, start)

    def __call__(self, x: Float[Array, "n ..."]) -> tuple[Array, Array]:  # noqa: D102
        h = jax.nn.relu(self.trunk(x.reshape(x.shape[0], -1)))
        if self.relu:
            return jax.nn.relu(self.mean(h)), 2 * jnp.log(jax.nn.relu(self.logvar(h)) + _LEAST)
        return self.mean(h), self.logvar(h)


class MLPDecoder(nnx.Module):
    """z -> logits or mean of x: hidden layers with ReLU, from the code to the sample."""

    def __init__(
        self, shape: tuple[int, ...], hidden: tuple[int, ...], latent_dim: int, heads: str, start: str, rngs: nnx.Rngs
    ):
        self.shape = shape
        self.relu = heads == "relu"
        self.trunk = MLP((latent_dim, *hidden, math.prod(shape)), start, rngs)

    def __call__(self, z: Float[Array, "n l"]) -> Float[Array, "n ..."]:  # noqa: D102
        y = self.trunk(z)
        if self.relu:
            p = jnp.clip(jax.nn.relu(y), _LEAST, 1 - _LEAST)
            y = jnp.log(p) - jnp.log1p(-p)  # logits, as the likelihood takes them
        return y.reshape(z.shape[0], *self.shape)
