"""What `metrics.json` of a clustering holds: scores of every method, their comparisons, and what was asked beside."""

from dataclasses import dataclass
from typing import Any, ClassVar

from vaeclust_jax.folder.records.clusters import ClusterRecord
from vaeclust_jax.folder.records.hints import HintsRecord
from vaeclust_jax.folder.records.named_clusters import NamedClusters
from vaeclust_jax.folder.records.scores import Origin, Origins, Results, Scores, SeedScores
from vaeclust_jax.folder.records.task import TaskRecord, fault_of_seeds
from vaeclust_jax.folder.records.uncertainty import OutlierRecord, UncertaintyRecord
from vaeclust_jax.metrics import Interval, Outcome

ON_LATENTS = "on VAE latents"
"""Ends the name of a shallow method that stands on a network after all."""


@dataclass(frozen=True, kw_only=True)
class ComparisonRecord:
    """One method against another in one score; what is not defined is None.

    Attributes:
        first, second: the methods.
        protocol: the rows that were scored.
        metric: the score.
        difference, interval, welch, paired, hedges_g, paired_effect, reason: as `metrics.Comparison`; files of
            earlier versions hold both tests of every pair, and a bootstrap interval.
        welch_holm, paired_holm: p-values adjusted over the comparisons that were made together.
    """

    first: str
    second: str
    protocol: str
    metric: str
    difference: float | None
    interval: Interval | None
    welch: Outcome | None
    paired: Outcome | None
    hedges_g: float | None
    paired_effect: float | None
    welch_holm: float | None
    paired_holm: float | None
    reason: str | None = None

    @property
    def test(self) -> Outcome | None:
        """The one that fits the pair."""
        return self.welch if self.paired is None else self.paired

    @property
    def holm(self) -> float | None:
        """Its adjusted p-value."""
        return self.welch_holm if self.paired is None else self.paired_holm


@dataclass(frozen=True, kw_only=True)
class ReportedScore:
    """What a source prints beside what was measured: mean and deviation of each.

    Attributes:
        method, metric, protocol: of which score.
        reported, measured: mean, standard deviation.
        p: of Welch's test of the two, None where it is not defined.
        seeds: how many were measured.
        holm: p adjusted over all scores that are reported; None in files of versions that did not write it.
        reason: why there is no test, in words.
    """

    method: str
    metric: str
    protocol: str
    reported: tuple[float, float]
    measured: tuple[float | None, float | None]
    p: float | None
    seeds: int
    holm: float | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class ReportedTest:
    """The t and p that a source prints, and those that its own means and deviations give."""

    t: float
    p: float
    implied_t: float
    implied_p: float
    df: float | None


@dataclass(frozen=True, kw_only=True)
class StartRecord:
    """Which clusters the training of a seed began with.

    Attributes:
        seed: its number.
        began: the name of those clusters.
        clarity, cut: of all that it could begin with (`graph.clarity`), by name; files of earlier versions have no cut.
    """

    seed: int
    began: str
    clarity: dict[str, float]
    cut: dict[str, float] | None = None


@dataclass(frozen=True, kw_only=True)
class ClusteringRecord(TaskRecord):
    """A run of a clustering.

    Attributes:
        num_clusters: K.
        num_clusters_choice, augment_choice: how these were chosen, if they were: `selection.Choice.record` and
            `selection.AugmentChoice.record`.
        results: of every method.
        origins: of every method; None in files of versions that did not write it.
        shallow: those of the methods that have no network.
        comparisons: the named method against every other one.
        reported: what a source prints, beside ours.
        reported_runs: over so many; None without a source.
        reported_tests: by score.
        uncertainty: of the named method.
        outliers: whether another data set is noticed, if there was one.
        classification: of the clusters as classes, if they were named.
        clusters: of the first seed; this and the following are None in files of versions that did not write them.
        alike: by shallow method, the adjusted Rand index of its clusters and the named method's.
        starts: of each seed, where clusters without a network could begin.
        clarity, cut: by method, how clear its clusters are in the graph of the values and how much of that they cut
            (`graph.clarity`), mean over seeds.
        verdict: sentences by topic, what is to be read first coming first: found, how good, how sure.
        hints: that the named method read, if it did: it is then semi-supervised, and their rows are not scored.
    """

    task: ClassVar[str] = "clustering"

    num_clusters: int
    mean: Scores
    std: Scores
    seeds: tuple[SeedScores, ...]
    num_clusters_choice: dict[str, Any] | None
    augment_choice: dict[str, Any] | None
    results: Results
    shallow: tuple[str, ...]
    comparisons: tuple[ComparisonRecord, ...]
    reported: tuple[ReportedScore, ...]
    reported_runs: int | None
    reported_tests: dict[str, ReportedTest] | None
    uncertainty: UncertaintyRecord
    outliers: OutlierRecord | None
    classification: NamedClusters | None
    clusters: tuple[ClusterRecord, ...] | None = None
    alike: dict[str, float] | None = None
    verdict: dict[str, tuple[str, ...]] | None = None
    origins: Origins | None = None
    starts: tuple[StartRecord, ...] | None = None
    clarity: dict[str, float] | None = None
    cut: dict[str, float] | None = None
    hints: HintsRecord | None = None

    def origin(self, method: str) -> Origin:
        """Where the method's seeds come from; of a file that does not say, what its name tells."""
        if self.origins is not None:
            return self.origins[method]
        on_data = method in self.shallow and not method.endswith(ON_LATENTS)
        return Origin(fit=None if on_data else 0, together=method.endswith("-together"))

    def fault(self) -> str | None:
        """As that of every task; and the named method must be among the results."""
        if "all" not in self.results.get(self.method, {}):
            return "results must have the named method on all rows"
        if self.origins is not None and (missing := self.results.keys() - self.origins):
            return f"origins must have every method of the results, but {min(missing)} is missing"
        if self.clarity is not None and self.method not in self.clarity:
            return "clarity must have the named method"
        if self.cut is not None and self.cut.keys() != (self.clarity or {}).keys():
            return "cut must have the methods of clarity"
        if any(one.began not in (one.clarity if one.cut is None else one.cut) for one in self.starts or ()):
            return "starts must have the clusters that training began with"
        of_methods = (
            fault_of_seeds(result.seeds, "seeds of the results")
            for protocols in self.results.values()
            for result in protocols.values()
        )
        return super().fault() or next(filter(None, of_methods), None)
