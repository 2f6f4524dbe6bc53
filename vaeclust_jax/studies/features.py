"""What sets a cluster of vectors apart: its features against those of all other samples."""

import numpy as np

from vaeclust_jax.data import Dataset
from vaeclust_jax.folder.records.clusters import FeatureRecord

_MOST = 5  # features of a cluster
_CHUNK = 65536  # rows that are read at once


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
    for start in range(0, len(x), _CHUNK):
        chunk = x[start : start + _CHUNK] - centre
        member = np.eye(num_clusters)[labels[start : start + _CHUNK]].T
        sums += member @ chunk
        squares += member @ chunk**2
    others, rest = len(x) - n, sums.sum(axis=0) - sums
    with np.errstate(divide="ignore", invalid="ignore"):
        mean, mean_rest = sums / n, rest / others
        within = squares.sum(axis=0) - sums * mean - rest * mean_rest
        spread = np.sqrt(np.maximum(within, 0) / (len(x) - 2))
        tiny = 1e-6 * (np.abs(mean) + np.abs(mean_rest))  # rounding, where both groups are constant
        difference = np.where(spread > tiny, (mean - mean_rest) / spread, np.sign(mean - mean_rest) * np.inf)
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
            if difference[cluster, one] != 0 and not np.isnan(difference[cluster, one])
        )
        if 0 < n[cluster, 0] < len(x)
        else ()
        for cluster in range(num_clusters)
    ]


def _names(dataset: Dataset) -> tuple[str, ...]:
    if dataset.columns is not None:
        return dataset.columns.features
    return tuple(f"feature {number}" for number in range(dataset.x.shape[1]))
