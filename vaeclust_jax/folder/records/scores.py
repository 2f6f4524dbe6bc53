"""Scores of a clustering, by method and by the rows that count."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from vaeclust_jax.folder.records.task import Measures, OfSeed


@dataclass(frozen=True, kw_only=True)
class Scores(Measures):
    """Agreement with classes (None without labels), and how compact clusters are in the method's own space."""

    names: ClassVar[Mapping[str, str]] = {
        "acc": "ACC",
        "nmi": "NMI",
        "ari": "ARI",
        "ami": "AMI",
        "silhouette": "silhouette",
    }

    acc: float | None
    nmi: float | None
    ari: float | None
    ami: float | None
    silhouette: float | None


@dataclass(frozen=True, kw_only=True)
class SeedScores(Scores, OfSeed):
    """Scores of a seed, and how much of its clusters and latent units is in use."""

    populated_clusters: int
    active_units: int | None


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where the seeds of a method come from.

    Attributes:
        fit: number of the training that it is read off; None of a method that stands on the data alone.
        together: its seeds learned from each other.
    """

    fit: int | None
    together: bool = False


@dataclass(frozen=True, kw_only=True)
class Result:
    """Scores of one method under one protocol.

    Attributes:
        mean, std: over seeds.
        interval: by score the 95 % interval of the mean over seeds, by Student's t; files of earlier versions hold a
            bootstrap interval, which is too narrow.
        seeds: each with its scores.
        no_interval: by score that has none, why.
    """

    mean: Scores
    std: Scores
    interval: dict[str, tuple[float, float] | None]
    seeds: tuple[SeedScores, ...]
    no_interval: dict[str, str] | None = None


Results = dict[str, dict[str, Result]]
"""By method and protocol."""
Origins = dict[str, Origin]
"""By method."""
