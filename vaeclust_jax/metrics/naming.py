"""Clusters named after classes by a few labelled samples, so that a clustering classifies.

The clusters are those that were found without labels; the labels only say what each is called.
"""

from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from vaeclust_jax.errors import InputError
from vaeclust_jax.metrics.matching import check_ids

Naming = Literal["majority", "hungarian"]
UNNAMED = -1


def name_clusters(
    labels: ArrayLike, y: ArrayLike, num_clusters: int, num_classes: int, naming: Naming = "majority"
) -> Int[np.ndarray, " k"]:
    """The class that each cluster is named after.

    Args:
        labels: (m,), clusters of the labelled samples.
        y: (m,), their classes.
        num_clusters: K.
        num_classes: C; some of them may have no labelled sample, and then name nothing.
        naming: "majority": the class that most of a cluster's labelled samples have, of equally many the first, so
            that several clusters may have one name; "hungarian": no class twice, the most samples agreeing.

    Returns:
        (K,), `UNNAMED` where no labelled sample says what the cluster is.

    Raises:
        InputError: no labels, ids out of range, or lengths that differ.
    """
    labels, y = check_ids("labels", labels, num_clusters), check_ids("y", y, num_classes)
    if len(y) != len(labels):
        raise InputError(f"y must have one entry per label, {len(labels)}; got {len(y)}.")
    counts = np.zeros((num_clusters, num_classes), int)
    np.add.at(counts, (labels, y), 1)
    names = np.full(num_clusters, UNNAMED)
    if naming == "majority":
        known = counts.any(axis=1)
        names[known] = counts[known].argmax(axis=1)
    elif naming == "hungarian":
        from scipy.optimize import linear_sum_assignment

        clusters, classes = linear_sum_assignment(counts, maximize=True)
        agreed = counts[clusters, classes] > 0  # the others are only left over
        names[clusters[agreed]] = classes[agreed]
    else:
        raise InputError(f"naming must be majority or hungarian, got {naming!r}.")
    return names


def classify(
    q: Float[np.ndarray, "n k"], names: Int[np.ndarray, " k"]
) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Samples by the name of their most probable cluster.

    Args:
        q: probability of every cluster.
        names: of `name_clusters`.

    Returns:
        (n,) classes, `UNNAMED` where the cluster has no name, and (n,) the probability of all clusters of that name.
    """
    predicted = names[q.argmax(axis=1)]
    same = names == predicted[:, np.newaxis]
    return predicted, np.where(same, q, 0).sum(axis=1).clip(0, 1)
