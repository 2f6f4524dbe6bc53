"""Errors of forecasts."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float


def nmse(forecasts: Float[np.ndarray, "... o h"], truth: Float[np.ndarray, "o h"]) -> Float[np.ndarray, "... o"]:
    """The mean squared error over the variance of the truth, whose mean would have 1.

    It is NaN where the truth does not change, and infinite where a forecast runs away, to NaN too.

    Args:
        forecasts: h values from each of o origins, of any number of models.
        truth: what came.
    """
    variance = truth.var(axis=-1)
    with np.errstate(over="ignore", invalid="ignore"):
        error = ((forecasts - truth) ** 2).mean(axis=-1)
    error = np.where(np.isnan(error), np.inf, error)
    return np.divide(error, variance, out=np.full(error.shape, np.nan), where=variance > 0)


def median(errors: Sequence[float | None] | Float[np.ndarray, " n"]) -> float | None:
    """Of errors of which those that ran away, None or infinite, are larger than all others; None where it is one."""
    return finite(np.median([np.inf if error is None else error for error in errors])) if len(errors) else None


def finite(value: float) -> float | None:
    """The value, or None where it is not finite."""
    return float(value) if np.isfinite(value) else None
