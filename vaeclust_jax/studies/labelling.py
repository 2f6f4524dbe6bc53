"""Which classes a semi-supervised method is told."""

import numpy as np
from jaxtyping import Int

from vaeclust_jax.data import Dataset
from vaeclust_jax.errors import InputError

_LEAST = 4  # of a class, so that some remain where a part of the rows is held out


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
