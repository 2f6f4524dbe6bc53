"""A series as samples: every stretch of so many values that lie one after the other."""

import numpy as np
from jaxtyping import Float

from vaeclust_jax.checks import is_whole
from vaeclust_jax.data.dataset import Dataset, check_array
from vaeclust_jax.errors import InputError


def windows(series: object, size: int) -> Float[np.ndarray, "m size"]:
    """All stretches of a series, the first one first, as rows.

    Args:
        series: (T,) or (T, 1), finite numbers in the order of time.
        size: values of a stretch, at most T.

    Returns:
        (T - size + 1, size); row i holds the values i to i + size - 1.

    Raises:
        InputError: no such series, or one that is too short.

    Example:
        >>> vc.data.windows([1, 2, 3, 4], 3).tolist()
        [[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]]
    """
    values = checked_series(series)
    if not is_whole(size) or size < 1:
        raise InputError(f"size must be a whole number of at least 1, got {size!r}")
    if len(values) < size:
        raise InputError(f"a series must have at least {size} values for windows of {size}, got {len(values)}")
    return np.lib.stride_tricks.sliding_window_view(values, size).copy()


def checked_series(series: object) -> Float[np.ndarray, " t"]:
    """One series as a vector.

    Raises:
        InputError: it is not one series of finite numbers without gaps.
    """
    if isinstance(series, Dataset):
        _check_whole(series)
    x = series.x if isinstance(series, Dataset) else np.asarray(series)
    if isinstance(x, np.ndarray) and x.ndim == 1 and x.size:
        x = x[:, np.newaxis]
    x = check_array(x, "series")
    if x.ndim != 2 or x.shape[1] != 1:
        names = getattr(getattr(series, "columns", None), "features", None)
        hint = f": choose one by --column, there are {', '.join(names[:8])}" if names else ""
        raise InputError(f"a series is one column of values (T, 1), got shape {x.shape}{hint}")
    values = x[:, 0]
    if len(values) > 1 and values.min() == values.max():
        raise InputError(f"a series must change, but all {len(values)} values are {values[0]:g}")
    return values


def _check_whole(series: Dataset) -> None:
    """Whether no value was left out, nor made of those that come later."""
    cure = f"fill {series.name} itself, such as by the value before each gap, and leave --missing out"
    if series.row_numbers is not None:
        raise InputError(f"a series must have no gaps, but rows of {series.name} were dropped: {cure}")
    if series.columns is not None and series.columns.means:
        raise InputError(
            f"a gap of a series must not become the mean of its column, which knows what comes later: {cure}"
        )
