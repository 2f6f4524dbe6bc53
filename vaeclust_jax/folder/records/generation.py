"""What `metrics.json` of a method that generates holds: how far its samples are from rows that it never saw."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from vaeclust_jax.folder.records.task import Measures, OfSeed, Summary, TaskRecord


@dataclass(frozen=True, kw_only=True)
class SampleScores(Measures):
    """Fréchet distance, the share of samples among the data, and that of data among samples."""

    names: ClassVar[Mapping[str, str]] = {"frechet": "Fréchet distance", "precision": "precision", "recall": "recall"}

    frechet: float | None
    precision: float | None
    recall: float | None


@dataclass(frozen=True, kw_only=True)
class SeedSampleScores(SampleScores, OfSeed):
    """Those of one seed."""


@dataclass(frozen=True, kw_only=True)
class GenerationRecord(TaskRecord):
    """A run of a method that generates.

    Attributes:
        results: of every arm.
        floor: of training rows in place of samples.
    """

    task: ClassVar[str] = "generation"

    mean: SampleScores
    std: SampleScores
    seeds: tuple[SeedSampleScores, ...]
    results: dict[str, Summary[SampleScores, SeedSampleScores]]
    floor: SampleScores
