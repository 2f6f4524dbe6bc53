"""How the features of vectors are scaled, and what is too far away to be."""

import numpy as np

from vaeclust_jax.data.mapped import Rows
from vaeclust_jax.data.moments import extremes, moments
from vaeclust_jax.errors import InputError

FARTHEST = 1e15
"""Prepared values beyond it are refused: networks square them, and float32 ends at 3.4e38."""


def scale_rows(x: np.ndarray) -> np.ndarray:
    """Every row (n, F) brought to [0, 1] by its own extremes, float32; a constant row becomes 0."""
    low, high = x.min(axis=1, keepdims=True), x.max(axis=1, keepdims=True)
    return ((x - low) / np.where(high > low, high - low, 1)).astype(np.float32)


def too_far(values: np.ndarray) -> int | None:
    """The first feature of vectors with a value that is infinite or beyond `FARTHEST`."""
    near = np.abs(values) <= FARTHEST
    return None if near.all() else int(np.flatnonzero(~near.all(axis=0))[0])


def fit_scaling(x: Rows, scaling: str, weight: np.ndarray | None) -> tuple[np.ndarray | None, np.ndarray | None]:
    """What is subtracted from each feature and then divides it, (F,) float64; None: nothing.

    Raises:
        InputError: the variance of a feature is 0 in float64, though its values differ.
    """
    if scaling in ("none", "minmax-row"):
        return None, None
    low, high = (extreme.astype(np.float64) for extreme in extremes(x))
    if scaling == "minmax":
        offset, scale = low, high - low
    else:
        offset, scale = moments(x, axis=0, weight=weight)
        if scaling == "standardise-all":
            spread = np.sqrt((scale**2 + (offset - offset.mean()) ** 2).mean())
            offset, scale = np.full_like(offset, offset.mean()), np.full_like(scale, spread if spread > 0 else 1.0)
            return offset, scale
        if (vanished := np.flatnonzero((low < high) & (scale == 0))).size:
            first = int(vanished[0])
            raise InputError(
                f"feature {first} has values from {low[first]:.4g} to {high[first]:.4g}, too near each other for a "
                "variance: multiply the samples by a large number, or use scaling 'minmax'"
            )
    # A constant feature carries nothing; compared by range, because its rounded deviation need not be 0.
    return np.where(low == high, low, offset), np.where(low == high, 1.0, scale)
