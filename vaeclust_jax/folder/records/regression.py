"""What `metrics.json` of a method that predicts numbers holds: its errors on rows that nothing has seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from vaeclust_jax.folder.records.task import Measures, OfSeed, Summary, TaskRecord


@dataclass(frozen=True, kw_only=True)
class RegressionScores(Measures):
    """Mean squared and mean absolute error in the data's units, and 1 - MSE / variance of the test part."""

    names: ClassVar[Mapping[str, str]] = {"mse": "MSE", "mae": "MAE", "r2": "R²"}

    mse: float | None
    mae: float | None
    r2: float | None


@dataclass(frozen=True, kw_only=True)
class SeedRegressionScores(RegressionScores, OfSeed):
    """Those of one seed."""


@dataclass(frozen=True, kw_only=True)
class RegressionRecord(TaskRecord):
    """A run of a method that predicts numbers.

    Attributes:
        results: of every arm.
        floor: of a linear model, by least squares.
    """

    task: ClassVar[str] = "regression"

    mean: RegressionScores
    std: RegressionScores
    seeds: tuple[SeedRegressionScores, ...]
    results: dict[str, Summary[RegressionScores, SeedRegressionScores]]
    floor: RegressionScores
