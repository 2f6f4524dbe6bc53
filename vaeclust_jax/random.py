"""Random numbers that compile fast.

XLA's CPU backend takes four times as long to compile threefry for an array of several axes as for a vector; the numbers
are the same.
"""

import math

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike
from jaxtyping import Array

from vaeclust_jax.types import Key


def normal(key: Key, shape: tuple[int, ...], dtype: DTypeLike = jnp.float32) -> Array:
    """`jax.random.normal`, to the bit."""
    return jax.random.normal(key, (math.prod(shape),), dtype).reshape(shape)


def uniform(key: Key, shape: tuple[int, ...], dtype: DTypeLike = jnp.float32) -> Array:
    """`jax.random.uniform` between 0 and 1, to the bit."""
    return jax.random.uniform(key, (math.prod(shape),), dtype).reshape(shape)


def truncated_normal(key: Key, shape: tuple[int, ...], variance: float) -> Array:
    """Normal numbers without those beyond two deviations, of the given variance: how weights start."""
    inside = jnp.float32(0.87962566103423978)  # the deviation of what is left of a standard normal
    scale = jnp.sqrt(jnp.float32(variance)) / inside
    return jax.random.truncated_normal(key, -2, 2, (math.prod(shape),)).reshape(shape) * scale
