"""What people hold in memory besides arrays: frames of pandas, polars and pyarrow, and sparse matrices."""

import math
import warnings
from collections.abc import Hashable
from typing import Any

import numpy as np

from vaeclust_jax.data.column_names import (
    COORDINATE,
    are_few,
    is_called_index,
    is_called_labels,
    is_unnamed,
    may_number,
    number_rows,
)
from vaeclust_jax.data.kinds import LARGEST_WHOLE
from vaeclust_jax.data.reading import Columns, listed
from vaeclust_jax.errors import InputError, InputWarning
from vaeclust_jax.machine import memory

_MUCH = 2**30
"""Bytes of a dense matrix, from which on its size is said."""


def frame_names(x: object) -> list[Any] | None:
    """The names of a frame's columns; None of anything else."""
    if isinstance(x, np.ndarray) or is_lazy(x) or not hasattr(x, "columns"):
        return None
    names = list(getattr(x, "column_names", x.columns))  # pyarrow's `columns` are the values
    return names if all(isinstance(name, Hashable) for name in names) else None


def library_of(x: object) -> str:
    """The package that an object's class comes from, such as "pandas"."""
    return type(x).__module__.partition(".")[0]


def is_lazy(x: object) -> bool:
    """Whether it is a frame of polars that is still to be computed: a look at its columns may cost, and warns."""
    return library_of(x) == "polars" and hasattr(x, "collect")


def frame_columns(x: object) -> Columns | None:
    """The columns of a frame that is trained on, with a warning of `warn_of_names`; None where none has a name.

    Raises:
        InputError: names that are there twice.
    """
    names = frame_names(x)
    if not names or names == list(range(len(names))):  # pandas' of an array
        return None
    texts = tuple(map(str, names))
    if len(set(texts)) < len(texts):
        raise InputError(f"the frame must have columns of different names, got {listed(texts)}")
    warn_of_names(x)
    return Columns(texts)


def warn_of_names(x: object) -> None:
    """An `InputWarning` of columns that a file's reader would take for labels or an index.

    Those of a frame are features still, since they were handed in as some.
    """
    names = [name for name in frame_names(x) or [] if isinstance(name, str)]
    if suspects := [name for name in names if is_called_labels(name) or _is_label_y(x, name, names)]:
        warnings.warn(f"{listed(suspects)} of the frame became features: drop them if they hold the classes",
                      InputWarning, stacklevel=2)  # fmt: skip
    numbers: list[str] = []
    for name in names:
        if _is_index(x, name, name == names[len(numbers)]):
            numbers.append(name)
    if numbers:
        warnings.warn(f"{listed(numbers)} of the frame became features: drop them if they only number the rows",
                      InputWarning, stacklevel=2)  # fmt: skip


def _is_label_y(x: Any, name: str, names: list[str]) -> bool:
    """Whether it is y, of a few values, and no coordinate beside an x of as many."""
    beside = [other for other in names if other.strip().lower() == "x"]
    return (
        name.strip().lower() == COORDINATE
        and are_few(_numbers(x, name))
        and not any(are_few(_numbers(x, other)) for other in beside)
    )


def _is_index(x: Any, name: str, leads: bool) -> bool:
    if is_called_index(name) or (is_unnamed(name) and leads):
        return True
    values = np.asarray(x[name])
    if values.dtype.kind in "iu" and values.size and max(-int(values.min()), int(values.max())) > LARGEST_WHOLE:
        return True
    return may_number(name, leads) and number_rows(_numbers(x, name))


def _numbers(x: Any, name: str) -> np.ndarray:
    """The numbers in a column, without those that are missing; none of a column of anything else."""
    try:
        values = _column(x, name).astype(np.float64)
    except InputError:
        return np.zeros(0)
    return values[np.isfinite(values)]


def in_order(x: Any, columns: Columns | None) -> Any:
    """A frame's columns as the model was trained on them, by name; anything without names as it is.

    A model that was trained without names knows its features by their numbers, and so may the columns of a frame.

    Raises:
        InputError: names a column that is missing.
    """
    names = frame_names(x)
    if not names:
        return x
    numbers = list(range(len(names)))
    if columns is None:
        return dense(x, numbers) if names != numbers and set(names) == set(numbers) else x
    known = {str(name): name for name in names}
    if missing := [name for name in columns.features if name not in known]:
        if names == numbers:
            return x
        raise InputError(
            f"the frame lacks {listed(missing)} of the {len(columns.features)} columns that the model was trained on: "
            f"it has {listed(known)}"
        )
    features = set(columns.features)
    if more := [name for name in known if name not in features]:
        warnings.warn(f"columns that the model does not know were left out: {listed(more)}", InputWarning, stacklevel=2)
    return dense(x, [known[name] for name in columns.features])


def dense(x: Any, names: Any = None) -> Any:
    """An array of a frame (its columns in the order of `names`) or of a sparse matrix; anything else as it is.

    Raises:
        InputError: names a column that holds no numbers, or a missing value; a matrix that memory cannot hold.
    """
    if hasattr(x, "toarray") and hasattr(x, "nnz"):
        return _dense_matrix(x)
    if is_lazy(x):
        raise InputError("a lazy frame must be collected first: x.collect()")
    known = frame_names(x)
    if not known:
        return x
    if names is None and not has_times(x):
        try:
            whole = np.asarray(x)
        except TypeError:  # columns of several kinds: one of them is named below
            whole = np.zeros(0, object)
        if whole.dtype.kind in "biuf" and whole.ndim == 2:
            return whole
    columns, wrong = [], {}
    for name in known if names is None else names:
        try:
            columns.append(_column(x, name))
        except InputError as error:
            wrong[str(name)] = error
    if wrong:
        others = list(wrong)[1:]
        raise InputError(f"{next(iter(wrong.values()))}{f', and {listed(others)} too' if others else ''}")
    return np.stack(columns, axis=1)


def has_times(x: Any) -> bool:
    """Whether a frame of polars has dates or durations, which its arrays count in days or microseconds."""
    return library_of(x) == "polars" and any(kind.is_temporal() for kind in x.dtypes)


def _dense_matrix(x: Any) -> np.ndarray:
    """A sparse matrix as the one array that `check_array` keeps: only what is stored is converted before."""
    if x.dtype.kind in "biuf":
        x = x.astype(np.float32 if np.can_cast(x.dtype, np.float32) else np.float64, copy=False)
    size, room = math.prod(map(int, x.shape)) * x.dtype.itemsize, memory()
    if room is not None and size > room:
        raise InputError(
            f"the sparse matrix {x.shape} takes {size / 1e9:,.1f} GB as an array, and there are {room / 1e9:,.1f} GB: "
            "choose fewer features, or reduce them first (sklearn.decomposition.TruncatedSVD)"
        )
    if size > _MUCH:
        warnings.warn(f"the sparse matrix {x.shape} takes {size / 1e9:,.1f} GB as an array", InputWarning, stacklevel=3)
    return np.asarray(x.toarray())


def _column(x: Any, name: Any) -> np.ndarray:
    column = x[name]
    try:
        values = np.asarray(column)
        if values.ndim != 1:
            raise ValueError("it holds lists, or another column has its name")
        if values.dtype.kind in "biuf":
            return values
        if any(isinstance(value, str) for value in values.ravel()[:1000].tolist()):  # "7" would be read as 7
            raise ValueError("it holds text")
        if values.dtype.kind == "c":
            raise ValueError("it holds complex numbers")
        if values.dtype.kind in "mM":  # as a number it would count nanoseconds
            raise ValueError("it holds times")
        return np.asarray(
            column.to_numpy(dtype=np.float64, na_value=np.nan) if library_of(column) == "pandas" else values, float
        )
    except (TypeError, ValueError) as error:
        raise InputError(
            f"column {name!r} of the frame must hold numbers: {str(error)[:100]}; drop it or turn it into numbers"
        ) from error
