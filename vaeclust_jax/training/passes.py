"""Passes over many rows outside the training loop: chunks of one shape, so that any number compiles once."""

from collections.abc import Callable
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from vaeclust_jax.streamed import HostRows
from vaeclust_jax.types import Learner, Params

ROWS_AT_ONCE = 128  # whose arrays in a convolution fit into a CPU's cache


@lru_cache
def _jitted(function: Callable[..., Array]) -> Callable[..., Array]:
    return jax.jit(function)


def by_chunk(function: Callable[[Params, Array], Array], params: Params, rows: HostRows) -> Float[np.ndarray, "n ..."]:
    """`function(params, rows)` of any number of rows, at least one; the last chunk is padded.

    Rows are an array, or what `numpy.asarray` reads slices of.
    """
    if isinstance(rows, jax.Array):
        rows = np.asarray(rows)  # whose slices cost nothing
    results = []
    for start in range(0, len(rows), ROWS_AT_ONCE):
        chunk = np.asarray(rows[start : start + ROWS_AT_ONCE])
        padded = np.pad(chunk, [(0, ROWS_AT_ONCE - len(chunk))] + [(0, 0)] * (chunk.ndim - 1))
        results.append(_jitted(function)(params, jnp.asarray(padded)))
    return np.concatenate(jax.device_get(results))[: len(rows)]


def encode_rows(
    learner: Learner, params: Params, x: HostRows
) -> tuple[Float[np.ndarray, "n l"], Float[np.ndarray, "n l"]]:
    """Posterior means and log-variances of all rows."""
    both = by_chunk(_joined_encode(learner.encode), params, x)
    mean, logvar = np.split(both, 2, axis=1)
    return mean, logvar


@lru_cache
def _joined_encode(encode: Callable[..., tuple[Array, Array]]) -> Callable[..., Array]:
    return lambda params, x: jnp.concatenate(encode(params, x), axis=1)
