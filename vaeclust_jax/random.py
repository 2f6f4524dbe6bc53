"""Random numbers that compile fast.

XLA's CPU backend takes four times as long to compile threefry for an array of several axes as for a vector; the numbers
are the same.
"""

import math
from collections.abc import Callable
from typing import Any

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


def as_numbers(tree: Any) -> tuple[Any, Callable[[Any], Any]]:
    """A pytree with the numbers that its keys are made of in their place, and the function that makes keys of them.

    For loops and branches under `vmap`, which move keys or choose between them: that is no use of a key, but
    `jax_debug_key_reuse` takes it for one.
    """

    def impl_of(leaf: Array) -> Any:
        return jax.random.key_impl(leaf) if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) else None

    leaves, structure = jax.tree.flatten(tree)
    impls = [impl_of(leaf) for leaf in leaves]
    numbers = [leaf if impl is None else jax.random.key_data(leaf) for leaf, impl in zip(leaves, impls, strict=True)]

    def again(numbers: Any) -> Any:
        made = [
            leaf if impl is None else jax.random.wrap_key_data(leaf, impl=impl)
            for leaf, impl in zip(jax.tree.leaves(numbers), impls, strict=True)
        ]
        return jax.tree.unflatten(structure, made)

    return jax.tree.unflatten(structure, numbers), again
