"""What is odd about a data set, found before anything is trained on it."""

import hashlib

import numpy as np
from jaxtyping import Int

from vaeclust_jax.data.dataset import Dataset
from vaeclust_jax.data.prepare import white_of
from vaeclust_jax.data.reading import listed

_FAR = 20.0
"""Distances from the median to the outer quartile, beyond which a value is an outlier."""
_FEW = 5
_MANY = 20
"""Rows that chance does not sort."""
_GLANCE = 1000
"""Rows in which most features have more values than there are classes: sorting all of each takes seconds."""
_VALUES = 2**23
"""Of which quantiles are found together: they take several times the memory."""
_SKEWED = 10
"""Times: by which the largest class is larger than the smallest."""


def summary(dataset: Dataset) -> tuple[str, ...]:
    """What would be trained on: samples, their range, classes."""
    x, shape = dataset.x, " x ".join(map(str, dataset.x.shape[1:]))
    kind = "images of" if x.ndim == 4 else "vectors of"
    classes = "no labels"
    if dataset.y is not None:
        counts = np.bincount(dataset.y)
        names = dataset.class_names or tuple(map(str, range(len(counts))))
        parts = [f"{name[:20]} {count}" for name, count in zip(names, counts, strict=False)]
        more = f" and {len(parts) - 12} more" if len(parts) > 12 else ""
        classes = f"labels of {len(counts)} classes: {', '.join(parts[:12])}{more}"
    return f"{len(x)} {kind} {shape}, {x.dtype}", f"values from {x.min():.6g} to {x.max():.6g}", classes


def oddities(dataset: Dataset) -> tuple[str, ...]:
    """Sentences on copies, dark images, constant features, outliers, leaks of the labels, and uneven classes."""
    x = dataset.x
    copies = len(x) - len({hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in x})
    found = [f"{copies} of {len(x)} samples are exact copies of others"] if copies else []
    names = tuple(map(str, range(x.shape[1]))) if dataset.columns is None else dataset.columns.features
    if x.ndim == 2:
        found += _of_features(x, names)
    elif said := white_of(x)[1]:
        found.append(said)
    if dataset.y is not None:
        found += _of_classes(dataset.y, dataset.class_names)
        if x.ndim == 2:
            found += _of_leaks(x, dataset.y, names)
    return tuple(found)


def _of_features(x: np.ndarray, names: tuple[str, ...]) -> list[str]:
    constant, outlying, growing, far_rows = [], [], [], np.zeros(len(x), bool)
    step = max(1, _VALUES // len(x))
    for start in range(0, len(names), step):
        part, own = x[:, start : start + step], names[start : start + step]
        constant += [own[column] for column in np.flatnonzero(part.min(axis=0) == part.max(axis=0))]
        if len(x) >= _MANY:
            growing += [own[column] for column in np.flatnonzero((np.diff(part, axis=0) > 0).all(axis=0))]
        lower, middle, upper = np.quantile(part, [0.25, 0.5, 0.75], axis=0)
        width = np.maximum(upper - middle, middle - lower)
        far = (np.abs(part - middle) > _FAR * width) & (width > 0)
        outlying += [own[column] for column in np.flatnonzero(far.any(axis=0))]
        far_rows |= far.any(axis=1)
    found = [f"constant features: {listed(constant)}"] if constant else []
    if growing:
        found.append(f"features that only grow from row to row, as numbers of the rows do: {listed(growing)}")
    if outlying:
        count, first = far_rows.sum(), far_rows.argmax()
        found.append(f"{count} samples hold outliers, the first is row {first}: features {listed(outlying)}")
    return found


def _of_classes(y: Int[np.ndarray, " n"], names: tuple[str, ...] | None) -> list[str]:
    counts = np.bincount(y)
    tiny = [str(k) if names is None else names[k] for k in np.flatnonzero(counts < _FEW)]
    found = [f"classes of fewer than {_FEW} samples: {listed(tiny)}"] if tiny else []
    if names is not None and "-1" in names:
        found.append(f"class '-1' has {counts[names.index('-1')]} samples: it counts as a class like any other")
    if counts.max() > _SKEWED * max(1, counts.min()):
        found.append(f"the largest class has {counts.max()} samples, the smallest {counts.min()}")
    return found


def _of_leaks(x: np.ndarray, y: Int[np.ndarray, " n"], names: tuple[str, ...]) -> list[str]:
    """Features that are the labels under another name: a value for each class."""
    classes = len(np.unique(y))
    if classes == len(y):  # a name of each row, and no class: so is every value that no other row has
        return []
    leaks = []
    for column, name in enumerate(names):
        if len(np.unique(x[:_GLANCE, column])) > classes:
            continue
        values, codes = np.unique(x[:, column], return_inverse=True)
        if 1 < classes == len(values) == len(np.unique(codes * classes + y)):
            leaks.append(name)
    return [f"features that say the class: {listed(leaks)}; drop them unless that is meant"] if leaks else []
