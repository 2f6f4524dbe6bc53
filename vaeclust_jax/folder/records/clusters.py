"""What is said of each cluster of the model that is shown, and which of them not to trust."""

from dataclasses import dataclass


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
    """

    cluster: int
    samples: int
    probability: float | None
    stability: float | None
    class_: str | None
    purity: float | None
    doubts: tuple[str, ...]
