"""What `metrics.json` of a method that generates holds: how far its samples are from rows that it never saw."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from vaeclust_jax.folder.records.task import Measures, OfSeed, Summary, TaskRecord


@dataclass(frozen=True, kw_only=True)
class SampleScores(Measures):
    """Of samples as values, then as a judge sees them; None where there is no judge, or no codes.

    Attributes:
        frechet: distance of Gaussians fitted to samples and to data.
        precision, recall: share of samples among the data, and of data among samples.
        fid, feature_precision, feature_recall: the same on the judge's features.
        covered: classes whose share of the samples is within a factor of two of that of the data.
        class_kl: KL of the samples' classes to equal shares, nats.
        code_distance: distance of Gaussians fitted to what codes of samples are drawn from and to codes of the data.
    """

    names: ClassVar[Mapping[str, str]] = {
        "fid": "FID (judge)",
        "feature_precision": "precision (judge)",
        "feature_recall": "recall (judge)",
        "covered": "classes covered",
        "class_kl": "KL to equal classes",
        "frechet": "Fréchet distance",
        "precision": "precision",
        "recall": "recall",
        "code_distance": "prior to codes",
    }

    frechet: float | None
    precision: float | None
    recall: float | None
    fid: float | None = None
    feature_precision: float | None = None
    feature_recall: float | None = None
    covered: float | None = None
    class_kl: float | None = None
    code_distance: float | None = None


@dataclass(frozen=True, kw_only=True)
class SeedSampleScores(SampleScores, OfSeed):
    """Those of one seed."""


@dataclass(frozen=True, kw_only=True)
class GenerationRecord(TaskRecord):
    """A run of a method that generates.

    Attributes:
        results: of every arm.
        floor: of training rows in place of samples.
        classes: by arm, the share of each class among samples of the first seed, as the judge sees them; of the
            held-out rows under "held-out rows". Empty without a judge.
    """

    task: ClassVar[str] = "generation"

    mean: SampleScores
    std: SampleScores
    seeds: tuple[SeedSampleScores, ...]
    results: dict[str, Summary[SampleScores, SeedSampleScores]]
    floor: SampleScores
    classes: dict[str, tuple[float, ...]] = field(default_factory=dict)
