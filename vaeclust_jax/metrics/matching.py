"""Which cluster stands for which class: the contingency table, its best one-to-one match, and accuracy.

Cluster ids are arbitrary, so a clustering can be compared with classes only after its clusters were matched
to them. ACC is the agreement under the best match (Yang et al. 2010, "Image clustering using local
discriminant models and global integration"), found with the Hungarian method.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vaeclust_jax.errors import InputError


def check_ids(name: str, values: ArrayLike, limit: int | None = None) -> NDArray[np.integer]:
    """Check that an argument holds class or cluster numbers, and return it as an array.

    Args:
        name: what the argument is called, for the message.
        values: shape (n,), whole numbers from 0.
        limit: all must be below it; None for no limit.

    Raises:
        InputError: empty, not one-dimensional, not of an integer type, negative, or at the limit or above.
    """
    ids = np.asarray(values)
    if ids.ndim != 1 or ids.size == 0:
        raise InputError(f"{name} must be one-dimensional and not empty; got shape {ids.shape}.")
    if not np.issubdtype(ids.dtype, np.integer):
        raise InputError(f"{name} must hold whole numbers of an integer type; got {ids.dtype}.")
    if ids.min() < 0:
        raise InputError(f"{name} must hold numbers from 0; got {ids.min()}.")
    if limit is not None and ids.max() >= limit:
        raise InputError(f"{name} must hold numbers from 0 to {limit - 1}; got {ids.max()}.")
    return ids


def contingency(y: ArrayLike, labels: ArrayLike) -> NDArray[np.int64]:
    """Count the samples of each class in each cluster.

    Args:
        y: shape (n,), class numbers.
        labels: shape (n,), cluster ids.

    Returns:
        Shape (classes, clusters): rows in the order of `np.unique(y)`, columns of `np.unique(labels)`, so
        classes and clusters without samples have no row or column.

    Raises:
        InputError: `y` or `labels` does not hold numbers from 0, or their lengths differ.
    """
    from sklearn.metrics.cluster import contingency_matrix

    y, labels = check_ids("y", y), check_ids("labels", labels)
    if len(y) != len(labels):
        raise InputError(f"y must have one entry per label, {len(labels)}; got {len(y)}.")
    return np.asarray(contingency_matrix(y, labels), dtype=np.int64)


def match_clusters(y: ArrayLike, labels: ArrayLike) -> dict[int, int]:
    """Match clusters to classes one to one so that most samples agree.

    Args:
        y: shape (n,), class numbers.
        labels: shape (n,), cluster ids.

    Returns:
        The class of every cluster that has samples, in the order of the ids; -1 for the clusters left over
        when there are more clusters than classes. A class and a cluster may be matched without a common
        sample when nothing better is left for them.

    Raises:
        InputError: as `contingency`.
    """
    counts = contingency(y, labels)
    matched = dict(_best_pairs(counts))
    classes = np.unique(np.asarray(y))
    return {
        int(cluster): int(classes[matched[column]]) if column in matched else -1
        for column, cluster in enumerate(np.unique(np.asarray(labels)))
    }


def accuracy(y: ArrayLike, labels: ArrayLike) -> float:
    """ACC: the share of samples whose cluster is matched to their class, in [0, 1].

    Args:
        y: shape (n,), class numbers.
        labels: shape (n,), cluster ids; the samples of unmatched clusters count as wrong.

    Raises:
        InputError: as `contingency`.
    """
    counts = contingency(y, labels)
    agreeing = sum(int(counts[row, column]) for column, row in _best_pairs(counts))
    return agreeing / int(counts.sum())


def _best_pairs(counts: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return the (column, row) pairs of a contingency table that hold the most samples."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(counts, maximize=True)
    return list(zip(columns.tolist(), rows.tolist(), strict=True))
