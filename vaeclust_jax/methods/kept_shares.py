"""Whether clusters keep the shares of the samples that they begin with, or a graph's target draws them to one size."""

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

if TYPE_CHECKING:
    from vaeclust_jax.graph.neighbours import Graph

_UNEVEN = 0.9
"""Of log K: the entropy of the shares below which clusters have very unequal sizes."""
_CLEAR = 0.05
"""Of a cluster's edge weight, what leads out of it in the mean over clusters, where a graph shows them clearly. Both
numbers were chosen with labels of generated vectors in view."""


def keeps_shares(
    graph: "Graph", labels: Int[np.ndarray, " n"], num_clusters: int, weight: Float[np.ndarray, " n"] | None = None
) -> bool:
    """Whether sizes that differ much are believed: where the graph shows the clusters clearly.

    DEC's target divides by the clusters' frequencies, which draws all to one size. That mends clusters which the graph
    joined or split wrongly, and cuts large ones to pieces that are as they should be.

    Args:
        graph: of the samples, which the clusters were found in or are judged by.
        labels: cluster ids from 0.
        num_clusters: K.
        weight: of the samples.
    """
    from vaeclust_jax.graph.clarity import separation  # here, so that starts import quickly

    share = _shares(labels, num_clusters, weight)
    uneven = -(share * np.log(share)).sum() < _UNEVEN * np.log(num_clusters)
    return bool(uneven and separation(graph, labels, num_clusters).cut < _CLEAR)


def log_shares(
    labels: Int[np.ndarray, " n"], num_clusters: int, weight: Float[np.ndarray, " n"] | None = None
) -> Float[np.ndarray, " k"]:
    """log(K s_j) of the clusters' shares s_j; an empty one counts as the smallest."""
    return np.log(num_clusters * _shares(labels, num_clusters, weight)).astype(np.float32)


def _shares(labels: Int[np.ndarray, " n"], num_clusters: int, weight: Float[np.ndarray, " n"] | None) -> np.ndarray:
    counts = np.bincount(labels, weight, minlength=num_clusters)
    share: np.ndarray = np.maximum(counts, counts[counts > 0].min()) / counts.sum()
    return share
