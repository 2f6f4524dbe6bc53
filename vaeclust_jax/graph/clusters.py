"""From a graph to k clusters."""

from itertools import count

import numpy as np
from jaxtyping import Float, Int

from vaeclust_jax.errors import InputError
from vaeclust_jax.graph import ALPHA, MAX_GROUPS
from vaeclust_jax.graph.constraints import Constraints
from vaeclust_jax.graph.hinted import clearer, hinted_clusters, moved_by_hints, settled_clusters
from vaeclust_jax.graph.kernel import one_step, walk_embedding
from vaeclust_jax.graph.micro import between, micro_clusters
from vaeclust_jax.graph.neighbours import Graph, faded_between
from vaeclust_jax.graph.tree import Merges
from vaeclust_jax.graph.ward import Merged, ward

_STEPS = 10
"""Of the walk that moves points where micro-clusters were joined. On MNIST's first 60,000 rows, after 12 epochs of a
VAE, it took ACC from .760 to .770 and the cut from .037 to .027, and 30 steps did no better. Labels were in view."""


def graph_clusters(
    graph: Graph,
    num_clusters: int,
    alpha: float = ALPHA,
    max_groups: int = MAX_GROUPS,
    weight: Float[np.ndarray, " n"] | None = None,
) -> Int[np.ndarray, " n"]:
    """Labels (n,) from 0, see `merged_clusters`."""
    return merged_clusters(graph, num_clusters, alpha, max_groups, weight).labels


def merged_clusters(
    graph: Graph,
    num_clusters: int,
    alpha: float = ALPHA,
    max_groups: int = MAX_GROUPS,
    weight: Float[np.ndarray, " n"] | None = None,
    hints: Constraints | None = None,
    judge: Graph | None = None,
) -> Merged:
    """Labels (n,), their gap and the tree: micro-clusters, merged by how near a random walk finds them.

    Args:
        graph: of the points.
        num_clusters: k; where there are fewer micro-clusters than that, the points themselves are merged.
        alpha: of the walk, see `walk_embedding`.
        max_groups: see `groups_of`; where so many are left, points move along the graph at the end (`walked`).
        weight: above 0, of each point: how many points with its edges it stands for, see `between`. None: one.
        hints: what is together, and what stays apart, see `hinted_clusters`. The labels are of that merge or, where
            they are not clearer, the ones without hints settled under them (`settled_clusters`).
        judge: the graph that shows which is clearer; None: the graph.

    Raises:
        InputError: more clusters than points, or see `groups_of`.
    """
    groups = groups_of(graph, num_clusters, max_groups, weight, hints)
    embedding = walk_embedding(between(graph, groups, weight), alpha)
    if hints is not None:
        led = hinted_clusters(embedding, groups, num_clusters, hints, weight)
        if num_clusters == 1:
            return led
        alone = merged_clusters(graph, num_clusters, alpha, max_groups, weight).labels
        alone = moved_by_hints(graph, alone, num_clusters, hints)
        beside = settled_clusters(embedding, groups, alone, num_clusters, hints, weight)
        judge = graph if judge is None else judge
        return led._replace(labels=clearer(judge, led.labels, beside, num_clusters, hints))
    merged = ward(embedding, np.bincount(groups, weight), num_clusters)
    labels = merged.labels[groups]
    if groups.max() + 1 == max_groups:  # micro-clusters were joined, which no merge can part
        labels = walked(graph, labels, num_clusters, weight)
    return merged._replace(labels=labels, merges=merged.merges._replace(groups=groups))


def walked(
    graph: Graph, labels: Int[np.ndarray, " n"], num_clusters: int, weight: Float[np.ndarray, " n"] | None = None
) -> Int[np.ndarray, " n"]:
    """Each point in the cluster that most walks from it end in, after ten steps; as before, if that empties a cluster.

    Label propagation, for points on the wrong side of a border.

    Args:
        graph: of the points.
        labels: their clusters, from 0.
        num_clusters: K.
        weight: as for `merged_clusters`.
    """
    step, ends = one_step(graph, weight), np.eye(num_clusters)[labels]
    for _ in range(_STEPS):
        ends = step @ ends
    moved = np.where(ends.any(axis=1), ends.argmax(axis=1), labels)
    return moved if np.bincount(moved, minlength=num_clusters).all() else labels


def merges_inside(
    graph: Graph, labels: Int[np.ndarray, " n"], alpha: float = ALPHA, hints: Constraints | None = None
) -> tuple[Graph, Merges]:
    """The tree of clusters that were found without the graph: each is merged by itself before two of them are.

    Cut into so many it gives them back, but for points of a micro-cluster that most of the others are not in.

    Args:
        graph: of the points.
        labels: their clusters, from 0, which keep the hints.
        alpha: of the walk, see `walk_embedding`.
        hints: what is together, and what stays apart; a micro-cluster goes where a hint about it says.

    Returns:
        The graph that such clusters have (`faded_between`), and the tree.
    """
    graph = faded_between(graph, labels)
    num_clusters = int(labels.max()) + 1
    groups = groups_of(graph, num_clusters, hints=hints)
    votes = np.zeros((int(groups.max()) + 1, num_clusters))
    np.add.at(votes, (groups, labels), 1)
    inside = votes.argmax(axis=1)
    if hints is not None:
        inside[groups[hints.hinted]] = labels[hints.hinted]
    merges = ward(walk_embedding(between(graph, groups), alpha), np.bincount(groups), 1, inside=inside).merges
    return graph, merges._replace(groups=groups)


def groups_of(
    graph: Graph,
    at_least: int,
    at_most: int = MAX_GROUPS,
    weight: Float[np.ndarray, " n"] | None = None,
    hints: Constraints | None = None,
) -> Int[np.ndarray, " n"]:
    """What is merged into clusters, (n,) from 0: micro-clusters, or the points where there are fewer than `at_least`.

    Where there are more than `at_most` of them, so many micro-clusters of micro-clusters, which are about a quarter as
    many where all their strongest edges are taken, and so on: the walk's matrix has a row for each, and the graph
    between them is of the same kind. The last time no more of those edges are taken, the strongest first, than lead to
    `at_most`: whatever is joined here no merge can part.
    Of hints no group holds points that stay apart; those of one set count as one.

    Raises:
        InputError: more clusters than can be merged, or a graph in more parts than that.
    """
    groups, smallest = np.arange(graph.shape[0]), graph.shape[0]
    counts = None  # whose edge is strongest does not depend on how many points a neighbour stands for
    for deeper in count():
        joining = None if hints is None else hints.of_groups(groups)
        joined = micro_clusters(between(graph, groups, counts), joining=joining)[groups]
        smallest = int(joined.max()) + 1
        apart = smallest if hints is None else int(hints.nodes(joined).max()) + 1
        if apart < at_least or smallest == groups.max() + 1 or (deeper and smallest < at_most):
            break
        groups, counts = joined, weight
        if smallest <= at_most:
            break
    if at_least <= at_most < groups.max() + 1:
        joining = None if hints is None else hints.of_groups(groups)
        groups = micro_clusters(between(graph, groups, counts), at_most, joining)[groups]
    if groups.max() + 1 > at_most:
        raise InputError(
            f"num_clusters {at_least} is out of reach: the graph joins {len(groups)} samples into {groups.max() + 1} "
            f"groups, of which at most {at_most} can be merged, or into {smallest}"
        )
    return groups
