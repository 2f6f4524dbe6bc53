"""What `metrics.json` of a method that classifies holds: its errors on rows that nothing has seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from vaeclust_jax.folder.records.task import Measures, OfSeed, Summary, TaskRecord


@dataclass(frozen=True, kw_only=True)
class ClassScores(Measures):
    """Share of correct classes, mean negative log-likelihood (nats), and expected calibration error.

    Attributes:
        nll, ece: at the probabilities as they were trained.
        temperature: under which labels of the held-out rows are likeliest; None: there is none.
        scaled_nll, scaled_ece: at that temperature.
    """

    names: ClassVar[Mapping[str, str]] = {
        "accuracy": "accuracy",
        "nll": "negative log-likelihood",
        "ece": "ECE",
        "temperature": "temperature",
        "scaled_nll": "at the temperature",
        "scaled_ece": "ECE at it",
    }

    accuracy: float | None
    nll: float | None
    ece: float | None
    temperature: float | None = None
    scaled_nll: float | None = None
    scaled_ece: float | None = None


@dataclass(frozen=True, kw_only=True)
class SeedClassScores(ClassScores, OfSeed):
    """Those of one seed."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """An arm among those that one is chosen of: the accuracy on its held-out rows, over seeds.

    Attributes:
        parameters: how many.
        epochs: that were run, in the mean over seeds.
        reported: what the source prints for it on its test part.
    """

    arm: str
    parameters: int
    epochs: float
    accuracy: float
    std: float | None
    reported: float


@dataclass(frozen=True, kw_only=True)
class ClassificationRecord(TaskRecord):
    """A run of a method that classifies.

    Attributes:
        results: of every arm, or of the one that was chosen.
        candidates: what it was chosen of, the best first; empty: nothing was chosen.
    """

    task: ClassVar[str] = "classification"

    mean: ClassScores
    std: ClassScores
    seeds: tuple[SeedClassScores, ...]
    results: dict[str, Summary[ClassScores, SeedClassScores]]
    candidates: tuple[Candidate, ...] = ()
