"""The data set every other part works on, and the checks that make any array or label list into one."""

import os
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from vaeclust_jax.checks import check_one_shape, check_unmasked
from vaeclust_jax.data.frames import dense
from vaeclust_jax.data.kinds import LARGEST_WHOLE
from vaeclust_jax.data.pictures import Pictures
from vaeclust_jax.data.reading import Columns, listed
from vaeclust_jax.errors import InputError
from vaeclust_jax.shown import shape_of, shortened, table


@dataclass(frozen=True)
class Dataset:
    """Images or vectors, with labels where they are known.

    Attributes:
        x: images `(n, H, W, C)`, uint8 or float32 in [0, 1]; or vectors `(n, F)`, float32 or float64. Of data larger
            than memory, the `StoredRows` that stand for them.
        y: labels `(n,)`, integers from 0, or None.
        name: what to call the data in reports.
        num_classes: how many classes the data are documented to hold; None where nobody documents it.
            It is never counted from `y`, so that using it does not read the labels.
        class_names: the name of every class, in label order.
        row_names: the name of every row (the files of an image folder, the index column of a table).
        description: one line about the data.
        source: where they were read from.
        columns: of a table: which columns the features are, and how they are read.
        pictures: of picture files: how they were brought to one size and range.
        row_numbers: of each row in its file, from 0, where some rows were dropped.
        taken: sentences on what was found out about the file and could have been meant in another way.
        subjects: `(n,)`, whole numbers or names: rows of one are of one subject, such as a patient or a plate. They
            are held out together, and resampled as one where an interval is over rows.
        names_are: what the outputs call the column of `row_names`: file or sample.
    """

    x: np.ndarray
    y: np.ndarray | None
    name: str
    num_classes: int | None = None
    class_names: tuple[str, ...] | None = None
    row_names: tuple[str, ...] | None = None
    description: str = ""
    source: str = ""
    columns: Columns | None = None
    pictures: Pictures | None = None
    row_numbers: np.ndarray | None = None
    taken: tuple[str, ...] = ()
    subjects: np.ndarray | None = None
    names_are: Literal["file", "sample"] = "file"

    def __repr__(self) -> str:
        """In place of the values, which fill screens: how many there are."""
        return f"Dataset({shortened(self.name)!r}, {', '.join(self._facts().values())})"

    def _repr_html_(self) -> str:
        more = {"description": self.description, "source": self.source, "taken": " ".join(self.said)}
        return table(f"Dataset {self.name}", {**self._facts(), **{name: said for name, said in more.items() if said}})

    def _facts(self) -> dict[str, str]:
        classes = "" if self.num_classes is None else f" of {self.num_classes} classes"
        return {
            "samples": f"{len(self.x)} {shape_of(self.x.shape[1:])}",
            "values": str(self.x.dtype),
            "labels": "no labels" if self.y is None else f"labels{classes}",
        } | ({} if self.subjects is None else {"subjects": f"{len(np.unique(self.subjects))} subjects"})

    def of_rows(self, index: np.ndarray) -> "Dataset":
        """Some rows, in memory, with what is known of each of them; `index`: their numbers, from 0."""
        return replace(
            self,
            x=np.asarray(self.x[index]),
            y=None if self.y is None else self.y[index],
            row_names=None if self.row_names is None else tuple(self.row_names[row] for row in index),
            row_numbers=index if self.row_numbers is None else self.row_numbers[index],
            subjects=None if self.subjects is None else self.subjects[index],
        )

    @property
    def numbers(self) -> np.ndarray:
        """Of the rows in their file, from 0."""
        return np.arange(len(self.x)) if self.row_numbers is None else self.row_numbers

    @property
    def named(self) -> dict[str, np.ndarray]:
        """The column of `row_names` under its name, to stand beside others; nothing where rows have none."""
        return {} if self.row_names is None else {self.names_are: np.asarray(self.row_names, object)}

    @property
    def said(self) -> tuple[str, ...]:
        """`taken`, after the names of the features of a table."""
        if self.columns is None:
            return self.taken
        features = self.columns.features
        number = "1 feature" if len(features) == 1 else f"{len(features)} features"
        return (f"{len(self.x)} rows of {number}: {listed(features)}", *self.taken)


def check_array(x: object, name: str = "x") -> np.ndarray:
    """Checks samples and brings them to the form of `Dataset.x`.

    Args:
        x: anything numpy can read, a frame or a sparse matrix: images `(n, H, W)` or `(n, H, W, C)` with 1 to 4
            channels, uint8, other integers in 0..255, booleans or floats in [0, 1]; or vectors `(n, F)` of any finite
            numbers.
        name: what the error calls the array.

    Returns:
        Images `(n, H, W, C)`, uint8 or float32; or vectors `(n, F)`, float32, or float64 for wider numbers. What has
        this form already is not copied.

    Raises:
        InputError: for any other dtype, rank, size or value.
    """
    array = _to_numbers(x, name)
    if array.ndim not in (2, 3, 4):
        one = "; reshape it to (-1, 1) if every number is one sample, or to (1, -1) if all are one"
        hint = one if array.ndim == 1 else ""
        raise InputError(
            f"{name} must be vectors (n, F) or images (n, H, W) or (n, H, W, C), got shape {array.shape}{hint}"
        )
    if 0 in array.shape:
        raise InputError(f"{name} must hold at least one sample and one value a sample, got shape {array.shape}")
    if array.ndim == 2:
        _check_finite(array, name)
        # Timestamps and the like: float32 would lose their differences before any scaling.
        return array.astype(np.float32 if np.can_cast(array.dtype, np.float32) else np.float64, copy=False)
    return _check_images(array if array.ndim == 4 else array[..., np.newaxis], name)


_INSTEAD = {
    "O": "pass one array, such as np.array(list(x), float), or a frame",
    "V": "pass its fields as columns: numpy.lib.recfunctions.structured_to_unstructured(x)",
    "c": "pass their absolute values, or real and imaginary parts as features",
}
"""By kind of dtype, what a person may do."""


def _to_numbers(x: object, name: str) -> np.ndarray:
    if isinstance(x, str | os.PathLike):
        raise InputError(f"{name} must be samples, got {str(x)[:100]!r}: vaeclust_jax.data.load reads sets and files")
    check_unmasked(x, name)
    try:
        array = np.asarray(dense(x))
    except InputError:
        raise
    except Exception as error:  # a foreign __array__ may fail in any way
        check_one_shape(x, name)
        raise InputError(f"{name} cannot be read as an array of numbers: {error}") from error
    if array.dtype.type.__module__ == "ml_dtypes":  # bfloat16 and the like
        array = array.astype(np.float32)
    if array.dtype.kind not in "biuf":
        check_one_shape(x, name)
        hint = "; " + _INSTEAD[array.dtype.kind] if array.dtype.kind in _INSTEAD else ""
        raise InputError(f"{name} must hold integers, booleans or floats, got dtype {str(array.dtype)[:100]}{hint}")
    return array


def _check_finite(array: np.ndarray, name: str) -> None:
    """Without another array of its size: the extremes are NaN or infinite if any value is."""
    low, high = array.min(), array.max()
    if array.dtype.kind in "iu" and max(-int(low), int(high)) > LARGEST_WHOLE:
        raise InputError(
            f"{name} has whole numbers beyond 2^53, which floats cannot tell apart: leave columns of ids out, or pass "
            "floats"
        )
    with np.errstate(over="ignore"):
        extremes = np.array([low, high]).astype(np.float32)
    if np.isfinite(extremes).all():
        return
    if array.dtype.kind == "f" and (count := int((~np.isfinite(array)).sum())):
        raise InputError(f"{name} must be finite, got {count} NaN or infinite values; drop or fill them first")
    raise InputError(f"{name} has values beyond the range of float32 (about 3.4e38); rescale them first")


def _check_images(array: np.ndarray, name: str) -> np.ndarray:
    _, height, width, channels = array.shape
    if channels > 4:
        raise InputError(
            f"{name} must have 1 to 4 channels on its last axis, got {channels} (shape {array.shape});"
            " move the channel axis to the end, and that of the samples to the front"
        )
    if height * width == 1:
        raise InputError(f"{name} has images of one pixel (shape {array.shape}); pass vectors (n, F) instead")
    if array.dtype.kind == "b":
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind in "iu":
        low, high = int(array.min()), int(array.max())
        if low < 0 or high > 255:
            raise InputError(f"{name} has integer pixels from {low} to {high}; they must lie in 0..255")
        return array.astype(np.uint8)
    _check_finite(array, name)
    array = array.astype(np.float32, copy=False)
    if array.min() < 0 or array.max() > 1:
        series = ", such as x.reshape(len(x), -1) of series (n, T, C)" if channels == 1 else ""
        raise InputError(
            f"{name} has float pixels from {array.min():g} to {array.max():g}; they must lie in [0, 1]:"
            f" divide by 255 if that is their range, or pass vectors (n, F){series}"
        )
    return array


def check_labels(y: object, n: int, name: str = "y") -> tuple[np.ndarray, tuple[str, ...]]:
    """Checks labels and numbers them from 0 in sorted order.

    Args:
        y: `n` labels: integers, whole floats, booleans or strings.
        n: the number of samples they belong to.
        name: what the error calls the labels.

    Returns:
        Labels `(n,)` int32 from 0, and the class names: the distinct values, sorted (whole numbers as numbers), as
        strings.

    Raises:
        InputError: if there is not one readable label a sample.
    """
    check_unmasked(y, name)
    try:
        labels = np.asarray(y)
    except Exception as error:
        raise InputError(f"{name} cannot be read as labels: {error}") from error
    if labels.ndim != 1:
        raise InputError(f"{name} must be one label a sample, shape ({n},), got shape {labels.shape}")
    if len(labels) != n:
        raise InputError(f"{name} has {len(labels)} labels but x has {n} samples; the two must be equal")
    if labels.dtype.kind == "O" and all(isinstance(label, str) for label in labels):
        labels = labels.astype(str)
    if labels.dtype.kind not in "biufUS":
        raise InputError(f"{name} must hold integers or strings, got dtype {labels.dtype}")
    if labels.dtype.kind == "f":
        if not np.isfinite(labels).all():
            raise InputError(f"{name} has missing labels (NaN or infinite); drop those samples first")
        if (labels != np.round(labels)).any():
            raise InputError(f"{name} must hold whole numbers, got {labels[labels != np.round(labels)][0]}")
    values, inverse = np.unique(labels, return_inverse=True)
    if labels.dtype.kind in "US" and (order := _order_as_numbers(values)) is not None:
        values, inverse = values[order], np.argsort(order)[inverse]
    return inverse.astype(np.int32), tuple(_label_text(value) for value in values)


def _order_as_numbers(values: np.ndarray) -> np.ndarray | None:
    """The order of texts that are whole numbers all: 2 before 10."""
    texts = [_label_text(value) for value in values]
    if not all(text.strip().isdecimal() and text.isascii() for text in texts):
        return None
    return np.argsort([int(text) for text in texts], kind="stable")


def _label_text(value: np.generic) -> str:
    if isinstance(value, np.floating):
        return str(int(value))
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
