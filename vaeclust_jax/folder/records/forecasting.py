"""What `metrics.json` of a method that forecasts holds: its errors from several origins, beside those of baselines."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from vaeclust_jax.folder.records.task import Measures, OfSeed, Summary, TaskRecord


@dataclass(frozen=True, kw_only=True)
class ForecastScores(Measures):
    """Errors in a closed loop: MSE over the variance of the truth (NMSE), and MSE in the data's units."""

    names: ClassVar[Mapping[str, str]] = {
        "nmse": "NMSE, first origin",
        "mse": "MSE, first origin",
        "later": "NMSE, median of later origins",
    }

    nmse: float | None
    mse: float | None
    later: float | None


@dataclass(frozen=True, kw_only=True)
class SeedForecastScores(ForecastScores, OfSeed):
    """Those of one seed."""


@dataclass(frozen=True, kw_only=True)
class FoldRecord:
    """A fold of an arm.

    Attributes:
        arm: its name.
        model: of which it is a fold.
        fold: 1 for the latest.
        trained, validated: how many values.
        one_step: of each seed, the squared error one step ahead at the last epoch, over the training values' variance.
        closed_loop: of each seed, the NMSE of the validation part's first horizon in a closed loop.
    """

    arm: str
    model: str
    fold: int
    trained: int
    validated: int
    one_step: tuple[float | None, ...]
    closed_loop: tuple[float | None, ...]


@dataclass(frozen=True, kw_only=True)
class ModelOverFolds:
    """A model over its folds and seeds.

    Attributes:
        model: its name.
        folds: how many.
        closed_loop: geometric mean of the NMSE in a closed loop.
    """

    model: str
    folds: int
    closed_loop: float | None


@dataclass(frozen=True, kw_only=True)
class OverOrigins:
    """The named arm against another over all origins: the difference of log10 NMSE, means of seeds, as pairs.

    Attributes:
        other: an arm or a baseline.
        difference: below 0 where the named arm is better.
        p: of the paired t-test over origins; None where there is none.
        reason: why.
    """

    other: str
    difference: float | None
    p: float | None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class ForecastRecord(TaskRecord):
    """A run of a method that forecasts.

    Attributes:
        results: of every arm that is no fold, then of the baselines.
        baselines: which of them those are.
        medians: of each, over seeds, of the NMSE at the first origin.
        origins: how many values come before each.
        by_origin: of each, the NMSE of every seed at every origin; None where nothing changes there, or
            the forecast ran away.
        folds: of every arm that is one.
        models: those of which they are folds, the best one first.
        comparisons: of the named arm with all others.
    """

    task: ClassVar[str] = "forecasting"

    mean: ForecastScores
    std: ForecastScores
    seeds: tuple[SeedForecastScores, ...]
    results: dict[str, Summary[ForecastScores, SeedForecastScores]]
    baselines: tuple[str, ...]
    medians: dict[str, float | None]
    origins: tuple[int, ...]
    by_origin: dict[str, tuple[tuple[float | None, ...], ...]]
    folds: tuple[FoldRecord, ...]
    models: tuple[ModelOverFolds, ...]
    comparisons: tuple[OverOrigins, ...]
