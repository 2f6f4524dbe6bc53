"""What scikit-learn's users hand in, checked its way: arrays, frames and images, flat or not."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from vaeclust_jax.checks import check_one_shape, check_unmasked, is_whole
from vaeclust_jax.data import Dataset
from vaeclust_jax.data.frames import dense, frame_names, has_times, is_lazy, warn_of_names
from vaeclust_jax.data.mapped import is_streamed
from vaeclust_jax.errors import InputError

_ARGUMENTS = {
    r"\bnum_(clusters|samples|passes|temperatures)\b": r"n_\1",
    r"\bvalidation=": "validation_fraction=",
}
"""Names that scikit-learn has for arguments of ours."""


def samples(estimator: BaseEstimator, X: Any, image_shape: tuple[int, ...] | None, reset: bool = False) -> np.ndarray:
    """Vectors (n, F), or images (n, H, W, C), of anything that numpy reads.

    Args:
        estimator: gets `n_features_in_`, H * W * C for images, and the names of a frame's columns.
        X: vectors, frames or images (n, H, W[, C]).
        image_shape: of images that come as rows, (H, W) or (H, W, C).
        reset: whether this call decides what X has to look like, as in `fit`; it warns of columns as `fit_seeds` does.

    Raises:
        ValueError, TypeError: scikit-learn's, in its words.
    """
    if image_shape is not None and not all(is_whole(side) for side in image_shape):
        raise ValueError(f"image_shape must be whole numbers, (H, W) or (H, W, C), got {image_shape!r}")
    if isinstance(X, Dataset):
        raise ValueError("X must be an array or a frame, got a Dataset: pass its samples, X.x")
    check_unmasked(X, "X")  # scikit-learn would read the values below the mask
    if has_times(X):
        dense(X)
    if reset:
        warn_of_names(X)
    shape = image_shape
    if isinstance(X, list | tuple) and X and np.ndim(X[0]) > 1:  # a list of images
        check_one_shape(X, "X")
        X = np.asarray(X)
    if getattr(X, "ndim", 2) in (3, 4):
        X = np.asarray(X)
        shape = X.shape[1:]
        if image_shape is not None and _channels_last(image_shape) != _channels_last(shape):
            raise ValueError(f"image_shape is {image_shape}, but X has images {shape}: leave image_shape out")
        X = X.reshape(len(X), int(np.prod(shape)))  # -1 is ambiguous where there are no rows
    try:
        rows = validate_data(
            estimator,
            X,
            reset=reset,
            dtype="numeric",
            ensure_min_samples=2 if reset else 1,
            ensure_all_finite=not is_streamed(X),  # which reads all rows at once: they are checked as they are read
        )
    except (TypeError, ValueError):
        _check_columns(X)
        raise
    if rows.dtype.kind not in "biuf":
        _check_columns(X)
    if shape is None:
        return np.asarray(rows)
    shape = _channels_last(shape)
    if np.prod(shape) != rows.shape[1]:
        raise ValueError(f"image_shape {shape} has {np.prod(shape)} values, but X has {rows.shape[1]} features")
    return np.asarray(rows).reshape(-1, *shape)


def _channels_last(shape: Sequence[int]) -> tuple[int, ...]:
    return (*shape, 1) if len(shape) == 2 else tuple(shape)


def _check_columns(X: Any) -> None:
    """Says which column of a frame is no number, and which samples differ in shape: scikit-learn does not."""
    check_one_shape(X, "X")
    if is_lazy(X) or frame_names(X):
        dense(X)


@contextmanager
def in_own_words() -> Iterator[None]:
    """Refusals name the arguments as the estimators do, so that a person finds what to write instead."""
    try:
        yield
    except InputError as error:
        said = str(error)
        for ours, theirs in _ARGUMENTS.items():
            said = re.sub(ours, theirs, said)
        error.args = (said,)
        raise


def at_least_one(name: str, value: Any) -> None:
    """Whether an argument is a count.

    Raises:
        InputError: it is not.
    """
    if not is_whole(value) or value < 1:
        raise InputError(f"{name} must be a whole number of at least 1, got {value!r}")


def number_or_name(value: Any) -> float | str:
    """A weight as `Config` takes it, of any kind of number."""
    return value if isinstance(value, str) else float(value)
