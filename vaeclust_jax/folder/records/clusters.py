"""What is said of each cluster of the model that is shown, and which of them not to trust."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class FeatureRecord:
    """A feature of vectors in a cluster, against the samples of all other clusters.

    Attributes:
        name: of the column.
        mean, rest: means of the cluster and of the others, in the units of the data.
        difference: of these, in standard deviations within the two groups, pooled (Cohen's d); None where both are
            constant.
    """

    name: str
    mean: float
    rest: float
    difference: float | None


@dataclass(frozen=True, kw_only=True)
class ClusterRecord:
    """A cluster of the first seed.

    Attributes:
        cluster: its number.
        samples: how many it holds.
        probability: the mean of theirs; None without any.
        stability: Jaccard index with the cluster of another seed that is most like it, mean over the others; None of
            one seed.
        class_: that most of its samples have; None without labels.
        purity: the share of these.
        doubts: why it should not be trusted.
        nearest: the cluster that its samples are given to next, by mean probability; this and the following are None
            where there is no other cluster or no sample, and in files of versions that did not write them.
        nearest_probability: that mean.
        alike: Jaccard index with the cluster of a shallow method that is most like it, the highest of all methods.
        features: those that set it apart, the largest difference first; None of images.
    """

    cluster: int
    samples: int
    probability: float | None
    stability: float | None
    class_: str | None
    purity: float | None
    doubts: tuple[str, ...]
    nearest: int | None = None
    nearest_probability: float | None = None
    alike: float | None = None
    features: tuple[FeatureRecord, ...] | None = None
