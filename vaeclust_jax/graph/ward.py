"""Ward's agglomeration of weighted points."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from vaeclust_jax.errors import InputError
from vaeclust_jax.graph.tree import Merges, clusters_of


class Merged(NamedTuple):
    """Clusters of points, and how much they stand apart.

    Attributes:
        labels: (m,) from 0.
        gap: log of what one merge more would cost over what the last one did; 0 where there is no next or no last.
        merges: down to one cluster.
    """

    labels: Int[np.ndarray, " m"]
    gap: float
    merges: Merges


def ward(points: Float[np.ndarray, "m d"], sizes: Float[np.ndarray, " m"], num_clusters: int) -> Merged:
    """Merges points, each standing for `sizes` of them, down to `num_clusters`.

    Always the pair whose union adds least to the sum of squares, |A| |B| / (|A| + |B|) times the squared distance of
    their means (Ward 1963). By chains of nearest neighbours, which find the same merges as a search of all pairs
    (Murtagh 1983), in m^2 time and space.

    Raises:
        InputError: more clusters than points.
    """
    m = len(points)
    if not 1 <= num_clusters <= m:
        raise InputError(f"num_clusters must lie in 1 to {m}, the number of micro-clusters, got {num_clusters}")
    merges = _merges(points, np.asarray(sizes, float))
    # Chains find merges out of order: the cheapest m - k of them make the clusters.
    merges.sort(key=lambda merge: merge[0])
    costs = np.array([cost for cost, _, _ in merges])
    pairs = np.array([pair for _, *pair in merges], int).reshape(-1, 2)
    labels = clusters_of(pairs, num_clusters)
    tree = Merges(np.arange(m), pairs, np.sqrt(2 * np.maximum(costs, 0)))
    if not 1 < num_clusters < m:
        return Merged(labels, 0.0, tree)
    last, following = np.maximum(costs, np.finfo(float).tiny)[m - num_clusters - 1 :][:2].tolist()
    return Merged(labels, float(np.log(following / last)), tree)


def _merges(points: np.ndarray, sizes: np.ndarray) -> list[tuple[float, int, int]]:
    """(cost, a, b) of the whole tree, a and b members of the two clusters."""
    squares = (points**2).sum(axis=1)
    cost = np.maximum(squares[:, np.newaxis] + squares - 2 * points @ points.T, 0)
    cost *= sizes[:, np.newaxis] * sizes / (sizes[:, np.newaxis] + sizes)
    np.fill_diagonal(cost, np.inf)
    sizes, alive = sizes.copy(), np.ones(len(points), bool)
    chain: list[int] = []
    merges = []
    while alive.sum() > 1:
        if not chain:
            chain = [int(np.flatnonzero(alive)[0])]
        a = chain[-1]
        b = int(np.argmin(cost[a]))
        if len(chain) > 1 and cost[a, chain[-2]] <= cost[a, b]:  # ties go back, or the chain would run in circles
            b = chain[-2]
        if len(chain) < 2 or b != chain[-2]:
            chain.append(b)
            continue
        chain = chain[:-2]
        merges.append((float(cost[a, b]), a, b))
        # Lance and Williams 1967: the union takes the place of b.
        total = sizes + sizes[a] + sizes[b]
        row = ((sizes + sizes[a]) * cost[a] + (sizes + sizes[b]) * cost[b] - sizes * cost[a, b]) / total
        sizes[b] += sizes[a]
        alive[a] = False
        row[~alive] = np.inf
        row[b] = np.inf
        cost[b], cost[:, b] = row, row
        cost[a], cost[:, a] = np.inf, np.inf
    return merges
