"""What several clusterings of the same samples say together, and how many of them say so."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vaeclust_jax.errors import InputError
from vaeclust_jax.metrics.matching import match_clusters

LEFT_OUT = -1
"""The id of samples that a clustering gives to no cluster: noise."""
_WITHOUT_PARTNER = -2
_ROUNDS = 10  # of votes; after one or two nothing changes


def consensus(labels: ArrayLike) -> NDArray[np.integer]:
    """The clustering that most of several say, each matched one to one to what they say together.

    It begins with the one that agrees best with the others (mean adjusted Rand index) and votes until nothing
    changes; a tie goes to what there was. Where a vote would leave a cluster empty, there is no consensus beyond the
    clustering before it. Samples that most leave out are left out.

    Source: voting among matched clusterings is that of Dimitriadou, Weingessel and Hornik, A Combination Scheme for
    Fuzzy Clustering, 2002.

    Args:
        labels: (S, n), cluster ids of any names; -1 for samples that are left out.

    Returns:
        (n,), with the names of the clustering that it began with.

    Raises:
        InputError: `labels` does not hold ids.
    """
    from sklearn.metrics import adjusted_rand_score

    labels = _checked(labels)
    alike = [sum(adjusted_rand_score(one, other) for other in labels) for one in labels]
    found = labels[int(np.argmax(alike))]
    everyone = np.arange(len(found))
    for _ in range(_ROUNDS):
        nowhere = int(found.max()) + 1
        votes = np.zeros((len(found), nowhere + 1))  # the last column, -1, has the votes for no cluster
        votes[everyone, found] = 0.5
        for one in labels:
            said = _renamed(one, found)
            counts = said != _WITHOUT_PARTNER
            votes[everyone[counts], said[counts]] += 1
        voted = votes.argmax(axis=1).astype(found.dtype)
        voted[voted == nowhere] = LEFT_OUT
        if (voted == found).all() or _num_clusters(voted) < _num_clusters(found):
            break
        found = voted
    return found


def agreement(labels: ArrayLike, clusters: ArrayLike) -> NDArray[np.floating]:
    """Share of several clusterings that say of each sample what another one says, each matched to it one to one.

    Args:
        labels: (S, n), cluster ids of any names; -1 for samples that are left out.
        clusters: (n,), of the other one, likewise.

    Returns:
        (n,), from 0 to 1.

    Raises:
        InputError: they do not hold ids.
    """
    labels, (against,) = _checked(labels), _checked(np.asarray(clusters)[np.newaxis])
    return np.mean([_renamed(one, against) == against for one in labels], axis=0)


def _renamed(labels: NDArray[np.integer], reference: NDArray[np.integer]) -> NDArray[np.integer]:
    """Every cluster with the name of its partner in the reference."""
    names = np.full(int(labels.max()) + 2, _WITHOUT_PARTNER)
    names[LEFT_OUT] = LEFT_OUT
    both = (labels != LEFT_OUT) & (reference != LEFT_OUT)
    if both.any():
        for cluster, partner in match_clusters(reference[both], labels[both]).items():
            names[cluster] = partner if partner >= 0 else _WITHOUT_PARTNER
    return names[labels]


def _num_clusters(labels: NDArray[np.integer]) -> int:
    return len(np.unique(labels[labels != LEFT_OUT]))


def _checked(values: ArrayLike) -> NDArray[np.integer]:
    labels = np.asarray(values)
    if labels.ndim != 2 or labels.size == 0:
        raise InputError(f"labels must have shape (clusterings, samples), not empty; got {labels.shape}.")
    if not np.issubdtype(labels.dtype, np.integer):
        raise InputError(f"labels must hold whole numbers of an integer type; got {labels.dtype}.")
    if labels.min() < LEFT_OUT:
        raise InputError(f"labels must hold numbers from 0, or -1 for samples left out; got {labels.min()}.")
    return labels
