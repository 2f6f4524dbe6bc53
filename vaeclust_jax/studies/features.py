"""What sets a cluster of vectors apart: its features against those of all other samples."""

import numpy as np

from vaeclust_jax.data import Dataset
from vaeclust_jax.folder.records.clusters import FeatureRecord

_MOST = 5  # features of a cluster
_VALUES = 2**22  # that are read at once


def features_apart(dataset: Dataset, labels: np.ndarray, num_clusters: int) -> list[tuple[FeatureRecord, ...]]:
    """Of every cluster, the features whose means differ most from those of the rest, by Cohen's d.

    Args:
        dataset: of vectors.
        labels: shape (n,), cluster ids.
        num_clusters: K.

    Returns:
        K tuples; empty for a cluster that holds no sample, or all.
    """
    x, n = dataset.x, np.bincount(labels, minlength=num_clusters)[:, np.newaxis]
    centre = x.mean(axis=0, dtype=np.float64)  # taken away first: squares of large numbers lose digits
    sums, squares = np.zeros((2, num_clusters, x.shape[1]))
    rows = max(1, _VALUES // x.shape[1])
    for start in range(0, len(x), rows):
        chunk = x[start : start + rows] - centre
        member = np.eye(num_clusters)[labels[start : start + rows]].T
        sums += member @ chunk
        squares += member @ chunk**2
    rounding = 1e-9 * (np.abs(centre) + np.sqrt(squares.sum(axis=0) / len(x)))
    rest = sums.sum(axis=0) - sums
    with np.errstate(divide="ignore", invalid="ignore"):
        mean, mean_rest = sums / n, rest / (len(x) - n)
        within = squares.sum(axis=0) - sums * mean - rest * mean_rest
        spread = np.sqrt(np.maximum(within, 0) / (len(x) - 2))
        gap = np.where(np.abs(mean - mean_rest) > rounding, mean - mean_rest, 0.0)
        difference = np.where(spread > rounding, gap / spread, np.copysign(np.inf, gap))
    difference[gap == 0] = 0
    names = _names(dataset)
    return [
        tuple(
            FeatureRecord(
                name=names[one],
                mean=float(mean[cluster, one] + centre[one]),
                rest=float(mean_rest[cluster, one] + centre[one]),
                difference=float(difference[cluster, one]) if np.isfinite(difference[cluster, one]) else None,
            )
            for one in np.argsort(-np.abs(difference[cluster]), kind="stable")[:_MOST]
            if difference[cluster, one] != 0
        )
        for cluster in range(num_clusters)
    ]


def _names(dataset: Dataset) -> tuple[str, ...]:
    if dataset.columns is not None:
        return dataset.columns.features
    return tuple(f"feature {number}" for number in range(dataset.x.shape[1]))
