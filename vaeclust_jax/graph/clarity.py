"""How clearly a graph shows clusters, without labels: by one score for clusters that were found in any way."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Int

if TYPE_CHECKING:
    from vaeclust_jax.graph.neighbours import Graph


class Separation(NamedTuple):
    """How a graph shows clusters.

    Attributes:
        clarity: H(labels) / (2 log K) - cut, at most 1/2.
        cut: mean over clusters of cut(C) / volume(C); an empty one counts as cut all around.
    """

    clarity: float
    cut: float


def separation(graph: "Graph", labels: Int[np.ndarray, " n"], num_clusters: int) -> Separation:
    """The normalised cut, and with the entropy of the labels the clarity.

    The normalised cut (Shi and Malik 2000) alone prefers a few stray points in most clusters and all others in one. The
    entropy keeps them apart from that, as it does where clusters are made by mutual information (Krause, Perona and
    Gomes 2010). It would halve a large cluster that stands apart: what is clearer and cut more is not better for sure.

    Args:
        graph: of the samples.
        labels: cluster ids from 0.
        num_clusters: K, at least 2.
    """
    counts = np.bincount(labels, minlength=num_clusters)
    share = counts[counts > 0] / len(labels)
    balance = -(share * np.log(share)).sum() / np.log(num_clusters)
    degrees = np.asarray(graph.sum(axis=1)).ravel()
    edges = graph.tocoo()
    inside = labels[edges.row] == labels[edges.col]
    kept = np.bincount(labels[edges.row[inside]], edges.data[inside], num_clusters)
    volume = np.bincount(labels, degrees, num_clusters)
    cut = 1 - np.divide(kept, volume, out=np.ones(num_clusters), where=volume > 0)
    mean = float(np.where(counts > 0, cut, 1).mean())
    return Separation(float(balance / 2 - mean), mean)
