"""The task of methods that predict numbers: errors on rows that nothing has seen, beside a linear model's."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from vaeclust_jax.data import Dataset, random_parts
from vaeclust_jax.data.reading import listed
from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.config import Config
from vaeclust_jax.fitting.prepared import Prepared
from vaeclust_jax.fitting.resolve import Preparations
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.folder.records.regression import RegressionRecord, RegressionScores, SeedRegressionScores
from vaeclust_jax.folder.table import Column, Table, spread
from vaeclust_jax.plots import fold_losses, loss_bands, predictions_against_truth, surfaces
from vaeclust_jax.studies.common import common_fields, over_seeds, split_sentence
from vaeclust_jax.studies.figures import Picture, history_of
from vaeclust_jax.studies.speed import seconds_an_epoch
from vaeclust_jax.studies.task import Drawn, Measured, Parts, Study, Task

SCORES = RegressionScores.names
_PARTS = 3  # a third of the rows is the test part
_LEAST = 9


def _parts(dataset: Dataset, config: Config) -> Parts:
    """A third of the rows is kept back: a random one, always the same, or the last one where the split is of those."""
    n = len(dataset.x)
    if dataset.x.ndim != 2:
        raise InputError(f"regression is of vectors (n, F), got images {dataset.x.shape}")
    if n < _LEAST:
        raise InputError(f"regression needs at least {_LEAST} rows for its parts, got {n}")
    if config.prepare.split == "last":
        parts = np.arange(n - n // _PARTS), np.arange(n - n // _PARTS, n)
    else:
        parts = random_parts(n, n // _PARTS, seed=0, subjects=dataset.subjects)
    fitted, test = (replace(dataset.of_rows(index), y=None, row_names=None) for index in parts)
    return Parts(fitted, test, Preparations(fitted))


def _check(data: Prepared) -> None:
    if data.preparation.by_row:
        raise InputError("rows scaled by their own extremes cannot be predicted: use another scaling")


def _measure(study: Study, step: Callable[[str], None]) -> Measured:
    step("scoring the test part")
    assert study.test is not None, "kept back"
    named = study.experiment.named
    num_predicted = study.runs[named][0].config.network.latent_dim
    x, y = np.split(study.test.x.astype(np.float64), [-num_predicted], axis=1)
    answers = {arm: [run.regress(x) for run in runs] for arm, runs in study.runs.items()}
    results = {
        arm: over_seeds(RegressionScores, SeedRegressionScores, [_judged(found, y) for found in of_seeds], study.seeds)
        for arm, of_seeds in answers.items()
    }
    of_named = results[named]
    median = float(np.median([row.mse for row in of_named.seeds if row.mse is not None]))
    floor = _judged(_least_squares(study.dataset.x[study.runs[named][0].train_index], x, num_predicted), y)
    record = RegressionRecord(
        **common_fields(study.experiment, study.dataset),
        protocol={
            "fitted_on": split_sentence(study),
            "stopped_on": f"the other {len(study.runs[named][0].validation_index)} rows (their loss)",
            "scored_on": f"{len(y)} rows beside those above, once, in the units of the data",
            "labels_used_for": "nothing",
            "spread": "standard deviation over seeds (n - 1)",
        },
        mean=of_named.mean,
        std=of_named.std,
        seeds=of_named.seeds,
        findings=(
            f"{named} predicts {_predicted(study.dataset, num_predicted)} with a median MSE of {median:.3g} over seeds "
            f"on {len(y)} rows it never saw.",
        ),
        warnings=(),
        results=results,
        floor=floor,
    )
    return Measured(record, None, (x, y, answers))


def _predicted(dataset: Dataset, number: int) -> str:
    """What the last columns are called."""
    if dataset.columns is not None:
        return listed(dataset.columns.features[-number:])
    return "the last value" if number == 1 else f"the last {number} values"


def _judged(answer: np.ndarray, y: np.ndarray) -> RegressionScores:
    error = answer - y
    variance = float(((y - y.mean(axis=0)) ** 2).mean())
    mse = float((error**2).mean())
    return RegressionScores(mse=mse, mae=float(np.abs(error).mean()), r2=1 - mse / variance if variance > 0 else None)


def _least_squares(rows: np.ndarray, x: np.ndarray, num_predicted: int) -> np.ndarray:
    seen, told = np.split(rows.astype(np.float64), [-num_predicted], axis=1)
    weights = np.linalg.lstsq(np.column_stack([seen, np.ones(len(seen))]), told, rcond=None)[0]
    return np.asarray(np.column_stack([x, np.ones(len(x))]) @ weights)


def _tables(record: RegressionRecord) -> list[Table]:
    rows = [
        (arm, *(_digits(spread(getattr(of.mean, key), getattr(of.std, key))) for key in SCORES), len(of.seeds))
        for arm, of in record.results.items()
    ]
    rows.append(("linear, least squares", *(_digits(spread(getattr(record.floor, key), None)) for key in SCORES), None))
    columns = (
        Column("method", "text"),
        *(Column(name, "text") for name in SCORES.values()),
        Column("seeds", "integer"),
    )
    note = "On the test part, which neither training nor stopping saw, in the units of the data."
    return [Table("scores", "Regression", columns, tuple(rows), note)]


def _digits(found: object) -> str | None:
    """Three digits that count, of errors of any size."""
    mean, std = getattr(found, "mean", None), getattr(found, "std", None)
    if mean is None:
        return None
    return f"{mean:.3g}" if std is None else f"{mean:.3g} ± {std:.2g}"


def _figures(study: Study, measured: Measured) -> Drawn:
    """Of the first seed, but the losses, which are of all."""
    x, y, answers = measured.kept
    losses = {arm: history_of(runs) for arm, runs in study.runs.items()}
    caption = "Squared error in units of the variance; thin lines are seeds, the thick one their mean."
    yield "losses", Picture(fold_losses(losses), "Training", "Losses", caption)
    if len(study.runs) > 1:
        seconds = {
            arm: seconds_an_epoch(runs[0].config, study.data[arm], len(runs)) for arm, runs in study.runs.items()
        }
        curves = {arm: _curves(runs) for arm, runs in study.runs.items()}
        drawn = loss_bands(curves, seconds, "training loss")
        caption = (
            "Mean of the seeds and a standard deviation around it, in the logarithm, while all seeds train. Seconds "
            "are of all seeds as one program, measured after the run."
        )
        yield "optimisers", Picture(drawn, "Training", "Losses over epochs and over seconds", caption)
    named = study.experiment.named
    first = answers[named][0]
    caption = "The test part: on the diagonal a prediction is right."
    drawn = predictions_against_truth(y[:, 0], first[:, 0])
    yield "predictions", Picture(drawn, "Predictions", f"Predictions of {named} against the truth", caption)
    if x.shape[1] == 2:
        drawn = surfaces(x, {"truth": y[:, 0], "prediction": first[:, 0]})
        caption = "The test part over its two inputs, and where the prediction is off."
        yield "surfaces", Picture(drawn, "Predictions", "Surfaces of truth and prediction", caption)


def _curves(runs: list[Run]) -> Float[np.ndarray, "s e"]:
    """The training losses of the epochs that all seeds have."""
    shortest = min(len(run.history) for run in runs)
    return np.array([[row["loss"] for row in run.history[:shortest]] for run in runs])


REGRESSION = Task(("regress",), _check, _measure, _tables, _figures, _parts)
