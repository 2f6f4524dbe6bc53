"""Batch normalisation and dropout: layers that are another function while they are trained.

Sources: Ioffe and Szegedy, Batch normalization, 2015, Algorithms 1 and 2; Srivastava et al., Dropout, 2014.
"""

import jax
import jax.numpy as jnp
from flax import nnx
from jax import lax
from jaxtyping import Array, Float

from vaeclust_jax.types import Key

_EPSILON = 1e-5


class BatchNorm(nnx.Module):
    """Each channel to mean 0 and variance 1, then times a scale and plus a bias that are learned.

    Running statistics follow Flax's convention: r <- m r + (1 - m) (that of the batch), the variance divided by the
    number of values. PyTorch writes 1 - m for m and, in the running variance alone, divides by one less.
    """

    def __init__(self, channels: int, momentum: float = 0.9):
        self.scale = nnx.Param(jnp.ones(channels))
        self.bias = nnx.Param(jnp.zeros(channels))
        self.mean = nnx.BatchStat(jnp.zeros(channels))
        self.var = nnx.BatchStat(jnp.ones(channels))
        self.momentum = momentum

    def __call__(self, x: Float[Array, "n ... c"]) -> Float[Array, "n ... c"]:
        """By the running statistics."""
        return self._normalised(x, self.mean[...], self.var[...])

    def in_training(self, weight: Float[Array, " n"], x: Float[Array, "n ... c"]) -> Float[Array, "n ... c"]:
        """By the statistics of the batch, in which rows count by weight: padding does not."""
        axes = tuple(range(x.ndim - 1))
        share = jnp.broadcast_to(weight.reshape(-1, *[1] * (x.ndim - 1)), (*x.shape[:-1], 1))
        share = share / share.sum()
        mean = (share * x).sum(axes)
        var = (share * jnp.square(x - mean)).sum(axes)
        for running, of_batch in ((self.mean, mean), (self.var, var)):
            running[...] = self.momentum * running[...] + (1 - self.momentum) * lax.stop_gradient(of_batch)
        return self._normalised(x, mean, var)

    def _normalised(self, x: Array, mean: Array, var: Array) -> Array:
        return (x - mean) * (lax.rsqrt(var + _EPSILON) * self.scale[...]) + self.bias[...]


def dropout(key: Key, x: Float[Array, "..."], rate: float) -> Float[Array, "..."]:
    """Each value 0 with probability `rate`, else divided by 1 - rate: the same in the mean."""
    if rate == 0:
        return x
    return jnp.where(jax.random.bernoulli(key, 1 - rate, x.shape), x / (1 - rate), 0.0)
