"""Folds of a series in the order of time: how well their models predict what they never saw, and which are the best."""

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float, Int

from vaeclust_jax.fitting.run import Run
from vaeclust_jax.folder.records.forecasting import FoldRecord, ModelOverFolds
from vaeclust_jax.folder.table import Column, Table
from vaeclust_jax.methods.forecaster import Forecaster
from vaeclust_jax.metrics.forecasts import finite, median, nmse


def told(series: Float[np.ndarray, " t"], origins: Sequence[int] | np.ndarray, lag: int) -> Float[np.ndarray, "o lag"]:
    """The values before each origin."""
    return np.stack([series[origin - lag : origin] for origin in origins])


def scored(method: Forecaster, num_values: int) -> tuple[Int[np.ndarray, " o"], int]:
    """Origins from which a model is scored, and how far: of a fold, from where it is validated, and within that."""
    if method.fold is None:
        return method.starts(num_values), method.horizon
    seen, held_out = method.trained_and_held_out(num_values)
    return np.array([seen - held_out]), min(method.horizon, held_out)


def fold_of(arm: str, method: Forecaster, runs: Sequence[Run], series: Float[np.ndarray, " t"]) -> FoldRecord:
    """A fold's errors on the values that its models never saw; its arm is the model's name and "fold" with its number.

    Args:
        arm: its name.
        method: which fold it is.
        runs: one a seed.
        series: all of it; nothing after the fold is read.
    """
    _, held_out = method.trained_and_held_out(len(series))
    (first,), horizon = scored(method, len(series))
    truth = series[np.newaxis, first : first + horizon]
    past = told(series, [first], method.lag)
    closed = nmse(np.stack([run.forecast(past, horizon) for run in runs]), truth)[:, 0]
    return FoldRecord(
        arm=arm,
        model=arm.removesuffix(f", fold {method.fold}"),
        fold=method.fold or 0,
        trained=int(first),
        validated=held_out,
        one_step=tuple(finite(run.history[-1]["val_loss"]) for run in runs),
        closed_loop=tuple(map(finite, closed)),
    )


def over_folds(folds: Iterable[FoldRecord]) -> tuple[ModelOverFolds, ...]:
    """Each model over its folds and seeds, the best one first: by the mean of the logarithm, as errors differ by powers
    of ten."""
    of_models: dict[str, list[FoldRecord]] = {}
    for fold in folds:
        of_models.setdefault(fold.model, []).append(fold)
    rows = []
    for model, own in of_models.items():
        errors = [np.nan if error is None else error for fold in own for error in fold.closed_loop]
        mean = 10 ** np.log10(np.maximum(errors, 1e-12)).mean()
        rows.append(ModelOverFolds(model=model, folds=len(own), closed_loop=finite(mean)))
    return tuple(sorted(rows, key=lambda row: np.inf if row.closed_loop is None else row.closed_loop))


def fold_tables(folds: Sequence[FoldRecord], models: Sequence[ModelOverFolds]) -> list[Table]:
    """Models over their folds, and every fold."""
    of_models = (Column("model", "text"), Column("folds", "integer"), Column("NMSE, closed loop, geometric mean"))
    rows = tuple((one.model, one.folds, one.closed_loop) for one in models)
    note = "Over folds and seeds, the best one first. Settings are chosen by these, never by the origins."
    first = Table("models", "Models over folds", of_models, rows, note)
    of_folds = (
        Column("fold", "text"),
        Column("trained on", "integer"),
        Column("validated by", "integer"),
        Column("one step ahead"),
        Column("NMSE, closed loop"),
    )
    rows_of_folds = tuple(
        (one.arm, one.trained, one.validated, median(one.one_step), median(one.closed_loop)) for one in folds
    )
    note = "Folds in the order of time; medians over seeds, as a closed loop that runs away would be all of a mean."
    return [first, Table("folds", "Folds", of_folds, rows_of_folds, note)]
