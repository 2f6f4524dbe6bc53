"""How clearly a graph shows clusters, without labels: by one score for clusters that were found in any way."""

import numpy as np
from jaxtyping import Int

from vaeclust_jax.graph.neighbours import Graph


def clarity(graph: Graph, labels: Int[np.ndarray, " n"], num_clusters: int) -> float:
    """H(labels) / (2 log K) - mean over clusters of cut(C) / volume(C), at most 1/2.

    The normalised cut (Shi and Malik 2000) alone prefers a few stray points in most clusters and all others in one. The
    entropy keeps them apart from that, as it does where clusters are made by mutual information (Krause, Perona and
    Gomes 2010). An empty cluster counts as one that is cut all around.

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
    return float(balance / 2 - np.where(counts > 0, cut, 1).mean())
