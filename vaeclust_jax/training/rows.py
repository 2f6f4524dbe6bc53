"""Passes over many rows outside the training loop: chunks of one shape, so that any number compiles once."""

from collections.abc import Callable
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from vaeclust_jax.streamed import HostRows
from vaeclust_jax.types import Key, Learner, Params

ROWS_AT_ONCE = 128  # whose arrays in a convolution fit into a CPU's cache


@lru_cache
def _jitted(function: Callable[..., Array]) -> Callable[..., Array]:
    return jax.jit(function)


def by_chunk(function: Callable[..., Array], params: Params, *rows: HostRows) -> Float[np.ndarray, "n ..."]:
    """`function(params, *rows)` of any number of rows, at least one; the last chunk is padded.

    Rows are arrays of one length, or what `numpy.asarray` reads slices of.
    """
    # Slices of a NumPy array cost nothing.
    rows = tuple(np.asarray(one) if isinstance(one, jax.Array) else one for one in rows)
    results = []
    for start in range(0, len(rows[0]), ROWS_AT_ONCE):
        chunks = [np.asarray(one[start : start + ROWS_AT_ONCE]) for one in rows]
        results.append(_jitted(function)(params, *(jnp.asarray(_padded(chunk)) for chunk in chunks)))
    return np.concatenate(jax.device_get(results))[: len(rows[0])]


def _padded(chunk: np.ndarray) -> np.ndarray:
    return np.pad(chunk, [(0, ROWS_AT_ONCE - len(chunk))] + [(0, 0)] * (chunk.ndim - 1))


def encode_rows(
    learner: Learner, params: Params, x: HostRows
) -> tuple[Float[np.ndarray, "n l"], Float[np.ndarray, "n l"]]:
    """Posterior means and log-variances of all rows."""
    return _split(by_chunk(_joined_encode(learner.encode), params, x))


def encode_views(
    key: Key, learner: Learner, params: Params, x: HostRows
) -> tuple[Float[np.ndarray, "n l"], Float[np.ndarray, "n l"]]:
    """`encode_rows` of one view of every row; the learner has them."""
    assert learner.view is not None
    # A key a row: a view then is the same whatever the rows beside it are.
    keys = jax.random.key_data(jax.random.split(key, len(x)))
    return _split(by_chunk(_viewed_encode(learner.encode, learner.view), params, x, np.asarray(keys)))


def _split(both: Float[np.ndarray, "n two_l"]) -> tuple[Float[np.ndarray, "n l"], Float[np.ndarray, "n l"]]:
    mean, logvar = np.split(both, 2, axis=1)
    return mean, logvar


@lru_cache
def _joined_encode(encode: Callable[..., tuple[Array, Array]]) -> Callable[..., Array]:
    return lambda params, x: jnp.concatenate(encode(params, x), axis=1)


@lru_cache
def _viewed_encode(
    encode: Callable[..., tuple[Array, Array]], view: Callable[[Key, Array], Array]
) -> Callable[..., Array]:
    def one(key: Key, row: Array) -> Array:
        return view(key, row[None])[0]

    def encoded(params: Params, x: Array, keys: Array) -> Array:
        return jnp.concatenate(encode(params, jax.vmap(one)(jax.random.wrap_key_data(keys), x)), axis=1)

    return encoded
