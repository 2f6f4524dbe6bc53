"""Passes over many rows outside the training loop: chunks of one shape, so that any number compiles once."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from vaeclust_jax.streamed import HostRows
from vaeclust_jax.types import Heads, Key, Params

ROWS_AT_ONCE = 128  # whose arrays in a convolution fit into a CPU's cache
DRAWN_AT_ONCE = 64  # a block of rows holds all its passes: with 100 of them and K = 20 half a megabyte


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


def encode_rows(heads: Heads, params: Params, x: HostRows) -> tuple[Float[np.ndarray, "n l"], Float[np.ndarray, "n l"]]:
    """Posterior means and log-variances of all rows."""
    assert heads.encode is not None
    return _split(by_chunk(_joined_encode(heads.encode), params, x))


def encode_views(
    key: Key, heads: Heads, params: Params, x: HostRows
) -> tuple[Float[np.ndarray, "n l"], Float[np.ndarray, "n l"]]:
    """`encode_rows` of one view of every row; the model has them."""
    assert heads.encode is not None
    assert heads.view is not None
    # A key a row: a view then is the same whatever the rows beside it are.
    keys = jax.random.key_data(jax.random.split(key, len(x)))
    return _split(by_chunk(_viewed_encode(heads.encode, heads.view), params, x, np.asarray(keys)))


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


def by_row(function: Callable[..., Any], key: Key, params: Params, *rows: np.ndarray, common_key: bool = False) -> Any:
    """`function(key of the row, params, *row)` of every row, stacked: a pytree of NumPy arrays.

    With `common_key` every row gets the key itself. Blocks of one shape, the last one padded, so that any number of
    rows, at least one, compiles once.
    """
    program, n = _blocks(function, common_key), len(rows[0])
    results = []
    for start in range(0, n, DRAWN_AT_ONCE):
        block = [array[start : start + DRAWN_AT_ONCE] for array in rows]
        padded = [np.pad(part, [(0, DRAWN_AT_ONCE - len(part))] + [(0, 0)] * (part.ndim - 1)) for part in block]
        results.append(program(key, np.arange(start, start + DRAWN_AT_ONCE, dtype=np.uint32), params, *padded))
    return jax.tree.map(lambda *parts: np.concatenate([np.asarray(part) for part in parts])[:n], *results)


@lru_cache
def _blocks(function: Callable[..., Any], common_key: bool) -> Callable[..., Any]:
    def block(key: Key, numbers: Array, params: Params, *rows: Array) -> Any:
        keys = key if common_key else jax.vmap(lambda number: jax.random.fold_in(key, number))(numbers)
        in_axes = (None if common_key else 0, None, *(0 for _ in rows))
        return jax.vmap(function, in_axes)(keys, params, *rows)

    return jax.jit(block)
