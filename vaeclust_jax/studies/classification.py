"""Clusters as a classifier: named by the labels of held-out rows, judged on rows that nothing else has seen.

No label touches the clustering. Those of the validation part name its clusters, those of the test part judge the names.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from vaeclust_jax.data import DATASETS, Dataset, PrepareConfig, random_parts
from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.folder.records.named_clusters import (
    Accuracy,
    ClassReport,
    Confidence,
    NamedClusters,
    NamingPoint,
    SeedAccuracy,
)
from vaeclust_jax.folder.records.task import Summary
from vaeclust_jax.metrics import classify, name_clusters
from vaeclust_jax.metrics.naming import Naming
from vaeclust_jax.studies.common import over_seeds
from vaeclust_jax.uncertainty.calibration import expected_calibration_error

NAMINGS: tuple[Naming, ...] = ("majority", "hungarian")
NUM_LABELS = (1, 10, 100, 1000)
_DRAWS = 20  # of the few labels, which are drawn at random
_PUBLISHED = {"mnist": 10_000, "fashion-mnist": 10_000}  # the last rows are the test part
_SCORES = ("precision", "recall", "f1")
_SHARE = 7  # of other data sets a seventh, as of those


def check_labelled_rows(prepare: PrepareConfig) -> None:
    """One sentence before anything is trained.

    Args:
        prepare: what is held out.

    Raises:
        InputError: no row would be left whose label could name a cluster.
    """
    if prepare.validation == 0:
        raise InputError("naming clusters needs validation rows, whose labels name them: set validation above 0")


def hold_back(dataset: Dataset) -> tuple[Dataset, Dataset]:
    """The rows that are clustered, and the test part: the published one, or a random seventh, always the same.

    Raises:
        InputError: there are no labels, or too few rows.
    """
    n = len(dataset.x)
    if dataset.y is None:
        raise InputError("naming classes needs labels, but there are none: give y, or run another experiment")
    if n < 2 * _SHARE:
        raise InputError(f"naming classes needs at least {2 * _SHARE} rows for its parts, got {n}")
    if _is_published(dataset):
        first = n - _PUBLISHED[dataset.name]
        return dataset.of_rows(np.arange(first)), dataset.of_rows(np.arange(first, n))
    seen, test = random_parts(n, n // _SHARE, seed=0, subjects=dataset.subjects)
    return dataset.of_rows(seen), dataset.of_rows(test)


def _is_published(dataset: Dataset) -> bool:
    """A file is called what its owner likes, so that the name alone says nothing."""
    return dataset.name in _PUBLISHED and dataset.x.shape == DATASETS[dataset.name].shape


class Named(NamedTuple):
    """A seed's clustering of the rows with labels: (m, K) and (t, K) probabilities."""

    validation: Float[np.ndarray, "m k"]
    test: Float[np.ndarray, "t k"]


def classification(
    methods: Mapping[str, list[Run]], named: str, seen: Dataset, test: Dataset, seeds: Sequence[int]
) -> NamedClusters:
    """Clusters of every method as a classifier.

    Args:
        methods: of each the models of all seeds.
        named: the method that is reported in full.
        seen: what was clustered; the validation rows of the models, at least one, name the clusters.
        test: rows of neither.
        seeds: their numbers.
    """
    rows = methods[named][0].validation_index
    assert seen.y is not None
    assert test.y is not None
    num_classes = int(max(seen.y.max(), test.y.max())) + 1
    y = seen.y[rows]
    answers = {
        name: [Named(run.predict_proba(seen.x[rows]), run.predict_proba(test.x)) for run in runs]
        for name, runs in methods.items()
    }
    predicted, probability = _classes(answers[named][0], y, num_classes)
    curves = [_curve(name, of_seeds, y, test.y, num_classes) for name, of_seeds in answers.items()]
    correct = (predicted == test.y).tolist()
    return NamedClusters(
        labels=len(rows),
        tested_on=len(test.x),
        missing_classes=tuple(sorted(set(range(num_classes)) - set(np.unique(y).tolist()))),
        methods={name: _judged(of_seeds, y, test.y, num_classes, seeds) for name, of_seeds in answers.items()},
        curve=tuple(point for curve in curves for point in curve),
        classes=_report(test.y, predicted, num_classes, test.class_names),
        confusion=_counts(test.y, predicted, num_classes),
        confidence=Confidence(probability=tuple(probability.tolist()), correct=tuple(correct)),
    )


def _classes(
    found: Named, y: Int[np.ndarray, " m"], num_classes: int, rows: Any = slice(None), naming: Naming = "majority"
) -> tuple[Int[np.ndarray, " t"], Float[np.ndarray, " t"]]:
    """What the test part is called, and how sure that is, with some of the labels."""
    labels = found.validation[rows].argmax(axis=1)
    names = name_clusters(labels, y[rows], found.validation.shape[1], num_classes, naming)
    return classify(found.test, names)


def _judged(
    of_seeds: list[Named], y: np.ndarray, test_y: np.ndarray, num_classes: int, seeds: Sequence[int]
) -> Summary[Accuracy, SeedAccuracy]:
    rows = []
    for found in of_seeds:
        predicted, probability = _classes(found, y, num_classes)
        correct = predicted == test_y
        rows.append(Accuracy(accuracy=float(correct.mean()), ece=expected_calibration_error(probability, correct)))
    return over_seeds(Accuracy, SeedAccuracy, rows, seeds)


def _curve(
    method: str, of_seeds: list[Named], y: np.ndarray, test_y: np.ndarray, num_classes: int
) -> list[NamingPoint]:
    """The same draws of labels for every method, seed and naming."""
    rows = []
    for naming in NAMINGS:
        for count in [number for number in NUM_LABELS if number < len(y)] + [len(y)]:
            rng = np.random.default_rng(0)
            draws = [rng.permutation(len(y))[:count] for _ in range(_DRAWS if count < len(y) else 1)]
            reached = [
                float((_classes(found, y, num_classes, draw, naming)[0] == test_y).mean())
                for found in of_seeds
                for draw in draws
            ]
            std = float(np.std(reached, ddof=1)) if len(reached) > 1 else None
            mean = float(np.mean(reached))
            rows.append(NamingPoint(method=method, naming=naming, labels=count, mean=mean, std=std))
    return rows


def _counts(y: np.ndarray, predicted: np.ndarray, num_classes: int) -> tuple[tuple[int, ...], ...]:
    from sklearn.metrics import confusion_matrix

    counts = confusion_matrix(y, predicted, labels=range(num_classes + 1))[:num_classes]
    return tuple(tuple(row) for row in counts.tolist())


def _report(
    y: np.ndarray, predicted: np.ndarray, num_classes: int, class_names: tuple[str, ...] | None
) -> tuple[ClassReport, ...]:
    """Precision, recall and F1 of every class; None where nothing is so called or there is no sample."""
    from sklearn.metrics import precision_recall_fscore_support

    scores = precision_recall_fscore_support(y, predicted, labels=range(num_classes), zero_division=np.nan)
    rows = []
    for number, (*three, support) in enumerate(zip(*scores, strict=True)):
        name = str(number) if class_names is None else class_names[number]
        shown = {key: None if np.isnan(value) else float(value) for key, value in zip(_SCORES, three, strict=True)}
        rows.append(ClassReport(class_=name, **shown, support=int(support)))
    return tuple(rows)
