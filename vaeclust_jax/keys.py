"""The keys of what is drawn beside a fit: one for each use of a seed, and none of them one of the fit's own."""

import jax

from vaeclust_jax.types import Key

# The fit folds the number of a stage, from 0, into the seed's key; these count from the other end. Splitting that key
# would not do: the parts of a split are what folding 0, 1, ... gives.
NUM_CLUSTERS, SCORE, OBJECTIVE_GRAPH, VIEW_ROWS, VIEW_GRAPHS, GRAPH, SEARCH, SAMPLES, OUTLIERS, PASSES = range(
    2**32 - 10, 2**32
)
# SCORE and OBJECTIVE_GRAPH are of seed 0 for all models and calls: a score depends on the row and the model alone.


def key_of(seed: int, use: int) -> Key:
    """The key of a seed for one of the uses above."""
    return jax.random.fold_in(jax.random.key(seed), use)
