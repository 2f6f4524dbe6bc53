"""Errors of forecasts."""

import numpy as np
from jaxtyping import Float


def nmse(forecasts: Float[np.ndarray, "... o h"], truth: Float[np.ndarray, "o h"]) -> Float[np.ndarray, "... o"]:
    """The mean squared error over the variance of the truth, whose mean would have 1; NaN where nothing changes.

    Args:
        forecasts: h values from each of o origins, of any number of models.
        truth: what came.
    """
    variance = truth.var(axis=-1)
    with np.errstate(over="ignore"):
        error = ((forecasts - truth) ** 2).mean(axis=-1)
    return np.divide(error, variance, out=np.full(error.shape, np.nan), where=variance > 0)


def finite(value: float) -> float | None:
    """The value, or None where it is not finite."""
    return float(value) if np.isfinite(value) else None
