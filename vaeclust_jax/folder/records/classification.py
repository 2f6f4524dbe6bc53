"""What `metrics.json` of a method that classifies holds: its errors on rows that nothing has seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from vaeclust_jax.folder.records.task import Measures, OfSeed, Summary, TaskRecord


@dataclass(frozen=True, kw_only=True)
class ClassScores(Measures):
    """Share of correct classes, mean negative log-likelihood (nats), and expected calibration error."""

    names: ClassVar[Mapping[str, str]] = {"accuracy": "accuracy", "nll": "negative log-likelihood", "ece": "ECE"}

    accuracy: float | None
    nll: float | None
    ece: float | None


@dataclass(frozen=True, kw_only=True)
class SeedClassScores(ClassScores, OfSeed):
    """Those of one seed."""


@dataclass(frozen=True, kw_only=True)
class ClassificationRecord(TaskRecord):
    """A run of a method that classifies.

    Attributes:
        results: of every arm.
    """

    task: ClassVar[str] = "classification"

    mean: ClassScores
    std: ClassScores
    seeds: tuple[SeedClassScores, ...]
    results: dict[str, Summary[ClassScores, SeedClassScores]]
