"""The keys of what is drawn after a fit: one for each use of a seed, and none of them one of the fit's own."""

import jax

from vaeclust_jax.types import Key

# The fit folds the number of a stage, from 0, into the seed's key; these count from the other end.
VIEW_ROWS, VIEW_GRAPHS, GRAPH, SEARCH, SAMPLES, OUTLIERS, PASSES = range(2**32 - 7, 2**32)

SCORE, OBJECTIVE_GRAPH = 0, 1
"""Whole keys, of the draws of a bound and of the graph of an objective, the same for all models and calls: a score then
depends on the row and the model alone."""


def key_of(seed: int, use: int) -> Key:
    """The key of a seed for one of the uses above."""
    return jax.random.fold_in(jax.random.key(seed), use)
