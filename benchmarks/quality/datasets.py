"""The data sets of the table; of large ones a part of 10,000 rows."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np

from vaeclust_jax.data import Dataset, load


def _rows(name: str, rows: np.ndarray) -> Dataset:
    whole = load(name)
    assert whole.y is not None
    return replace(whole, x=whole.x[rows], y=whole.y[rows])


def _training_part() -> Dataset:
    rows = np.random.default_rng(0).permutation(60_000)[:10_000]
    return _rows("mnist", np.sort(rows))


DATASETS: dict[str, Callable[[], Dataset]] = {
    "digits": lambda: load("digits"),
    "coil20": lambda: load("coil20"),
    "mnist-train-10k": _training_part,
    "mnist-test": lambda: load("mnist-test"),
    "usps": lambda: load("usps"),
    "fashion-mnist": lambda: _rows("fashion-mnist", np.arange(60_000, 70_000)),
    "pendigits": lambda: load("pendigits"),
}
DEVELOPED_ON = ("digits", "coil20", "mnist-train-10k")
"""Labels of these were in view while methods were made; the others are scored once, when nothing changes any more."""


@cache
def dataset(name: str) -> Dataset:
    """A data set of the table, with labels and a documented number of classes."""
    return DATASETS[name]()


def num_classes(name: str) -> int:
    """Documented, not counted."""
    found = dataset(name).num_classes
    assert found is not None
    return found
