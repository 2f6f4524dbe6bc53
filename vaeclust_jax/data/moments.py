"""Extremes, mean and variance of rows that need not fit into memory."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from vaeclust_jax.data.mapped import Rows, chunks


def weighted_chunks(x: Rows, weight: np.ndarray | None) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """`chunks`, each with what its rows count."""
    start = 0
    for part in chunks(x):
        end = start + len(part)
        yield part, None if weight is None else weight[start:end]
        start = end


def extremes(x: Rows) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest value of each feature."""
    low, high = zip(*((part.min(axis=0), part.max(axis=0)) for part in chunks(x)), strict=True)
    return np.min(low, axis=0), np.max(high, axis=0)


class Moments(NamedTuple):
    """Mean and variance in float64 of what was read so far."""

    rows: float = 0
    """What they count together."""
    mean: Any = np.float64(0)
    variance: Any = np.float64(0)

    def and_of(self, part: np.ndarray, axis: int | None = None, weight: np.ndarray | None = None) -> "Moments":
        """The moments of these and of further rows (Chan, Golub and LeVeque 1983), which may count by weight."""
        count = len(part) if weight is None else float(weight.sum(dtype=np.float64))
        rows = self.rows + count
        share = count / rows
        middle, spread = _mean_and_variance(part, axis, weight)
        step = middle - self.mean
        variance = (1 - share) * self.variance + share * spread + share * (1 - share) * step**2
        return Moments(rows, self.mean + share * step, variance)


def _mean_and_variance(part: np.ndarray, axis: int | None, weight: np.ndarray | None) -> tuple[Any, Any]:
    if weight is None:
        return part.mean(axis=axis, dtype=np.float64), part.var(axis=axis, dtype=np.float64)

    def mean(values: np.ndarray) -> Any:
        of_features = np.average(values.astype(np.float64), axis=0, weights=weight)
        return of_features if axis == 0 else of_features.mean()

    middle = mean(part)
    return middle, mean(np.square(part - middle))


def moments(x: Rows, axis: int | None = None, weight: np.ndarray | None = None) -> tuple[Any, Any]:
    """Mean and standard deviation in float64, of each feature with `axis=0`; rows count by weight."""
    found = Moments()
    for part, counts in weighted_chunks(x, weight):
        found = found.and_of(part, axis, counts)
    return found.mean, np.sqrt(found.variance)
