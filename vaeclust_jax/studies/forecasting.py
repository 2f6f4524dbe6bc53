"""The task of methods that forecast: a closed loop from several origins, beside forecasts without a network.

Training sees the values before the first origin alone. Folds, which are arms of their own, lie in the order of time.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from vaeclust_jax.baselines.series import SERIES_BASELINES
from vaeclust_jax.data import Dataset, PrepareConfig, checked_series, windows
from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.config import Config
from vaeclust_jax.fitting.prepared import Prepared
from vaeclust_jax.fitting.resolve import Preparations, prepared_for
from vaeclust_jax.folder.records.forecasting import (
    ForecastRecord,
    ForecastScores,
    ModelOverFolds,
    OverOrigins,
    SeedForecastScores,
)
from vaeclust_jax.folder.table import Column, Table
from vaeclust_jax.methods.forecaster import Forecaster
from vaeclust_jax.metrics import compare
from vaeclust_jax.metrics.forecasts import finite, median, nmse
from vaeclust_jax.plots import errors_by_origin, fold_losses, forecasts_from, forecasts_of
from vaeclust_jax.studies.common import common_fields, over_seeds
from vaeclust_jax.studies.figures import Picture, history_of
from vaeclust_jax.studies.folds import fold_of, fold_tables, over_folds, scored, told
from vaeclust_jax.studies.task import Drawn, Measured, Parts, Study, Task

_PART = "the validation part"
"""Where the named arm is scored that is a fold itself; no origin is read then."""


class Windows(Preparations):
    """A series as stretches of lag + latent_dim values, those that a fit may see, for every config that asks.

    Args:
        series: in the order of time.
    """

    def __init__(self, series: Dataset):
        super().__init__(series)
        self.series = checked_series(series).astype(np.float64)
        self._made: dict[tuple[PrepareConfig, int, int, int], Prepared] = {}

    def of(self, config: Config) -> Prepared:
        """Of a fold, the last values are held out, and no stretch that is trained on reaches into them."""
        method = _forecaster(config)
        size = method.lag + config.network.latent_dim
        seen, held_out = method.trained_and_held_out(len(self.series))
        key = (config.prepare, size, seen, held_out)
        if key not in self._made:
            checked_series(self.series[: seen - held_out])  # what is trained on must change, too
            rows = windows(self.series[:seen], size)
            weight = np.ones(len(rows))
            if held_out:  # of several values at once: stretches that begin to predict before those, and end in them
                weight[len(rows) - held_out - config.network.latent_dim + 1 : len(rows) - held_out] = 0
            share = held_out / np.count_nonzero(weight)
            prepare = replace(config.prepare, split="last", validation=share)
            counts = None if weight.all() else weight
            self._made[key] = prepared_for(replace(config, prepare=prepare), rows, sample_weight=counts)
        return self._made[key]


def _forecaster(config: Config) -> Forecaster:
    if not isinstance(config.method, Forecaster):
        raise InputError(f"the task forecasting is of the method forecaster, got {type(config.method).__name__}")
    return config.method


def _parts(dataset: Dataset, config: Config) -> Parts:
    if _forecaster(config).fold is not None:
        raise InputError("fold is set by the arms of an experiment: leave it out")
    return Parts(dataset, None, Windows(dataset))


def _check(data: Prepared) -> None:
    if data.preparation.by_row:
        raise InputError("stretches scaled by their own extremes cannot be continued: use scaling standardise-all")


class _Kept(NamedTuple):
    """What the figures show.

    Attributes:
        series: all of it.
        origins: values before each.
        horizon: values predicted.
        forecasts: of every arm and baseline, (seeds, origins, horizon).
        finals, folds: names of arms; no finals where all are folds.
    """

    series: Float[np.ndarray, " t"]
    origins: np.ndarray
    horizon: int
    forecasts: dict[str, Float[np.ndarray, "s o h"]]
    finals: list[str]
    folds: list[str]


def _measure(study: Study, step: Callable[[str], None]) -> Measured:
    step("forecasting in a closed loop")
    series = checked_series(study.dataset).astype(np.float64)
    methods = {arm: _forecaster(runs[0].config) for arm, runs in study.runs.items()}
    folds = [arm for arm, method in methods.items() if method.fold is not None]
    named = study.experiment.named
    # Where all arms are folds, the named one is scored where it is validated, and no origin is read.
    finals = [arm for arm in methods if arm not in folds] or [named]
    origins, horizon = scored(methods[named], len(series))
    lag = methods[named].lag
    truth = np.stack([series[origin : origin + horizon] for origin in origins])
    forecasts = {
        arm: np.stack([run.forecast(told(series, origins, methods[arm].lag), horizon) for run in study.runs[arm]])
        for arm in finals
    }
    if len(study.seeds) > 1:
        forecasts |= {f"{arm}, mean of seeds": forecasts[arm].mean(axis=0, keepdims=True) for arm in finals}
    step("forecasting without a network")
    past, known = series[: origins[0]], told(series, origins, lag)
    for name, baseline in SERIES_BASELINES.items():
        seeds = study.seeds if baseline.random else [0]
        forecasts[name] = np.stack([baseline.forecast(past, known, horizon, seed) for seed in seeds])
    errors = {name: nmse(found, truth) for name, found in forecasts.items()}
    results = {
        name: over_seeds(
            ForecastScores,
            SeedForecastScores,
            [_scores(of_seed, truth) for of_seed in of_seeds],
            study.seeds if len(of_seeds) == len(study.seeds) else [None],
        )
        for name, of_seeds in errors.items()
    }
    medians = {name: median(found[:, 0]) for name, found in errors.items()}
    comparisons = tuple(_over_origins(errors[named], errors[name], name) for name in errors if name != named)
    of_folds = [fold_of(arm, methods[arm], study.runs[arm], series) for arm in folds]
    models = over_folds(of_folds)
    from_where = f"from {len(origins)} origins, each told" if named not in folds else f"from the start of {_PART}, told"
    record = ForecastRecord(
        **common_fields(study.experiment, study.dataset),
        protocol={
            "fitted_on": f"the first {origins[0]} of {len(series)} values",
            "scored_on": f"{horizon} values in a closed loop {from_where} the {lag} values before it; "
            "no model is fitted again",
            "labels_used_for": "nothing",
            "spread": "standard deviation over seeds (n - 1)",
        },
        mean=results[named].mean,
        std=results[named].std,
        seeds=results[named].seeds,
        findings=tuple(_findings(named, named in folds, medians, comparisons, models)),
        warnings=(),
        results=results,
        baselines=tuple(SERIES_BASELINES),
        medians=medians,
        origins=tuple(origins.tolist()),
        by_origin={name: tuple(tuple(map(finite, row)) for row in found) for name, found in errors.items()},
        folds=tuple(of_folds),
        models=models,
        comparisons=comparisons,
    )
    return Measured(
        record, None, _Kept(series, origins, horizon, forecasts, [arm for arm in finals if arm not in folds], folds)
    )


def _scores(errors: Float[np.ndarray, " o"], truth: np.ndarray) -> ForecastScores:
    later = errors[1:][~np.isnan(errors[1:])]  # the truth changes there
    return ForecastScores(
        nmse=finite(errors[0]),
        mse=finite(errors[0] * truth[0].var()),
        later=median(later),
    )


def _over_origins(named: np.ndarray, other: np.ndarray, name: str) -> OverOrigins:
    logs = [np.log10(np.maximum(of, 1e-12)).mean(axis=0) for of in (named, other)]
    changes = ~np.isnan(logs[0])
    if not changes.any():
        return OverOrigins(other=name, difference=None, p=None, reason="nothing changes at any origin")
    away = np.isinf(logs).any(axis=0).sum()
    if away:  # left out, they would speak for whoever ran away
        reason = f"a forecast ran away at {away} of {changes.sum()} origins"
        return OverOrigins(other=name, difference=None, p=None, reason=reason)
    a, b = (log[changes].tolist() for log in logs)
    found = compare(a, b, paired=True)
    p = None if found.paired is None else found.paired.p
    return OverOrigins(other=name, difference=found.difference, p=p, reason=found.reason)


def _findings(
    named: str,
    is_fold: bool,
    medians: dict[str, float | None],
    comparisons: tuple[OverOrigins, ...],
    models: tuple[ModelOverFolds, ...],
) -> list[str]:
    first = medians[named]
    where, over = (f"in {_PART}", "There") if is_fold else ("at the first origin", "Over origins")
    sentences = [] if first is None else [f"{named} has a median NMSE of {first:.3g} over seeds {where}."]
    for one in comparisons:
        if one.difference is None:
            sentences.append(f"{over} it is not compared with {one.other}: {one.reason}.")
            continue
        factor = 10 ** abs(one.difference)
        how = "lower" if one.difference < 0 else "higher"
        test = f"paired t-test over origins, p = {one.p:.2g}" if one.p is not None else f"no test: {one.reason}"
        sentences.append(f"{over} its NMSE is {factor:.3g} times {how} than that of {one.other} ({test}).")
    if len(models) > 1 and models[0].closed_loop is not None:
        best = models[0]
        sentences.append(
            f"Of {len(models)} models {best.model} has the lowest NMSE over folds, {best.closed_loop:.3g}."
        )
    return sentences


def _tables(record: ForecastRecord) -> list[Table]:
    rows, is_fold = [], record.method in {fold.arm for fold in record.folds}
    for name, of in record.results.items():
        at_first = [np.inf if seed.nmse is None else seed.nmse for seed in of.seeds]
        ends = map(finite, (min(at_first), max(at_first)))
        later = () if is_fold else (median([seed.later for seed in of.seeds]),)
        rows.append((name, record.medians[name], *ends, *later, len(of.seeds)))
    columns = (
        Column("method", "text"),
        Column(f"NMSE, {_PART}, median" if is_fold else "NMSE, first origin, median"),
        Column("lowest"),
        Column("highest"),
        *([] if is_fold else [Column("NMSE, later origins, median")]),
        Column("seeds", "integer"),
    )
    note = (
        "Closed loop. NMSE: the mean squared error over the variance of the values to be predicted, so that their mean "
        "has 1. Those below the arms learn nothing by gradients."
    )
    tables = [Table("scores", "Forecasts", columns, tuple(rows), note)]
    return tables + (fold_tables(record.folds, record.models) if record.folds else [])


def _figures(study: Study, measured: Measured) -> Drawn:
    kept: _Kept = measured.kept
    if kept.folds:
        losses = {arm: history_of(study.runs[arm]) for arm in kept.folds}
        caption = "Squared error one step ahead, over the epochs; thin lines are seeds, the thick one their mean."
        yield "folds", Picture(fold_losses(losses), "Training", "Loss of every fold", caption)
    if kept.finals:
        losses = {arm: history_of(study.runs[arm]) for arm in kept.finals}
        caption = "Of all values before the first origin; nothing is held out."
        yield "losses", Picture(fold_losses(losses), "Training", "Loss of the models", caption)
    first = int(kept.origins[0])
    past = kept.series[max(0, first - kept.horizon // 2) : first]
    truth = kept.series[first : first + kept.horizon]
    drawn = forecasts_of({name: found[:, 0] for name, found in kept.forecasts.items()}, past, truth)
    first_from = "The first origin" if kept.finals else f"The start of {_PART}"
    caption = f"{first_from}: the truth in black, every seed a thin line, their median a thick one."
    yield "forecasts", Picture(drawn, "Forecasts", "Forecasts and truth", caption)
    named = study.experiment.named
    truths = np.stack([kept.series[origin : origin + kept.horizon] for origin in kept.origins])
    if kept.finals:
        drawn = forecasts_from(kept.origins, kept.forecasts[named], truths)
        title = f"{named} from every origin"
        yield "origins", Picture(drawn, "Forecasts", title, caption.replace("The first", "Every"))
    errors = {name: nmse(found, truths) for name, found in kept.forecasts.items()}
    caption = (
        "NMSE of every seed; the bar is their median. The mean of the values to be predicted would have 1. Above 1,000 "
        "nothing is drawn."
    )
    yield (
        "errors",
        Picture(
            errors_by_origin(kept.origins, errors),
            "Forecasts",
            "Errors by origin" if kept.finals else "Errors",
            caption,
        ),
    )


FORECASTING = Task(("regress",), _check, _measure, _tables, _figures, _parts)
