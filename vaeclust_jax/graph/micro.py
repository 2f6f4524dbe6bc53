"""Micro-clusters: points joined to their strongest neighbour, and the graph between them."""

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from vaeclust_jax.graph.constraints import Joining
from vaeclust_jax.graph.neighbours import Graph


def micro_clusters(graph: Graph, at_least: int = 1, joining: Joining | None = None) -> Int[np.ndarray, " n"]:
    """Connected components of the graph in which every point keeps its strongest edge alone, (n,) from 0.

    Args:
        graph: of n points.
        at_least: components, up to n: where there were fewer, the weakest of those edges are left out.
        joining: of the points, what may be joined; the strongest edges come first.
    """
    n = graph.shape[0]
    has = np.diff(graph.indptr) > 0
    # argmax sees the zeros that are not stored; a point with edges has a larger one.
    best = np.where(has, np.asarray(graph.argmax(axis=1)).ravel(), np.arange(n))
    edges = (np.arange(n), best)
    count, found = connected_components(sparse.csr_array((np.ones(n), edges), shape=(n, n)), directed=False)
    if count >= at_least and joining is None:
        return found
    weights = np.asarray(graph.max(axis=1).todense()).ravel()
    forest = minimum_spanning_tree(sparse.csr_array((-weights, edges), shape=(n, n))).tocoo()  # each edge once
    kept = np.argsort(forest.data, kind="stable")[: n - max(at_least, count)]
    if joining is not None:
        for a, b in zip(forest.row[kept].tolist(), forest.col[kept].tolist(), strict=True):
            joining.join(a, b)
        return joining.joined()
    links = sparse.csr_array((np.ones(len(kept)), (forest.row[kept], forest.col[kept])), shape=(n, n))
    return connected_components(links, directed=False)[1]


def between(graph: Graph, groups: Int[np.ndarray, " n"], weight: Float[np.ndarray, " n"] | None = None) -> Graph:
    """(M, M) summed weights between groups, without those inside; a group without any is its own neighbour.

    A point of weight w stands for w points with its edges: the edge between two counts as often as there are pairs.
    """
    n, num_groups = len(groups), int(groups.max()) + 1
    counts = np.ones(n) if weight is None else weight.astype(float)
    member = sparse.csr_array((counts, (np.arange(n), groups)), shape=(n, num_groups))
    summed = sparse.csr_array(member.T @ graph @ member)
    summed.setdiag(0)
    summed.eliminate_zeros()
    alone = np.asarray(summed.sum(axis=1)).ravel() == 0
    return sparse.csr_array(summed + sparse.diags_array(alone.astype(float)))
