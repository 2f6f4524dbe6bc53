"""What features are worth where few rows have a label: a logistic regression on them, beside one on the values."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Int

from vaeclust_jax.data import Dataset
from vaeclust_jax.fitting.prepared import Prepared
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.folder.records.density import FewLabels
from vaeclust_jax.keys import FEW_LABELS, key_of
from vaeclust_jax.methods.starts import seed_from_key
from vaeclust_jax.streamed import spaced
from vaeclust_jax.studies.restoration import as_units, method_of

VALUES = "values"
"""What the regression on the units of the rows themselves is called."""
_COUNTS = (1, 3, 10, 30, 100)
"""Labels a class."""
_DRAWS = 10
"""Of the labelled rows, over all seeds at least."""
_MOST = 10_000
"""Held-out rows."""

Features = tuple[Float[np.ndarray, "n f"], Float[np.ndarray, "m f"]]
"""Of training and of held-out rows."""


def few_labels(
    runs: Mapping[str, Sequence[Run]], data: Mapping[str, Prepared], dataset: Dataset, seeds: Sequence[int]
) -> tuple[FewLabels, ...]:
    """Accuracy on held-out rows by labels a class; none of data without labels, or of one class.

    All arms see the same labelled rows, which are drawn anew for every seed and draw.
    """
    if dataset.y is None:
        return ()
    first = next(iter(data.values()))
    train = first.train_index
    held_out = first.validation_index[spaced(len(first.validation_index), _MOST)]
    y, wanted = dataset.y[train], dataset.y[held_out]
    classes, sizes = np.unique(y, return_counts=True)
    if len(classes) < 2:
        return ()
    features = {arm: [_encoded(run, data[arm], train, held_out) for run in of] for arm, of in runs.items()}
    method = method_of(next(iter(runs.values()))[0])
    units = tuple(as_units(method, first, index, len(index)) for index in (train, held_out))
    found = []
    for count in (count for count in _COUNTS if count <= sizes.min()):
        accuracies: dict[str, list[float]] = {name: [] for name in (*runs, VALUES)}
        for number, seed in enumerate(seeds):
            random = np.random.default_rng(seed_from_key(key_of(seed, FEW_LABELS)))
            for _ in range(-(-_DRAWS // len(seeds))):
                rows = np.concatenate(
                    [random.choice(np.flatnonzero(y == one), count, replace=False) for one in classes]
                )
                of_arms = {arm: of[number] for arm, of in features.items()}
                for name, (a, b) in {**of_arms, VALUES: units}.items():
                    accuracies[name].append(_accuracy(a[rows], y[rows], b, wanted))
        found.append(
            FewLabels(
                labels=count,
                accuracy={name: float(np.mean(of)) for name, of in accuracies.items()},
                deviation={name: float(np.std(of, ddof=1)) for name, of in accuracies.items()},
            )
        )
    return tuple(found)


def _encoded(run: Run, data: Prepared, train: np.ndarray, held_out: np.ndarray) -> Features:
    mean = data.encodings.of(run.heads, run.params)[0]
    return mean[train], mean[held_out]


def _accuracy(
    x: Float[np.ndarray, "n f"], y: Int[np.ndarray, " n"], held_out: Float[np.ndarray, "m f"], wanted: np.ndarray
) -> float:
    from sklearn.linear_model import LogisticRegression

    return float((LogisticRegression(max_iter=1000).fit(x, y).predict(held_out) == wanted).mean())
