"""What a person knows of some samples: classes, pairs that belong together, pairs that do not."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from vaeclust_jax.checks import check_unmasked
from vaeclust_jax.errors import InputError
from vaeclust_jax.graph.constraints import Constraints, Joining

_NAMED = 3  # contradictions, at most


@dataclass(frozen=True, eq=False)
class Hints:
    """What a person knows of some rows, for a method that follows a graph (`GraphDEC`): it is then semi-supervised.

    Rows of class c end in cluster c. Rows of one class, and those of a `must_link`, are merged before all others; those
    of two classes, and those of a `cannot_link`, are kept apart while the graph is merged. While networks are trained
    the targets of all these rows are held where they are.

    Example:
        >>> x = np.random.default_rng(0).normal(np.repeat([[0.0] * 4, [9.0] * 4], 30, axis=0))
        >>> known = np.full(60, -1)
        >>> known[[0, 59]] = 1, 0
        >>> config = vc.Config(vc.GraphDEC(2, pretrain_epochs=1, joint_epochs=1), network=vc.MLP(hidden=(8,)))
        >>> vc.fit(config, x, 0, hints=vc.Hints(known, must_link=[(3, 4)])).predict(x[[0, 59]])
        array([1, 0], dtype=int32)
    """

    partial_labels: Any = None
    """(n,) classes from 0 to K - 1, -1 where none is known; None: nowhere."""
    must_link: Any = ()
    """Pairs of rows, from 0, that belong to one cluster."""
    cannot_link: Any = ()
    """Pairs of rows that do not."""
    names: tuple[str, ...] = ()
    """Of the classes, from 0; for people."""

    def __repr__(self) -> str:
        labels = 0 if self.partial_labels is None else int((np.asarray(self.partial_labels) >= 0).sum())
        return f"Hints({labels} labels, {len(self.must_link)} must_link, {len(self.cannot_link)} cannot_link)"

    def constraints(self, num_samples: int, row_name: Callable[[int], str] = "row {}".format) -> Constraints:
        """What the hints ask of the clusters of so many rows.

        Args:
            num_samples: n.
            row_name: how a row is called in a sentence.

        Raises:
            InputError: no hints, of rows that are not there, or hints that contradict each other, which are named.
        """
        classes = self._classes(num_samples)
        links = {name: _pairs(name, getattr(self, name), num_samples) for name in ("must_link", "cannot_link")}
        rows = np.union1d(np.flatnonzero(classes >= 0), np.concatenate([*links.values()]).ravel())
        if not len(rows):
            raise InputError("hints must say something of some rows, got neither labels nor pairs")
        joined = Joining(num_samples, {}, ())
        for a, b in links["must_link"].tolist():
            joined.join(a, b)
        linked = joined.joined()
        against = [*self._of_two_classes(linked, classes, row_name)]
        known, first = np.unique(classes, return_index=True)
        for one, row in zip(known.tolist(), first.tolist(), strict=True):
            for other in np.flatnonzero(classes == one).tolist() if one >= 0 else ():
                joined.join(row, other)
        together = joined.joined()
        against += [
            f"{row_name(a)} and {row_name(b)} are to be apart, and {self._why_together(linked, classes, a, b)}"
            for a, b in links["cannot_link"].tolist()
            if together[a] == together[b]
        ]
        if against:
            more = f"; and {len(against) - _NAMED} more" if len(against) > _NAMED else ""
            raise InputError(f"hints contradict each other: {'; '.join(against[:_NAMED])}{more}")
        of_set = np.full(int(together.max()) + 1, -1)
        np.maximum.at(of_set, together, classes)
        named = np.flatnonzero(of_set >= 0)
        of_classes = np.stack(np.triu_indices(len(named), 1), axis=1)
        apart = np.sort(np.concatenate([named[of_classes], together[links["cannot_link"]]]), axis=1)
        hinted = np.zeros(num_samples, bool)
        hinted[rows] = True
        return Constraints(together, np.unique(apart.reshape(-1, 2), axis=0), of_set, hinted)

    def record(self) -> dict[str, Any]:
        """As files hold it."""
        labels = np.asarray([] if self.partial_labels is None else self.partial_labels, int)
        rows = np.flatnonzero(labels >= 0)
        return {
            "samples": len(labels),
            "rows": rows.tolist(),
            "classes": labels[rows].tolist(),
            "must_link": np.asarray(self.must_link, int).reshape(-1, 2).tolist(),
            "cannot_link": np.asarray(self.cannot_link, int).reshape(-1, 2).tolist(),
            "names": list(self.names),
        }

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "Hints":
        """From its record, of which nothing is trusted.

        Raises:
            ValueError, TypeError, KeyError, IndexError: it is none.
        """
        labels = None
        if record["samples"]:
            labels = np.full(int(record["samples"]), -1) if int(record["samples"]) <= 10**9 else None
            labels[np.asarray(record["rows"], int)] = np.asarray(record["classes"], int)  # type: ignore[index]
        must, cannot = (tuple((int(a), int(b)) for a, b in record[name]) for name in ("must_link", "cannot_link"))
        return cls(labels, must, cannot, tuple(map(str, record["names"])))

    @property
    def digest(self) -> str:
        """Equal for equal hints."""
        return hashlib.sha256(repr(self.record()).encode()).hexdigest()

    def class_name(self, number: int) -> str:
        """How a class is called in a sentence."""
        return repr(self.names[number]) if number < len(self.names) else f"class {number}"

    def _classes(self, num_samples: int) -> np.ndarray:
        if self.partial_labels is None:
            return np.full(num_samples, -1)
        check_unmasked(self.partial_labels, "partial_labels")
        classes = np.asarray(self.partial_labels)
        if classes.shape != (num_samples,) or classes.dtype.kind not in "iu" or classes.min(initial=0) < -1:
            raise InputError(
                f"partial_labels must be a class from 0 or -1 (not known) for each of {num_samples} rows, "
                f"got {classes.dtype} {classes.shape}"
            )
        return classes.astype(int)

    def _of_two_classes(self, linked: np.ndarray, classes: np.ndarray, row_name: Callable[[int], str]) -> list[str]:
        found: list[str] = []
        known: dict[int, int] = {}
        for row in np.flatnonzero(classes >= 0).tolist():
            other = known.setdefault(int(linked[row]), row)
            if classes[other] != classes[row]:
                both = f"{self.class_name(classes[other])} and {self.class_name(classes[row])}"
                found.append(f"{row_name(other)} and {row_name(row)} are to be together, and are {both}")
        return found

    def _why_together(self, linked: np.ndarray, classes: np.ndarray, a: int, b: int) -> str:
        if a == b:
            return "they are one"
        if linked[a] == linked[b]:
            return "must_link joins them"
        kinds = [classes[linked == linked[one]].max() for one in (a, b)]
        return f"are both {self.class_name(int(kinds[0]))}"


def check_clusters(constraints: Constraints, num_clusters: int) -> None:
    """Whether so many clusters can keep what was asked.

    Raises:
        InputError: they cannot.
    """
    if constraints.num_classes > num_clusters:
        raise InputError(
            f"hints name {constraints.num_classes} classes, which need as many clusters, but num_clusters is "
            f"{num_clusters}"
        )
    if len(constraints.classes) < num_clusters:
        raise InputError(
            f"hints join the training samples into {len(constraints.classes)} sets, from which num_clusters "
            f"{num_clusters} cannot be made"
        )


def _pairs(name: str, pairs: Any, num_samples: int) -> np.ndarray:
    try:
        found = np.asarray(pairs)
    except ValueError:
        found = np.asarray("ragged")
    if found.size == 0:
        return np.zeros((0, 2), int)
    if found.ndim != 2 or found.shape[1] != 2 or found.dtype.kind not in "iu":
        raise InputError(f"{name} must be pairs of rows, (m, 2) whole numbers, got {found.dtype} {found.shape}")
    if found.min() < 0 or found.max() >= num_samples:
        wrong = found[(found < 0) | (found >= num_samples)][0]
        raise InputError(f"{name} must name rows from 0 to {num_samples - 1}, got {wrong}")
    return found.astype(int)
