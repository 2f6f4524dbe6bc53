"""The task of methods that classify: errors on rows that nothing has seen, and how honest their probabilities are."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from vaeclust_jax.folder.table import Column, Spread, Table
from vaeclust_jax.plots import class_confusion, reliability_diagram
from vaeclust_jax.studies.common import common_record, scored, split_sentence
from vaeclust_jax.studies.figures import Picture, history_of, loss_picture
from vaeclust_jax.studies.task import Drawn, Measured, Study, Task
from vaeclust_jax.uncertainty.calibration import expected_calibration_error, reliability

SCORES = {"accuracy": "accuracy", "nll": "negative log-likelihood", "ece": "ECE"}


def _measure(study: Study, step: Callable[[str], None]) -> Measured:
    step("scoring the test part")
    assert study.test is not None, "kept back"
    assert study.test.y is not None, "which has labels"
    x, y = study.test.x, study.test.y
    answers = {arm: [run.predict_proba(x) for run in runs] for arm, runs in study.runs.items()}
    rows = {arm: [_judged(q, y) for q in of_seeds] for arm, of_seeds in answers.items()}
    scores, run = scored(study, rows), study.runs[study.experiment.named][0]
    mean, held_out = scores["mean"], len(run.validation_index)
    record = {
        **common_record(study),
        **scores,
        "protocol": {
            "fitted_on": split_sentence(study),
            "stopped_on": f"the other {held_out} rows (their loss)" if held_out else "nothing",
            "scored_on": f"{len(y)} rows beside those above, once",
            "labels_used_for": "training, stopping and scoring, each on rows of its own",
            "spread": "standard deviation over seeds (n - 1)",
        },
        "findings": [f"{study.experiment.named} errs on {1 - mean['accuracy']:.2%} of {len(y)} rows it never saw."],
        "warnings": [],
    }
    of_named = answers[study.experiment.named]
    return Measured(record, _columns(study, of_named), answers)


def _judged(q: np.ndarray, y: np.ndarray) -> dict[str, float | None]:
    correct = q.argmax(axis=1) == y
    own = np.take_along_axis(q, y[:, np.newaxis], axis=1)[:, 0]
    return {
        "accuracy": float(correct.mean()),
        "nll": float(-np.log(np.maximum(own, np.finfo(np.float32).tiny)).mean()),
        "ece": expected_calibration_error(q.max(axis=1), correct),
    }


def _columns(study: Study, answers: list[np.ndarray]) -> dict[str, np.ndarray]:
    """What is said of each row of the test part."""
    assert study.test is not None
    assert study.test.y is not None
    n, seeds = len(study.test.x), study.seeds
    return {
        "seed": np.repeat(seeds, n),
        "row": np.tile(np.arange(n), len(seeds)),
        "part": np.full(n * len(seeds), "test", object),
        "predicted": np.concatenate([q.argmax(axis=1) for q in answers]),
        "probability": np.concatenate([q.max(axis=1) for q in answers]),
        "class": np.tile(study.test.y, len(seeds)),
    }


def _tables(record: Mapping[str, Any]) -> list[Table]:
    rows = tuple(
        (arm, *(Spread(of["mean"][key], of["std"][key]) for key in SCORES), len(of["seeds"]))
        for arm, of in record["results"].items()
    )
    columns = (Column("method", "text"), *map(Column, SCORES.values()), Column("seeds", "integer"))
    note = "On the test part, which neither training nor stopping saw. ECE: 15 bins, at the probabilities as they are."
    return [Table("scores", "Classification", columns, rows, note)]


def _figures(study: Study, measured: Measured) -> Drawn:
    """Of the first seed of the named arm; the losses of all seeds."""
    assert study.test is not None
    assert study.test.y is not None
    y, named = study.test.y, study.experiment.named
    q, runs = measured.kept[named][0], study.runs[named]
    counts = np.zeros((q.shape[1], q.shape[1] + 1), int)  # the last column is of answers without a class
    np.add.at(counts, (y, q.argmax(axis=1)), 1)
    bins = reliability(q.max(axis=1), q.argmax(axis=1) == y)
    drawn = reliability_diagram(bins.confidence, bins.accuracy, bins.count, bins.low, bins.high, ece=bins.ece)
    return Drawn(
        {
            "loss_parts": loss_picture(named, history_of(runs)),
            "confusion": Picture(
                class_confusion(counts, study.test.class_names),
                "Classification",
                "Confusion on the test part",
                "Classes by answers.",
            ),
            "reliability": Picture(
                drawn,
                "Uncertainty",
                "Reliability on the test part",
                "Accuracy against the probability of the class; on the diagonal a model means what it says.",
            ),
        }
    )


CLASSIFICATION = Task(("predict",), lambda data: None, _measure, _tables, _figures)
