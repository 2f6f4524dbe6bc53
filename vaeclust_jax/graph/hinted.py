"""The merge under hints: what a person knows of some points is kept, and moves the others."""

import numpy as np
from jaxtyping import Bool, Float, Int

from vaeclust_jax.graph.constraints import Constraints
from vaeclust_jax.graph.ward import Merged, ward

_ROUNDS = 20


def hinted_clusters(
    embedding: Float[np.ndarray, "m d"],
    groups: Int[np.ndarray, " n"],
    num_clusters: int,
    hints: Constraints,
    weight: Float[np.ndarray, " n"] | None = None,
) -> Merged:
    """Ward's merge that keeps the hints, then k-means in which groups with a hint stay; class c is cluster c.

    Groups that hold points of one set are merged before all others, those of sets that stay apart after all others.
    That merge is greedy: a group that no hint is about may have gone with the wrong half. So k-means in the same space
    follows (constrained, Basu, Banerjee and Mooney 2002). Where each of the K classes has hints in two groups or more
    it begins with their means instead, which no merge has blurred.

    Args:
        embedding: of the groups, unit rows (`walk_embedding`).
        groups: of the points, from 0; none holds points that stay apart.
        num_clusters: K.
        hints: of the points.
        weight: of each point; None: one.

    Returns:
        As `merged_clusters`; the tree is that of the merge, whose micro-clusters are the groups that were merged first.
    """
    node, sizes = hints.nodes(groups), np.bincount(groups, weight).astype(float)
    total = np.bincount(node, sizes)
    means = np.zeros((len(total), embedding.shape[1]))
    np.add.at(means, node, embedding * sizes[:, np.newaxis])
    merged = ward(means / total[:, np.newaxis], total, num_clusters, hints.apart_in(node[groups]))
    numbers = hints.numbered(merged.labels[node][groups], num_clusters)
    of_group = np.zeros(len(sizes), int)
    of_group[groups] = numbers
    held = np.zeros(len(sizes), bool)
    held[groups[hints.hinted]] = True
    start = of_group
    if (np.bincount(of_group[held], minlength=num_clusters) > 1).all():
        start = _nearest(embedding, sizes * held, of_group, num_clusters, held)
    labels = _settled(embedding, sizes, start, num_clusters, held)
    return merged._replace(labels=labels[groups], merges=merged.merges._replace(groups=node[groups]))


def _settled(
    points: Float[np.ndarray, "m d"],
    weight: Float[np.ndarray, " m"],
    labels: Int[np.ndarray, " m"],
    num_clusters: int,
    held: Bool[np.ndarray, " m"],
) -> Int[np.ndarray, " m"]:
    """Lloyd's k-means, in which some points stay where they are, and no cluster runs empty."""
    for _ in range(_ROUNDS):
        moved = _nearest(points, weight, labels, num_clusters, held)
        if (moved == labels).all() or not np.bincount(moved, minlength=num_clusters).all():
            break
        labels = moved
    return labels


def _nearest(
    points: Float[np.ndarray, "m d"],
    weight: Float[np.ndarray, " m"],
    labels: Int[np.ndarray, " m"],
    num_clusters: int,
    held: Bool[np.ndarray, " m"],
) -> Int[np.ndarray, " m"]:
    """The cluster whose weighted mean is nearest to each point that may move."""
    total = np.bincount(labels, weight, minlength=num_clusters)
    centres = np.zeros((num_clusters, points.shape[1]))
    np.add.at(centres, labels, points * weight[:, np.newaxis])
    centres /= total[:, np.newaxis]
    nearness = 2 * points @ centres.T - (centres**2).sum(axis=1)
    return np.where(held, labels, nearness.argmax(axis=1))
