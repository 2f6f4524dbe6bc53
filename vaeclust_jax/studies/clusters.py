"""Every cluster by itself: how large, how sure, whether other seeds find it again, and what speaks against it."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Int
from sklearn.metrics import adjusted_rand_score

from vaeclust_jax.data import Dataset
from vaeclust_jax.folder.records.clusters import ClusterRecord
from vaeclust_jax.studies.assignments import Answer
from vaeclust_jax.studies.features import features_apart
from vaeclust_jax.uncertainty.ensemble import cluster_stability, votes

_DISSOLVED = 0.6  # below, a cluster is not to be taken for one (Hennig, 2007)
_MIXED = 0.6  # share of the class that a cluster holds most of


def clusters_of(
    answers: Sequence[Answer],
    dataset: Dataset,
    shallow: Sequence[Answer] = (),
    scored: Int[np.ndarray, " s"] | None = None,
) -> tuple[ClusterRecord, ...]:
    """A record of each cluster of the first of several seeds' answers, empty ones included.

    Args:
        answers: of the seeds.
        dataset: that they are about.
        shallow: an answer of each method without a network.
        scored: rows whose class counts; None: all.
    """
    first = answers[0]
    k, q = first.num_clusters, first.probabilities
    stable = cluster_stability(np.stack([one.labels for one in answers]), k)
    likeness = [cluster_stability(np.stack([first.labels, one.labels]), k) for one in shallow]
    features = features_apart(dataset, first.labels, k) if dataset.x.ndim == 2 else None
    judged = np.isin(np.arange(len(first.labels)), np.arange(0) if scored is None else scored)
    found = []
    for cluster in range(k):
        members = first.labels == cluster
        some = bool(members.any())
        sure = float(q[members].max(axis=1).mean()) if some else None
        stability = None if stable is None or not some else float(stable[cluster])
        name, purity = _majority(members if scored is None else members & judged, dataset)
        nearest, share = _nearest(q[members], cluster) if some and k > 1 else (None, None)
        found.append(
            ClusterRecord(
                cluster=cluster,
                samples=int(members.sum()),
                probability=sure,
                stability=stability,
                class_=name,
                purity=purity,
                doubts=_doubts(sure, stability, name, purity),
                nearest=nearest,
                nearest_probability=share,
                alike=max(float(one[cluster]) for one in likeness if one is not None) if some and likeness else None,
                features=None if features is None else features[cluster],
            )
        )
    return tuple(found)


def _nearest(q: np.ndarray, cluster: int) -> tuple[int, float]:
    """The other cluster that members are given to next: its number and mean probability."""
    mean = q.mean(axis=0)
    mean[cluster] = -1
    return int(mean.argmax()), float(mean.max())


def _majority(members: np.ndarray, dataset: Dataset) -> tuple[str | None, float | None]:
    """The class that most members have, and their share."""
    if dataset.y is None or not members.any():
        return None, None
    counts = np.bincount(dataset.y[members])
    most = int(counts.argmax())
    name = str(most) if dataset.class_names is None else dataset.class_names[most]
    return name, float(counts[most] / counts.sum())


def _doubts(
    probability: float | None, stability: float | None, name: str | None, purity: float | None
) -> tuple[str, ...]:
    if probability is None:
        return ("no samples",)
    doubts = []
    if stability is not None and stability < _DISSOLVED:
        doubts.append(f"other seeds do not find it again (Jaccard index {stability:.2f})")
    if purity is not None and purity < _MIXED:
        doubts.append(
            f"only {100 * purity:.0f} % are of one class ({name}), at a mean probability of {probability:.2f}"
        )
    return tuple(doubts)


def agreed_share(aligned: np.ndarray) -> float | None:
    """Share of the samples that `agreeing(S)` of S seeds put into the same cluster; None of one seed.

    Args:
        aligned: (S, n, K), see `uncertainty.align`.
    """
    if len(aligned) < 2:
        return None
    return float((votes(aligned).max(axis=1) * len(aligned) > agreeing(len(aligned)) - 0.5).mean())


def agreeing(num_seeds: int) -> int:
    """How many of the seeds stand for a sample's cluster: four in five, rounded up."""
    return -(-4 * num_seeds // 5)


def alike(answers: Sequence[Answer], others: Mapping[str, Sequence[Answer]]) -> dict[str, float]:
    """Adjusted Rand index with what each other method found, mean over the seeds of both; no label is read."""
    return {
        name: float(np.mean([adjusted_rand_score(a.labels, b.labels) for a in answers for b in found]))
        for name, found in others.items()
    }
