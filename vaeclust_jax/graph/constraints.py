"""What hints ask of a clustering: points that stay together, and those of them that stay apart."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int

_NONE: frozenset[int] = frozenset()


class Constraints(NamedTuple):
    """Sets of points; a point without a hint is a set of its own.

    Attributes:
        together: (n,) the set that each point is in, from 0.
        apart: (p, 2) pairs of sets that may not be in one cluster.
        classes: (s,) the class of each set, -1 where none is known. Sets of two classes are among the pairs.
        hinted: (n,) whether a hint is about the point.
    """

    together: Int[np.ndarray, " n"]
    apart: Int[np.ndarray, "p 2"]
    classes: Int[np.ndarray, " s"]
    hinted: Bool[np.ndarray, " n"]

    @property
    def num_classes(self) -> int:
        """One more than the largest class that is known."""
        return int(self.classes.max(initial=-1)) + 1

    def of_rows(self, index: Int[np.ndarray, " t"]) -> "Constraints":
        """The same of some points: sets without any of them are left out."""
        kept, together = np.unique(self.together[index], return_inverse=True)
        number = np.full(len(self.classes), -1)
        number[kept] = np.arange(len(kept))
        apart = number[self.apart]
        return Constraints(together, apart[(apart >= 0).all(axis=1)], self.classes[kept], self.hinted[index])

    def of_groups(self, groups: Int[np.ndarray, " n"]) -> "Joining":
        """What groups of points may still be joined."""
        held: dict[int, set[int]] = {}
        for point in np.flatnonzero(self.hinted).tolist():
            held.setdefault(int(groups[point]), set()).add(int(self.together[point]))
        return Joining(int(groups.max()) + 1, held, self.apart.tolist())

    def nodes(self, groups: Int[np.ndarray, " n"]) -> Int[np.ndarray, " m"]:
        """Groups put together that hold points of one set: the number of each group's, from 0."""
        from scipy import sparse  # takes long to import
        from scipy.sparse.csgraph import connected_components

        rows = np.flatnonzero(self.hinted)
        count = int(groups.max()) + 1
        size = count + len(self.classes)
        links = (groups[rows], count + self.together[rows])
        both = sparse.coo_array((np.ones(len(rows)), links), shape=(size, size))
        return np.unique(connected_components(both, directed=False)[1][:count], return_inverse=True)[1]

    def apart_in(self, parts: Int[np.ndarray, " n"]) -> Int[np.ndarray, "p 2"]:
        """Pairs of parts of the points, each of whole sets, that may not be in one cluster."""
        part = np.zeros(len(self.classes), int)
        part[self.together] = parts
        return np.unique(np.sort(part[self.apart], axis=1), axis=0)

    def numbered(self, labels: Int[np.ndarray, " n"], num_clusters: int) -> Int[np.ndarray, " n"]:
        """The labels with class c as cluster c, the others in their order in the numbers that are left.

        Where a class has points in several clusters, the one with the most of them.
        """
        new, free = np.full(num_clusters, -1), list(range(num_clusters))
        class_of = self.classes[self.together]
        for known in np.unique(self.classes[self.classes >= 0]):
            cluster = np.bincount(labels[class_of == known], minlength=num_clusters)
            cluster[new >= 0] = -1
            new[cluster.argmax()] = known
            free.remove(known)
        new[new < 0] = free
        return new[labels]

    def told(self, labels: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
        """(n,) the cluster of each hinted point, -1 of the others: its class, or where most of its set are."""
        found = np.full(len(labels), -1)
        rows = np.flatnonzero(self.hinted)
        num_labels = int(labels.max()) + 1
        sets, of_row = np.unique(self.together[rows], return_inverse=True)
        votes = np.bincount(of_row * num_labels + labels[rows], minlength=len(sets) * num_labels)
        known = self.classes[sets]
        found[rows] = np.where(known >= 0, known, votes.reshape(len(sets), num_labels).argmax(axis=1))[of_row]
        return found

    def kept(self, labels: Int[np.ndarray, " n"]) -> float:
        """Share of what was asked that labels keep: of hinted points the class, or that their set is together, and of
        the pairs of sets without a class that they are apart. NaN where nothing was asked."""
        rows = np.flatnonzero(self.hinted)
        held = self.told(labels)[rows] == labels[rows]
        first = np.zeros(len(self.classes), int)
        first[self.together[::-1]] = np.arange(len(labels))[::-1]  # a point of each set
        pairs = self.apart[(self.classes[self.apart] < 0).any(axis=1)]
        apart = labels[first[pairs[:, 0]]] != labels[first[pairs[:, 1]]]
        return float(np.concatenate([held, apart]).mean()) if len(rows) else float("nan")


class Joining:
    """Groups that are joined two at a time, unless a set in one of them stays apart from one in the other.

    Args:
        count: of groups.
        held: sets in some of the groups.
        apart: pairs of sets that may not be in one.
    """

    def __init__(self, count: int, held: Mapping[int, set[int]], apart: Iterable[Iterable[int]]):
        self._parent = list(range(count))
        self._held = {group: set(sets) for group, sets in held.items()}
        foes: dict[int, set[int]] = {}
        for a, b in apart:
            foes.setdefault(a, set()).add(b)
            foes.setdefault(b, set()).add(a)
        self._foes = {group: set().union(*(foes.get(one, ()) for one in sets)) for group, sets in held.items()}

    def join(self, a: int, b: int) -> None:
        """Joins the groups of two, unless they stay apart."""
        a, b = self._root(a), self._root(b)
        if a == b or not self._foes.get(a, _NONE).isdisjoint(self._held.get(b, _NONE)):
            return
        self._parent[b] = a
        for kept in (self._held, self._foes):
            if b in kept:
                kept.setdefault(a, set()).update(kept.pop(b))

    def joined(self) -> Int[np.ndarray, " n"]:
        """What each group is in, from 0."""
        return np.unique([self._root(one) for one in range(len(self._parent))], return_inverse=True)[1]

    def _root(self, a: int) -> int:
        while self._parent[a] != a:
            self._parent[a] = self._parent[self._parent[a]]
            a = self._parent[a]
        return a
