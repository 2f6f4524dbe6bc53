"""From a graph to k clusters."""

import numpy as np
from jaxtyping import Int

from vaeclust_jax.graph.kernel import walk_embedding
from vaeclust_jax.graph.micro import between, micro_clusters
from vaeclust_jax.graph.neighbours import Graph
from vaeclust_jax.graph.ward import ward


def graph_clusters(graph: Graph, num_clusters: int, alpha: float = 0.99) -> Int[np.ndarray, " n"]:
    """Labels (n,) from 0: micro-clusters, merged by how near a random walk finds them.

    Args:
        graph: of the points.
        num_clusters: k; where there are fewer micro-clusters than that, the points themselves are merged.
        alpha: of the walk, see `walk_embedding`.

    Raises:
        InputError: more clusters than points.
    """
    groups = micro_clusters(graph)
    if groups.max() + 1 < num_clusters:
        groups = np.arange(graph.shape[0])
    embedding = walk_embedding(between(graph, groups), alpha)
    return ward(embedding, np.bincount(groups), num_clusters)[groups]
