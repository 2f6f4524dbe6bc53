"""Passes over many rows outside the training loop: blocks of one shape, so that any number compiles once."""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from vaeclust_jax.forked import check_not_forked
from vaeclust_jax.streamed import HostRows
from vaeclust_jax.types import Heads, Key, Params

ROWS_AT_ONCE = 128  # whose arrays in a convolution fit into a CPU's cache
MANY_AT_ONCE = 2048  # of many narrow rows: a call costs as much as the layers that 128 of them pass
_MANY, _NARROW = 2**16, 64  # rows, and values a row
DRAWN_AT_ONCE = 64  # such a block holds all its draws: with 100 of them and K = 20 half a megabyte


def by_chunk(function: Callable[..., Array], params: Params, *rows: HostRows) -> Float[np.ndarray, "n ..."]:
    """`function(params, *rows)` of any number of rows, at least one.

    Rows are arrays of one length, or what `numpy.asarray` reads slices of.
    """
    program = _jitted(function)
    many = len(rows[0]) >= _MANY and all(math.prod(one.shape[1:]) <= _NARROW for one in rows)
    return _in_blocks(lambda *block: program(params, *block), MANY_AT_ONCE if many else ROWS_AT_ONCE, rows)


def by_row(function: Callable[..., Any], key: Key, params: Params, *rows: HostRows, common_key: bool = False) -> Any:
    """`function(key of the row, params, *row)` of every row, at least one, stacked: a pytree of NumPy arrays.

    The key of a row is a function of `key` and the row's number; with `common_key` every row gets `key` itself.
    """
    program = _jitted_rows(function, common_key)
    numbers = np.arange(len(rows[0]), dtype=np.uint32)
    return _in_blocks(lambda *block: program(key, params, *block), DRAWN_AT_ONCE, (numbers, *rows))


def _in_blocks(program: Callable[..., Any], size: int, rows: Sequence[HostRows]) -> Any:
    """`program(*rows)` of blocks of one shape, the last one padded, so that any number of rows compiles once."""
    check_not_forked()
    # Slices of a NumPy array cost nothing.
    rows = [np.asarray(one) if isinstance(one, jax.Array) else one for one in rows]
    n = len(rows[0])
    results = [
        program(*(_padded(np.asarray(one[start : start + size]), size) for one in rows)) for start in range(0, n, size)
    ]
    return jax.tree.map(lambda *parts: np.concatenate(parts)[:n], *jax.device_get(results))


def _padded(block: np.ndarray, size: int) -> np.ndarray:
    if len(block) == size:
        return block
    return np.pad(block, [(0, size - len(block))] + [(0, 0)] * (block.ndim - 1))


@lru_cache
def _jitted(function: Callable[..., Array]) -> Callable[..., Array]:
    return jax.jit(function)


@lru_cache
def _jitted_rows(function: Callable[..., Any], common_key: bool) -> Callable[..., Any]:
    def block(key: Key, params: Params, numbers: Array, *rows: Array) -> Any:
        # The common key serves every block.
        keys = jax.random.clone(key) if common_key else jax.vmap(lambda row: jax.random.fold_in(key, row))(numbers)
        in_axes = (None if common_key else 0, None, *(0 for _ in rows))
        return jax.vmap(function, in_axes)(keys, params, *rows)

    return jax.jit(block)


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
