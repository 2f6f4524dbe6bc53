"""Clusterings, scores and models made by hand, so that what is said of them is known beforehand."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import entr

from tests.fitting.made import config
from vaeclust_jax.data import Dataset, fit_preparation, split_rows
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.folder.records.scores import Results, SeedScores
from vaeclust_jax.studies.assignments import Answer
from vaeclust_jax.studies.scores import SCORES, result_of
from vaeclust_jax.uncertainty.latent import Uncertainty

Scores = Mapping[str, Sequence[float | None]]


def results_of(methods: Mapping[str, Scores], protocol: str = "all") -> Results:
    """Given scores of the seeds 0, 1, ... as `score_methods` would hand them on; those not given are None."""
    results: Results = {}
    for method, given in methods.items():
        size = len(next(iter(given.values())))
        rows = [{key: given[key][number] if key in given else None for key in SCORES} for number in range(size)]
        of_seeds = [SeedScores(seed=seed, **row, populated_clusters=3, active_units=2) for seed, row in enumerate(rows)]
        results[method] = {protocol: result_of(of_seeds)}
    return results


def soft(labels: Sequence[int] | np.ndarray, confidence: Any, k: int) -> np.ndarray:
    """(n, K): the confidence at each label, the rest evenly on the others."""
    confidence = np.broadcast_to(np.asarray(confidence, float), len(labels))
    q = np.repeat((1 - confidence)[:, None] / (k - 1), k, axis=1)
    q[np.arange(len(labels)), labels] = confidence
    return q


def made_answer(q: np.ndarray, **passes: Any) -> Answer:
    """An answer of soft assignments; what draws of the code say can be given by the field of `Uncertainty`."""
    n, k = q.shape
    entropy = entr(q).sum(axis=1)
    given = {
        "probabilities": q,
        "entropy": entropy,
        "expected_entropy": entropy,
        "mutual_information": np.zeros(n),
        "latent_variance": np.full(n, 2.0),
        **passes,
    }
    latents = np.column_stack([q.argmax(axis=1), np.linspace(0, 1, n)])
    return Answer(q.argmax(axis=1), k, np.log(q), latents, np.zeros((n, 2)), Uncertainty(**given))


def made_dataset(x: np.ndarray, y: Any, **changes: Any) -> Dataset:
    """Not one that an experiment knows."""
    return Dataset(**{"x": x, "y": y, "name": "made", "source": "made up", **changes})


def made_model(x: np.ndarray, k: int, **changes: Any) -> Run:
    """A model without networks: it can prepare samples, and knows what was held out."""
    settings = config(k, **changes)
    train, validation = split_rows(len(x), settings.prepare)
    preparation = fit_preparation(x[train], settings.prepare)
    shapes = np.zeros((k, 2)), np.tile(np.eye(2), (k, 1, 1)), np.ones(k)
    return Run(settings, preparation, None, {}, *shapes, train, validation)  # type: ignore[arg-type]


def floats_in(record: Any) -> list[float]:
    """Every float in nested dicts and lists."""
    if isinstance(record, dict):
        record = list(record.values())
    if isinstance(record, (list, tuple)):
        return [number for item in record for number in floats_in(item)]
    return [record] if isinstance(record, float) else []
