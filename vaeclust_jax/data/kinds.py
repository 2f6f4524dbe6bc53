"""What a column of arrow holds: text, times or numbers, and these as an array."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow

LARGEST_WHOLE = 2**53
"""Up to which floats tell all whole numbers apart; beyond are ids, as of posts, that many rows would share."""


def is_text(kind: "pyarrow.DataType") -> bool:
    """Whether a column holds text."""
    from pyarrow import types

    if types.is_dictionary(kind):
        kind = kind.value_type
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def is_time(kind: "pyarrow.DataType") -> bool:
    """Whether a column holds dates or times."""
    from pyarrow import types

    return bool(types.is_temporal(kind))


def seconds(column: "pyarrow.ChunkedArray") -> np.ndarray | None:
    """Times as numbers that grow with them; None of times of the day."""
    from pyarrow import types

    if not (types.is_date(column.type) or types.is_timestamp(column.type)):
        return None
    return column.cast("timestamp[us]").cast("int64").to_numpy().astype(np.float64)


def finite(column: "pyarrow.ChunkedArray") -> np.ndarray | None:
    """The numbers that are there, float64; None of anything else."""
    numbers = to_numbers(column)
    return None if numbers is None else numbers[np.isfinite(numbers)]


def to_numbers(column: "pyarrow.ChunkedArray") -> np.ndarray | None:
    """A column as float64, NaN where nothing is, not to be written to; None if it holds no numbers."""
    from pyarrow import types

    kind = column.type
    if types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if types.is_null(kind):
        return np.full(len(column), np.nan)
    if types.is_boolean(kind):
        column = column.cast("int8")
    elif types.is_decimal(kind):
        column = column.cast("float64")
    elif not (types.is_integer(kind) or types.is_floating(kind)):
        return None
    return np.asarray(column.to_numpy().astype(np.float64, copy=False))


def are_ids(column: "pyarrow.ChunkedArray") -> bool:
    """Whether a column holds whole numbers that floats cannot tell apart, as such or as text."""
    from pyarrow import compute, types

    if types.is_integer(column.type):
        return any(abs(end or 0) > LARGEST_WHOLE for end in compute.min_max(column).as_py().values())
    if not types.is_string(column.type):
        return False
    whole, long = (compute.match_substring_regex(column, rf"^-?{cell}$") for cell in (r"\d+", r"\d{17,}"))
    return bool(compute.all(whole).as_py() and compute.any(long).as_py())


def is_coded(column: "pyarrow.ChunkedArray") -> bool:
    """Whether it is text with another code in every row, such as 0012 or 3E5: spelled otherwise as a number."""
    from pyarrow import compute, types

    if not types.is_string(column.type) or len(column.unique()) < len(column):
        return False
    return bool(compute.all(compute.match_substring_regex(column, r"^(\d+|\d+[eE]\d+)$")).as_py())
