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
class Result:
    """Scores of one method under one protocol.

    Attributes:
        mean, std: over seeds.
        interval: by score the 95 % bootstrap interval of the mean.
        seeds: each with its scores.
    """

    mean: Scores
    std: Scores
    interval: dict[str, tuple[float, float] | None]
    seeds: tuple[SeedScores, ...]


Results = dict[str, dict[str, Result]]
"""By method and protocol."""
