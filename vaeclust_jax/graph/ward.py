"""Ward's agglomeration of weighted points."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse
from scipy.sparse.csgraph import connected_components

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


def ward(
    points: Float[np.ndarray, "m d"],
    sizes: Float[np.ndarray, " m"],
    num_clusters: int,
    apart: Int[np.ndarray, "p 2"] | None = None,
    inside: Int[np.ndarray, " m"] | None = None,
) -> Merged:
    """Merges points, each standing for `sizes` of them, down to `num_clusters`.

    Always the pair whose union adds least to the sum of squares, |A| |B| / (|A| + |B|) times the squared distance of
    their means (Ward 1963). By chains of nearest neighbours, which find the same merges as a search of all pairs
    (Murtagh 1983), in m^2 time and space.

    Args:
        points: what is merged.
        sizes: of each.
        num_clusters: k.
        apart: pairs of points whose clusters are not merged while any others can be.
        inside: what each point is inside of; points of one are merged before those of two are. None: all of one.

    Raises:
        InputError: more clusters than points.
    """
    m = len(points)
    if not 1 <= num_clusters <= m:
        raise InputError(f"num_clusters must lie in 1 to {m}, the number of micro-clusters, got {num_clusters}")
    sizes = np.asarray(sizes, float)
    merges = _merges(points, sizes, apart) if inside is None else _merges_inside(points, sizes, inside)
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


def _merges(points: np.ndarray, sizes: np.ndarray, apart: np.ndarray | None) -> list[tuple[float, int, int]]:
    """(cost, a, b) of the whole tree, a and b members of the two clusters.

    What stays apart costs infinitely much, and so does whatever it is merged into: chains hold as before.
    """
    cost = points @ points.T
    squares = cost.diagonal().copy()
    for a, row in enumerate(cost):  # in place, for want of space
        np.maximum(squares[a] + squares - 2 * row, 0, out=row)
        row *= sizes[a] * sizes / (sizes[a] + sizes)
    np.fill_diagonal(cost, np.inf)
    if apart is not None:
        cost[apart[:, 0], apart[:, 1]] = cost[apart[:, 1], apart[:, 0]] = np.inf
    given, sizes, alive, shut = sizes, sizes.copy(), np.ones(len(points), bool), np.zeros(len(points), bool)
    chain: list[int] = []
    merges = []
    while (alive & ~shut).any() and alive.sum() > 1:
        if not chain:
            chain = [int(np.flatnonzero(alive & ~shut)[0])]
        a = chain[-1]
        b = int(np.argmin(cost[a]))
        if cost[a, b] == np.inf:  # nothing may join it; so it is the only one of its chain
            shut[a], chain = True, []
            continue
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
    return merges + _above(merges, points, given) if alive.sum() > 1 else merges


def _merges_inside(points: np.ndarray, sizes: np.ndarray, inside: np.ndarray) -> list[tuple[float, int, int]]:
    """As `_merges`, first those of each part by itself."""
    merges = []
    for part in np.unique(inside):
        here = np.flatnonzero(inside == part)
        merges += [(cost, int(here[a]), int(here[b])) for cost, a, b in _merges(points[here], sizes[here], None)]
    return merges + _above(merges, points, sizes)


def _above(merges: list[tuple[float, int, int]], points: np.ndarray, sizes: np.ndarray) -> list[tuple[float, int, int]]:
    """The top of the tree, which joins what stays apart."""
    ends = np.array([pair for _, *pair in merges], int).reshape(-1, 2).T
    links = sparse.coo_array((np.ones(len(merges)), tuple(ends)), shape=(len(points), len(points)))
    count, cluster = connected_components(links, directed=False)
    total = np.bincount(cluster, sizes)
    member = sparse.csr_array((sizes, (cluster, np.arange(len(points)))), shape=(count, len(points)))
    member_of = np.unique(cluster, return_index=True)[1]
    highest = max((cost for cost, _, _ in merges), default=0.0)
    above = _merges(member @ points / total[:, np.newaxis], total, None)
    above.sort(key=lambda merge: merge[0])  # before those below the highest are lifted to it
    return [(max(cost, highest), int(member_of[a]), int(member_of[b])) for cost, a, b in above]
