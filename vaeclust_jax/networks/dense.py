"""A perceptron whose every layer has an activation of its own, and nothing else: no second head."""

import itertools

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from vaeclust_jax.networks.linear import linear


class DenseEncoder(nnx.Module):
    """x -> (code, 0): the code is the last layer's answer, and has variance 1, for which there are no parameters."""

    def __init__(self, sizes: tuple[int, ...], activations: tuple[str, ...], rngs: nnx.Rngs):
        self.layers = nnx.List(linear(i, o, rngs) for i, o in itertools.pairwise(sizes))
        self.activations = activations

    def __call__(self, x: Float[Array, "n ..."]) -> tuple[Array, Array]:  # noqa: D102
        x = x.reshape(x.shape[0], -1)
        for layer, name in zip(self.layers[:-1], self.activations, strict=True):
            x = getattr(jax.nn, name)(layer(x))
        code = self.layers[-1](x)
        return code, jnp.zeros_like(code)
