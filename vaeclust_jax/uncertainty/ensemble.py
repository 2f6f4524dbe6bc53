"""How sure a cluster assignment is when the training is repeated: the seeds of one config as an ensemble.

Cluster ids mean nothing across seeds. Either the columns of the seeds are matched first (`align`, and what takes
aligned probabilities), or only "who is together with whom" is asked (what takes labels). What compares seeds is
not defined for one of them: None.
"""

from itertools import combinations

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

from vaeclust_jax.errors import InputError
from vaeclust_jax.metrics import check_ids, contingency
from vaeclust_jax.uncertainty.latent import Decomposition, decompose

CO_ASSOCIATION_SAMPLES = 20_000  # n x n float32 numbers: 1.6 GB


def align(probabilities: ArrayLike, reference: ArrayLike | None = None) -> Float[np.ndarray, "s n k"]:
    """Permute the columns of every seed so that they stand for the same clusters as those of the reference.

    The permutation has the greatest soft co-occurrence sum_i sum_k r_ik p_i,perm(k), found with the Hungarian
    method; it undoes any renaming of the clusters. Every column gets exactly one partner: when a seed has left
    some clusters empty, or has split one and merged others, the columns without a counterpart are paired with
    each other by what little they share (arbitrarily, if nothing), and such samples then count as uncertain.

    Args:
        probabilities: (S, n, K), one assignment of the same samples a seed.
        reference: (n, K); None for the first seed, whose columns then stay as they are.

    Raises:
        InputError: the shapes do not fit or a value is not in [0, 1].
    """
    from scipy.optimize import linear_sum_assignment

    probabilities = _check_probabilities(probabilities)
    target = probabilities[0] if reference is None else np.asarray(reference)
    if target.shape != probabilities.shape[1:]:
        raise InputError(f"reference must have shape {probabilities.shape[1:]}, as each seed, got {target.shape}.")
    orders = [linear_sum_assignment(target.T @ seed, maximize=True)[1] for seed in probabilities]
    return np.stack([seed[:, order] for seed, order in zip(probabilities, orders, strict=True)])


def ensemble_probabilities(aligned: ArrayLike) -> Float[np.ndarray, "n k"]:
    """The mean assignment of the seeds.

    Args:
        aligned: (S, n, K), see `align`.

    Raises:
        InputError: as `align`.
    """
    return _check_probabilities(aligned).mean(axis=0)


def vote_entropy(aligned: ArrayLike) -> Float[np.ndarray, " n"] | None:
    """Entropy (nats) of the seeds' hard votes, each for its most probable cluster; 0 to log min(S, K).

    Source: Dagan and Engelson, Committee-Based Sampling for Training Probabilistic Classifiers, 1995.

    Args:
        aligned: (S, n, K), see `align`.

    Returns:
        (n,), or None for one seed.

    Raises:
        InputError: as `align`.
    """
    from scipy.special import entr

    return entr(votes(aligned)).sum(axis=1) if len(_check_probabilities(aligned)) > 1 else None


def votes(aligned: ArrayLike) -> Float[np.ndarray, "n k"]:
    """Share of the seeds for which each cluster is a sample's most probable one.

    Args:
        aligned: (S, n, K), see `align`.

    Raises:
        InputError: as `align`.
    """
    aligned = _check_probabilities(aligned)
    return np.asarray((aligned.argmax(axis=2)[..., np.newaxis] == np.arange(aligned.shape[2])).mean(axis=0))


def seed_uncertainty(aligned: ArrayLike) -> Decomposition | None:
    """The entropy of the ensemble's assignment, and what of it is disagreement between seeds (nats).

    Args:
        aligned: (S, n, K), see `align`.

    Returns:
        Three arrays (n,); the mutual information is what the training leaves open (epistemic, of the weights).
        None for one seed.

    Raises:
        InputError: as `align`.
    """
    aligned = _check_probabilities(aligned)
    return Decomposition(*map(np.asarray, decompose(aligned))) if len(aligned) > 1 else None


def co_association(labels: ArrayLike) -> Float[np.ndarray, "n n"]:
    """Share of the seeds that put samples i and j into one cluster, float32.

    Source: Fred and Jain, Combining Multiple Clusterings Using Evidence Accumulation, 2005.

    Args:
        labels: (S, n), cluster ids of any names.

    Raises:
        InputError: `labels` does not hold ids, or has more than 20,000 samples.
    """
    labels = _check_labels(labels)
    n = labels.shape[1]
    if n > CO_ASSOCIATION_SAMPLES:
        raise InputError(
            f"labels must have at most {CO_ASSOCIATION_SAMPLES} samples, as the matrix grows with their square, "
            f"got {n}, which would need {4e-9 * n**2:.1f} GB."
        )
    together = np.zeros((n, n), np.float32)
    for seed in labels:
        together += seed[:, np.newaxis] == seed
    together /= len(labels)
    return together


def stability(labels: ArrayLike) -> Float[np.ndarray, " n"] | None:
    """How much the seeds agree on a sample's company: 1 if it has the same companions in all of them.

    The Jaccard index |A and B| / |A or B| of the sample's cluster A in one seed and B in another, averaged over
    the pairs of seeds. No matching of clusters, no n x n matrix.

    Source: the Jaccard index as a measure of stability is that of Hennig, Cluster-wise assessment of cluster
    stability, 2007; here it is taken per sample and between seeds.

    Args:
        labels: (S, n), cluster ids of any names.

    Returns:
        (n,), above 0 (a sample is its own companion) and at most 1; None for one seed.

    Raises:
        InputError: `labels` does not hold ids.
    """
    numbered = [np.unique(seed, return_inverse=True)[1] for seed in _check_labels(labels)]
    if len(numbered) < 2:
        return None
    pairs = list(combinations(numbered, 2))
    total = np.zeros(numbered[0].shape)
    for a, b in pairs:
        total += _jaccard(a, b)[a, b]
    return total / len(pairs)


def cluster_stability(labels: ArrayLike, num_clusters: int) -> Float[np.ndarray, " k"] | None:
    """How well the other seeds find each cluster of the first one again: 1 if all of them have the very same one.

    The Jaccard index |A and B| / |A or B| with the cluster B of another seed that is most like A, averaged over the
    other seeds. Below 0.6 a cluster should not be trusted, from 0.75 on it is a stable one.

    Source: Hennig, Cluster-wise assessment of cluster stability, 2007, where bootstrap samples stand for the seeds.

    Args:
        labels: (S, n), cluster ids.
        num_clusters: K, above all ids of the first seed.

    Returns:
        (K,), 0 for clusters without samples; None for one seed.

    Raises:
        InputError: `labels` does not hold ids.
    """
    labels = _check_labels(labels)
    if len(labels) < 2:
        return None
    found = np.zeros(num_clusters)
    for other in labels[1:]:
        found[np.unique(labels[0])] += _jaccard(labels[0], other).max(axis=1)
    return found / (len(labels) - 1)


def pairwise_agreement(labels: ArrayLike) -> float | None:
    """The stability of the whole clustering: the adjusted Rand index averaged over the pairs of seeds.

    Args:
        labels: (S, n), cluster ids of any names.

    Returns:
        1 for identical clusterings, about 0 for unrelated ones; None for one seed.

    Raises:
        InputError: `labels` does not hold ids.
    """
    from sklearn.metrics import adjusted_rand_score

    indices = [adjusted_rand_score(a, b) for a, b in combinations(_check_labels(labels), 2)]
    return float(np.mean(indices)) if indices else None


def _jaccard(a: NDArray[np.integer], b: NDArray[np.integer]) -> NDArray[np.floating]:
    """Index of every cluster of one labelling with every one of another, in the order of their ids."""
    both = contingency(a, b)
    return np.asarray(both / (both.sum(axis=1, keepdims=True) + both.sum(axis=0) - both))


def _check_probabilities(values: ArrayLike) -> NDArray[np.floating]:
    if isinstance(values, list | tuple) and len(shapes := {np.shape(one) for one in values}) > 1:
        got = " and ".join(map(str, sorted(shapes)))
        raise InputError(f"probabilities of all seeds must have the same shape (samples, clusters), got {got}.")
    probabilities = np.asarray(values)
    if probabilities.ndim != 3 or probabilities.size == 0:
        raise InputError(
            f"probabilities must have shape (seeds, samples, clusters), not empty, got {probabilities.shape}."
        )
    in_range = (probabilities >= 0) & (probabilities <= 1 + 1e-6)  # a sum of float32 may end above 1
    if not in_range.all():
        raise InputError(f"probabilities must lie in [0, 1], got {(~in_range).sum()} values out of range.")
    return probabilities


def _check_labels(values: ArrayLike) -> NDArray[np.integer]:
    labels = np.asarray(values)
    if labels.ndim != 2 or labels.size == 0:
        raise InputError(f"labels must have shape (seeds, samples), not empty, got {labels.shape}.")
    check_ids("labels", labels.ravel())
    return labels
