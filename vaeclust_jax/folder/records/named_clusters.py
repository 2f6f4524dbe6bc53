"""What `metrics.json` holds under "classification": clusters with the names of classes, judged on unseen rows."""

from dataclasses import dataclass

from vaeclust_jax.folder.records.task import Measures, OfSeed, Summary


@dataclass(frozen=True, kw_only=True)
class Accuracy(Measures):
    """Share of correct classes, and the expected calibration error of their probabilities."""

    accuracy: float | None
    ece: float | None


@dataclass(frozen=True, kw_only=True)
class SeedAccuracy(Accuracy, OfSeed):
    """That of one seed."""


@dataclass(frozen=True, kw_only=True)
class NamingPoint:
    """Mean and deviation of a method's accuracy over draws and seeds, where so many labels name its clusters."""

    method: str
    naming: str
    labels: int
    mean: float
    std: float | None


@dataclass(frozen=True, kw_only=True)
class ClassReport:
    """Precision, recall and F1 of a class; None where nothing is so called or there is no sample."""

    class_: str
    precision: float | None
    recall: float | None
    f1: float | None
    support: int


@dataclass(frozen=True, kw_only=True)
class Confidence:
    """Of each row the probability of its class, and whether that is the right one."""

    probability: tuple[float, ...]
    correct: tuple[bool, ...]


@dataclass(frozen=True, kw_only=True)
class NamedClusters:
    """Clusters as a classifier.

    Attributes:
        labels: how many name the clusters.
        tested_on: rows.
        missing_classes: those without a label.
        methods: with all labels.
        curve: by method, naming and number of labels.
        classes, confusion, confidence: of the first seed of the named method, with all labels; the confusion is
            classes by answers, the last one "no name".
    """

    labels: int
    tested_on: int
    missing_classes: tuple[int, ...]
    methods: dict[str, Summary[Accuracy, SeedAccuracy]]
    curve: tuple[NamingPoint, ...]
    classes: tuple[ClassReport, ...]
    confusion: tuple[tuple[int, ...], ...]
    confidence: Confidence
