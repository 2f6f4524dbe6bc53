"""Keys: what a person gives as one, and those of what is drawn beside a fit, one for each use of a seed."""

from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from vaeclust_jax.checks import is_whole
from vaeclust_jax.errors import InputError
from vaeclust_jax.forked import check_not_forked
from vaeclust_jax.types import Key

# The fit folds the number of a stage, from 0, into the seed's key; these count from the other end. Splitting that key
# would not do: the parts of a split are what folding 0, 1, ... gives.
(
    FEW_LABELS, NUM_CLUSTERS, SCORE, OBJECTIVE_GRAPH, VIEW_ROWS, VIEW_GRAPHS, GRAPH, SEARCH, SAMPLES, OUTLIERS, PASSES,
) = range(2**32 - 11, 2**32)  # fmt: skip
# SCORE and OBJECTIVE_GRAPH are of seed 0 for all models and calls: a score depends on the row and the model alone.


def key_of(seed: int, use: int) -> Key:
    """The key of a seed for one of the uses above."""
    return jax.random.fold_in(jax.random.key(seed), use)


def checked_seeds(seeds: Any) -> list[int]:
    """Whole numbers that stand for keys, as a list.

    Raises:
        InputError: they are none, no such numbers, or not distinct.
    """
    check_not_forked()
    given = list(seeds) if isinstance(seeds, Iterable) and not isinstance(seeds, str) else []
    if not given or not all(map(is_seed, given)) or len(set(given)) < len(given):
        got = repr(given or seeds)[:100]
        instead = f": range({seeds}) is {seeds} of them" if is_seed(seeds) and seeds else ""
        raise InputError(f"seeds must be distinct whole numbers from 0 to 2**32 - 1, at least one, got {got}{instead}")
    return given


def as_key(key: Any, use: int | None = None) -> Key:
    """The key that a person gave, or that of the whole number given in its place.

    Args:
        key: one of `jax.random.key`; or a whole number s from 0 to 2**32 - 1, which stands for `jax.random.key(s)`.
        use: of those above, where something else than a fit is drawn: s stands for `key_of(s, use)`, so that a fit
            and what its model is asked may have the same number.

    Raises:
        InputError: something else.
    """
    check_not_forked()
    if is_seed(key):
        return jax.random.key(jnp.uint32(key)) if use is None else key_of(key, use)
    if isinstance(key, jax.Array) and jnp.issubdtype(key.dtype, jax.dtypes.prng_key) and key.shape == ():
        return key
    got = repr(key) if np.isscalar(key) or key is None else f"{type(key).__name__} of shape {np.shape(key)}"
    raise InputError(f"key must be one of jax.random.key, or a whole number from 0 to 2**32 - 1, got {got[:100]}")


def is_seed(value: Any) -> bool:
    """Whether a whole number stands for a key."""
    return is_whole(value) and 0 <= value < 2**32
