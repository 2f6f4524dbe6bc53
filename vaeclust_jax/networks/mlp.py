"""Multi-layer perceptrons for vectors (images are flattened and brought back to their shape)."""

import itertools
import math

import jax
from flax import nnx
from jaxtyping import Array, Float

from vaeclust_jax.networks.linear import linear


class MLP(nnx.Module):
    """Linear layers with ReLU between them; none after the last."""

    def __init__(self, sizes: tuple[int, ...], rngs: nnx.Rngs):
        self.layers = nnx.List(linear(i, o, rngs) for i, o in itertools.pairwise(sizes))

    def __call__(self, x: Float[Array, "n i"]) -> Float[Array, "n o"]:  # noqa: D102
        for layer in self.layers[:-1]:
            x = jax.nn.relu(layer(x))
        return self.layers[-1](x)


class MLPEncoder(nnx.Module):
    """x -> (mean, logvar): hidden layers with ReLU, two linear heads."""

    def __init__(self, shape: tuple[int, ...], hidden: tuple[int, ...], latent_dim: int, rngs: nnx.Rngs):
        self.trunk = MLP((math.prod(shape), *hidden), rngs)
        self.mean = linear(hidden[-1], latent_dim, rngs)
        self.logvar = linear(hidden[-1], latent_dim, rngs)

    def __call__(self, x: Float[Array, "n ..."]) -> tuple[Array, Array]:  # noqa: D102
        h = jax.nn.relu(self.trunk(x.reshape(x.shape[0], -1)))
        return self.mean(h), self.logvar(h)


class MLPDecoder(nnx.Module):
    """z -> logits or mean of x: the encoder's hidden widths in reverse."""

    def __init__(self, shape: tuple[int, ...], hidden: tuple[int, ...], latent_dim: int, rngs: nnx.Rngs):
        self.shape = shape
        self.trunk = MLP((latent_dim, *reversed(hidden), math.prod(shape)), rngs)

    def __call__(self, z: Float[Array, "n l"]) -> Float[Array, "n ..."]:  # noqa: D102
        return self.trunk(z).reshape(z.shape[0], *self.shape)
