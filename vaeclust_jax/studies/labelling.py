"""Which classes a supervised or a semi-supervised method is told."""

import numpy as np
from jaxtyping import Int

from vaeclust_jax.data import Dataset
from vaeclust_jax.errors import InputError
from vaeclust_jax.methods.method import Method

_UNKNOWN = "-1"
_LEAST = 4  # of a class, so that some remain where a part of the rows is held out


def all_labels(dataset: Dataset, method: Method) -> Int[np.ndarray, " n"]:
    """The classes of all rows, for a method that learns from them.

    Raises:
        InputError: there are none, or -1 in the place of some; beside 1 alone it is a class.
    """
    kind, names = type(method).__name__, dataset.class_names or ()
    if dataset.y is None:
        raise InputError(
            f"the method {kind} learns from labels, and {dataset.name} has none: give y, or --label-column of a table"
        )
    if _UNKNOWN in names and set(names) != {_UNKNOWN, "1"}:
        count = np.count_nonzero(dataset.y == names.index(_UNKNOWN))
        raise InputError(
            f"the method {kind} learns from the classes of all rows, got -1 (not known) for {count} of "
            f"{len(dataset.y)} in {dataset.name}: leave these rows out, or give them another number if -1 is a class"
        )
    return dataset.y


def told_labels(dataset: Dataset, share: float) -> Int[np.ndarray, " n"]:
    """The classes of a random part of every class's rows, the same part for every seed and method; -1 for the others.

    Args:
        dataset: with labels.
        share: of the rows, above 0.

    Raises:
        InputError: there are no labels.
    """
    if dataset.y is None:
        raise InputError("a semi-supervised method needs labels, but there are none: leave it out, or give y")
    rng = np.random.default_rng(0)
    told = np.full(len(dataset.y), -1)
    for of_class in np.unique(dataset.y):
        rows = rng.permutation(np.flatnonzero(dataset.y == of_class))
        rows = rows[: max(_LEAST, round(share * len(rows)))]
        told[rows] = of_class
    return told
