"""The merge of micro-clusters as a tree, which gives any number of clusters without merging again."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from vaeclust_jax.checks import is_whole
from vaeclust_jax.errors import InputError
from vaeclust_jax.graph import MAX_GROUPS

_MOST_LAYERS = 20
"""Clusters of a cut that nobody gave a number for, at most."""


class Merges(NamedTuple):
    """How m points became one cluster, two clusters at a time, the nearest first.

    Attributes:
        groups: (n,) which of the m points each sample belongs to.
        pairs: (m - 1, 2) of each merge a member of either cluster.
        heights: (m - 1,) of each merge, in scipy's units: of Ward, the root of twice what the sum of squares grows by.
    """

    groups: Int[Any, " n"]  # numpy's; in a state jax's
    pairs: Int[Any, "h 2"]
    heights: Float[Any, " h"]


def clusters_of(pairs: Int[np.ndarray, "h 2"], num_clusters: int) -> Int[np.ndarray, " m"]:
    """The cluster of each of the m points, from 0, when so many are left."""
    m = len(pairs) + 1
    parent = list(range(m))
    for a, b in pairs[: m - num_clusters].tolist():
        parent[_root(parent, a)] = _root(parent, b)
    return np.unique([_root(parent, point) for point in range(m)], return_inverse=True)[1]


def layers_of(heights: Float[np.ndarray, " h"]) -> Float[np.ndarray, " c"]:
    """How long 2, 3, ... clusters last: log of the height at which they end over where they begin, one fewer than h."""
    return np.diff(np.log(np.maximum(heights.astype(float), np.finfo(np.float32).tiny)))[::-1]


def nearest_of(means: Float[np.ndarray, "m l"], z: Float[np.ndarray, "n l"]) -> Int[np.ndarray, " n"]:
    """The number of the mean that is nearest to each point."""
    from sklearn.metrics import pairwise_distances_argmin

    return pairwise_distances_argmin(z, means)


def _root(parent: list[int], point: int) -> int:
    while parent[point] != point:
        parent[point] = parent[parent[point]]
        point = parent[point]
    return point


@dataclass(frozen=True, eq=False)
class Tree:
    """The tree of a graph's merge. What takes a linkage of scipy takes it as it is, such as its `dendrogram`.

    Attributes:
        merges: of micro-clusters.
        means: (m, L) of the latents of each micro-cluster.
    """

    merges: Merges
    means: Float[np.ndarray, "m l"]

    def __repr__(self) -> str:
        return f"Tree({len(self.means)} micro-clusters of {len(self.merges.groups)} samples)"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.linkage, dtype=dtype)

    @property
    def linkage(self) -> Float[np.ndarray, "h 4"]:
        """(m - 1, 4) scipy's linkage matrix: two clusters, the height of their merge, its number of micro-clusters."""
        m = len(self.means)
        parent, cluster, count = list(range(m)), list(range(m)), [1] * m
        rows = np.zeros((m - 1, 4))
        for number, (a, b) in enumerate(self.merges.pairs.tolist()):
            a, b = _root(parent, a), _root(parent, b)
            count[b] += count[a]
            rows[number] = *sorted((cluster[a], cluster[b])), self.merges.heights[number], count[b]
            parent[a], cluster[b] = b, m + number
        return rows

    @property
    def sizes(self) -> Int[np.ndarray, " c"]:
        """(2m - 1,) samples in each micro-cluster, then in what each merge made."""
        sizes = np.bincount(self.merges.groups, minlength=2 * len(self.means) - 1)
        for number, (a, b) in enumerate(self.linkage[:, :2].astype(int)):
            sizes[len(self.means) + number] = sizes[a] + sizes[b]
        return sizes

    @property
    def persistence(self) -> Float[np.ndarray, " h"]:
        """(m - 1,) of the cluster that each merge made: log of the height at which it is merged in turn over its own.

        0 for the last one, which holds all samples.
        """
        heights = np.maximum(self.merges.heights.astype(float), np.finfo(np.float32).tiny)
        ends = heights.copy()
        children = self.linkage[:, :2].astype(int) - len(self.means)
        for number, pair in enumerate(children):
            ends[pair[pair >= 0]] = heights[number]
        return np.log(ends / heights)

    @property
    def layers(self) -> Float[np.ndarray, " c"]:
        """(m - 2,) see `layers_of`."""
        return layers_of(self.merges.heights)

    @property
    def most(self) -> int:
        """Clusters that a cut can have: micro-clusters that differ, as those of equal samples do not."""
        return len(np.unique(self.means, axis=0))

    def cut(self, num_clusters: int | None = None, z: Float[np.ndarray, "q l"] | None = None) -> Int[np.ndarray, " n"]:
        """The cluster of each sample, from 0, when so many are left. Cuts are nested.

        Args:
            num_clusters: K; None: the number from 2 to 20 that lasts longest (`layers`).
            z: latents of other samples, which belong to the micro-cluster with the nearest mean; None: those merged.

        Raises:
            InputError: fewer clusters than one, or more than there are micro-clusters that differ.
        """
        groups = self.merges.groups if z is None else nearest_of(self.means, z)
        return self.cut_groups(num_clusters)[groups]

    def cut_groups(self, num_clusters: int | None = None) -> Int[np.ndarray, " m"]:
        """`cut`, of the micro-clusters."""
        if num_clusters is None:
            lasting = self.layers[: min(self.most, _MOST_LAYERS) - 1]
            num_clusters = 2 + int(lasting.argmax()) if len(lasting) else self.most
        if not is_whole(num_clusters) or not 1 <= num_clusters <= self.most:
            raise InputError(
                f"num_clusters must lie in 1 to {self.most}, the micro-clusters that differ, got {num_clusters!r}"
            )
        return clusters_of(self.merges.pairs, num_clusters).astype(np.int32)

    def check(self) -> None:
        """Whether it is a tree: of what was read from a file, of arrays of the right shapes.

        Raises:
            InputError: it is not.
        """
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        (groups, pairs, heights), m = self.merges, len(self.means)
        if not 1 <= m <= MAX_GROUPS:
            raise InputError(f"its tree must be of 1 to {MAX_GROUPS} micro-clusters, got {m}")
        if not np.array_equal(np.unique(groups), np.arange(m)) or not np.isin(pairs, groups).all():
            raise InputError(f"its tree must be of the micro-clusters 0 to {m - 1}, each with a sample")
        if not (np.diff(heights, prepend=0) >= 0).all():
            raise InputError("its tree must have heights that rise")
        joined = coo_array((np.ones(m - 1), (pairs[:, 0], pairs[:, 1])), shape=(m, m))
        if connected_components(joined, directed=False)[0] > 1:
            raise InputError("its tree must join all micro-clusters, each merge two that were apart")


def tree_of(merges: Merges, z: Float[np.ndarray, "n l"], merged: Int[np.ndarray, " t"]) -> Tree:
    """The tree with the latents of its micro-clusters, and with all samples in it.

    Args:
        merges: of some samples.
        z: latents of all; the others belong to the micro-cluster with the nearest mean.
        merged: which were merged.
    """
    inside = z[merged].astype(float)
    sums = np.zeros((len(merges.pairs) + 1, z.shape[1]))
    np.add.at(sums, merges.groups, inside)
    means = (sums / np.bincount(merges.groups)[:, np.newaxis]).astype(np.float32)
    others = np.setdiff1d(np.arange(len(z)), merged)
    groups = np.zeros(len(z), np.int32)
    groups[merged] = merges.groups
    if len(others):
        groups[others] = nearest_of(means, z[others])
    return Tree(merges._replace(groups=groups), means)


def cuttable(tree: Tree | None) -> Tree:
    """The tree of a model.

    Raises:
        InputError: it has none.
    """
    if tree is None:
        raise InputError(
            "there is no tree to cut: a method that follows a graph keeps one, files of older versions have none"
        )
    return tree
