"""What `metrics.json` holds under "uncertainty" and "outliers"."""

from dataclasses import dataclass

from vaeclust_jax.folder.records.scores import Scores
from vaeclust_jax.folder.records.task import Measures, OfSeed, Summary


@dataclass(frozen=True, kw_only=True)
class Flagging(Measures):
    """How well one uncertainty tells wrong assignments from correct ones.

    Attributes:
        auroc: a wrong assignment is less certain than a correct one.
        aurc, excess_aurc: mean error over coverages, and that over the best possible order.
        error, error_at_80: of all rows and of the surest 80 %.
        point_biserial, spearman: correlation with correctness; `_low`, `_high`: its 95 % interval over samples.
        mean_correct, mean_wrong: of the uncertainty.
        welch_p, mann_whitney_p: of tests of wrong against correct; None where samples are not independent.
    """

    auroc: float | None
    aurc: float | None
    excess_aurc: float | None
    error: float | None
    error_at_80: float | None
    point_biserial: float | None
    point_biserial_low: float | None
    point_biserial_high: float | None
    spearman: float | None
    spearman_low: float | None
    spearman_high: float | None
    mean_correct: float | None
    mean_wrong: float | None
    welch_p: float | None
    mann_whitney_p: float | None


@dataclass(frozen=True, kw_only=True)
class SeedFlagging(Flagging, OfSeed):
    """That of one seed."""


@dataclass(frozen=True, kw_only=True)
class Calibration(Measures):
    """Expected calibration error of a probability, what it is compared of, and the temperature where one was fitted."""

    ece: float | None
    mean_confidence: float | None
    accuracy: float | None
    temperature: float | None


@dataclass(frozen=True, kw_only=True)
class SeedCalibration(Calibration, OfSeed):
    """That of one seed."""


@dataclass(frozen=True, kw_only=True)
class EnsembleRecord(Scores):
    """The averaged assignment of the seeds: its scores, and how well uncertainties flag its own errors."""

    ece: float | None
    measures: dict[str, Flagging]


@dataclass(frozen=True, kw_only=True)
class UncertaintyRecord:
    """Uncertainty of the named method; what needs labels or several seeds is None without.

    Attributes:
        seed_agreement: mean adjusted Rand index between seeds.
        pass_check: sampled total latent variance over the closed form, near 1.
        agreed: share of the samples that four in five seeds, rounded up, put into the same cluster.
        temperatures: of the probabilities that are shown, one a seed; None for one as trained.
        measures: by uncertainty.
        ensemble: of the seeds.
        calibration: by kind of probability.
        error_free: seeds without a wrong assignment, which means of what needs errors leave out; this and the
            following are None in files of versions that did not write them.
        groups: of so many groups of samples the intervals resample each as one; None where samples are independent.
    """

    seed_agreement: float | None
    pass_check: float | None
    agreed: float | None = None
    temperatures: tuple[float | None, ...] | None = None
    measures: dict[str, Summary[Flagging, SeedFlagging]] | None = None
    ensemble: EnsembleRecord | None = None
    calibration: dict[str, Summary[Calibration, SeedCalibration]] | None = None
    error_free: tuple[int, ...] | None = None
    groups: int | None = None


@dataclass(frozen=True, kw_only=True)
class LandingOfSeed:
    """Where a class that one model has never seen lands.

    Attributes:
        share: of its samples in the cluster that holds most of them.
        known: the class that most of the cluster's own rows have, None for a cluster without rows.
        known_share: of those rows.
    """

    share: float
    known: str | None
    known_share: float | None


@dataclass(frozen=True, kw_only=True)
class LandingRecord:
    """An unseen class: its name, how many samples it has, and where they land under each seed."""

    class_: str
    samples: int
    seeds: tuple[LandingOfSeed, ...]


@dataclass(frozen=True, kw_only=True)
class OutlierRecord:
    """Are samples of another data set noticed?

    Attributes:
        dataset: its name.
        known, strange: numbers of samples.
        mean, std: over seeds, the AUROC by name of the score of strangeness.
        seeds: the AUROCs, with `seed` among them.
        landing: where its classes land; None where there are no labels.
    """

    dataset: str
    known: int
    strange: int
    mean: dict[str, float | None]
    std: dict[str, float | None]
    seeds: tuple[dict[str, float | None], ...]
    landing: tuple[LandingRecord, ...] | None = None
