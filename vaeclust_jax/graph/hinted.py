"""The merge under hints: what a person knows of some points is kept, and moves the others."""

import numpy as np
from jaxtyping import Bool, Float, Int

from vaeclust_jax.graph.clarity import separation
from vaeclust_jax.graph.constraints import Constraints
from vaeclust_jax.graph.kernel import one_step
from vaeclust_jax.graph.neighbours import Graph
from vaeclust_jax.graph.ward import Merged, ward

_ROUNDS = 20
_STEPS = 5
_CLEARER = 0.001
"""By how much a merge that a hint has led must be clearer than one without it. Chosen with labels of digits in view: of
60 draws of hints those that lost a class were less clear, or clearer by less, in the graph of the values."""


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
    labels = merged.labels[node][groups]
    numbers = hints.numbers(np.eye(num_clusters)[labels])[labels]
    of_group = np.zeros(len(sizes), int)
    of_group[groups] = numbers
    held = np.zeros(len(sizes), bool)
    held[groups[hints.hinted]] = True
    start = of_group
    if (np.bincount(of_group[held], minlength=num_clusters) > 1).all():
        start = _nearest(embedding, sizes * held, of_group, num_clusters, held)
    labels = _settled(embedding, sizes, start, num_clusters, held)
    return merged._replace(labels=labels[groups], merges=merged.merges._replace(groups=node[groups]))


def moved_by_hints(
    graph: Graph, labels: Int[np.ndarray, " n"], num_clusters: int, hints: Constraints
) -> Int[np.ndarray, " n"]:
    """Clusters that were found without hints, by the numbers of the classes, with the hinted points where they belong.

    A class is the cluster that its points are in or near: each votes for the clusters that a walk of up to five steps
    from it ends in, as one point of a class may well be in the cluster of another.
    """
    step, ends = one_step(graph), np.eye(num_clusters)[labels]
    votes = ends.copy()
    for _ in range(_STEPS):
        ends = step @ ends
        votes += ends
    numbered = hints.numbers(votes)[labels]
    told = hints.told(numbered)
    return np.where(told >= 0, told, numbered)


def settled_clusters(
    embedding: Float[np.ndarray, "m d"],
    groups: Int[np.ndarray, " n"],
    labels: Int[np.ndarray, " n"],
    num_clusters: int,
    hints: Constraints,
    weight: Float[np.ndarray, " n"] | None = None,
) -> Int[np.ndarray, " n"]:
    """The k-means of `hinted_clusters`, which begins with labels (`moved_by_hints`) instead of a merge."""
    sizes = np.bincount(groups, weight).astype(float)
    votes = np.zeros((len(sizes), num_clusters))
    np.add.at(votes, (groups, labels), 1.0 if weight is None else weight)
    start, held = votes.argmax(axis=1), np.zeros(len(sizes), bool)
    start[groups[hints.hinted]] = labels[hints.hinted]
    held[groups[hints.hinted]] = True
    return _settled(embedding, sizes, start, num_clusters, held)[groups]


def clearer(
    graph: Graph,
    led: Int[np.ndarray, " n"],
    beside: Int[np.ndarray, " n"],
    num_clusters: int,
    hints: Constraints,
) -> Int[np.ndarray, " n"]:
    """Which of two clusterings under hints: that which keeps more of them, then the one that a graph shows clearer.

    A merge under hints goes astray where a sample that is odd for its class takes the cluster of another class with it.

    Args:
        graph: of the points.
        led: by the merge under hints; it must be clearer by a thousandth.
        beside: the clusters without hints, settled under them.
        num_clusters: K, at least 2.
        hints: of the points.
    """
    if len(np.unique(beside)) < num_clusters or hints.kept(beside) < hints.kept(led):
        return led
    gain = separation(graph, led, num_clusters).clarity - separation(graph, beside, num_clusters).clarity
    return led if gain > _CLEARER else beside


def _settled(
    points: Float[np.ndarray, "m d"],
    weight: Float[np.ndarray, " m"],
    labels: Int[np.ndarray, " m"],
    num_clusters: int,
    held: Bool[np.ndarray, " m"],
) -> Int[np.ndarray, " m"]:
    """Lloyd's k-means, in which some points stay where they are, and no cluster runs empty; none where one is."""
    for _ in range(_ROUNDS if np.bincount(labels, minlength=num_clusters).all() else 0):
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
