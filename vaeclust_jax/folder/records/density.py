"""What `metrics.json` of a method that learns a density holds: likelihoods of rows it never saw, and restored ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from vaeclust_jax.folder.records.task import Measures, OfSeed, Summary, TaskRecord


@dataclass(frozen=True, kw_only=True)
class DensityScores(Measures):
    """Means over rows, in nats; a score that a machine does not have is None.

    Attributes:
        log_likelihood: of held-out rows, with log Z by forward annealed importance sampling.
        reverse: the same with log Z by reverse annealed importance sampling.
        exact: the same with log Z by enumeration.
        train: of training rows, with the forward log Z.
        deviation: standard error of the forward log Z.
        pseudo: exact pseudo-log-likelihood of held-out rows.
        independent: log-likelihood of held-out rows under independent units with the training rows' base rates.
    """

    names: ClassVar[Mapping[str, str]] = {
        "log_likelihood": "log-likelihood",
        "reverse": "by reverse AIS",
        "exact": "exact",
        "train": "training rows",
        "deviation": "AIS error",
        "pseudo": "pseudo-log-likelihood",
        "independent": "independent units",
    }

    log_likelihood: float | None
    reverse: float | None
    exact: float | None
    train: float | None
    deviation: float | None
    pseudo: float | None
    independent: float | None = None


@dataclass(frozen=True, kw_only=True)
class SeedDensityScores(DensityScores, OfSeed):
    """Those of one seed."""


@dataclass(frozen=True, kw_only=True)
class Restoration:
    """Squared errors a missing pixel.

    Attributes:
        region: that was missing.
        machine: of the named method, the mean over seeds.
        mean_image: of the mean training image in its place.
        neighbour: of the training row that is nearest in what is known.
    """

    region: str
    machine: float
    mean_image: float
    neighbour: float


@dataclass(frozen=True, kw_only=True)
class FewLabels:
    """Accuracy on held-out rows of a logistic regression that knows so many labels.

    Attributes:
        labels: a class.
        accuracy: by what the regression reads: the features of an arm, or the values; the mean over seeds and draws of
            the labelled rows.
        deviation: over these.
    """

    labels: int
    accuracy: dict[str, float]
    deviation: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class DensityRecord(TaskRecord):
    """A run of a method that learns a density.

    Attributes:
        results: of every arm.
        restored: a row a region; none where samples are no images.
        few_labels: a row a number of labels; none without labels.
    """

    task: ClassVar[str] = "density"

    mean: DensityScores
    std: DensityScores
    seeds: tuple[SeedDensityScores, ...]
    results: dict[str, Summary[DensityScores, SeedDensityScores]]
    restored: tuple[Restoration, ...]
    few_labels: tuple[FewLabels, ...] = ()
