"""The scores of one clustering, and their mean and spread over seeds.

A score that is not defined is None, never NaN or 0: it must not enter a mean unnoticed.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vaeclust_jax.errors import InputError
from vaeclust_jax.metrics.matching import accuracy, check_ids

SILHOUETTE_SAMPLES = 10_000  # the silhouette needs all distances between samples


def scores(
    y: ArrayLike | None, labels: ArrayLike, latents: ArrayLike | None, *, seed: int = 0
) -> dict[str, float | None]:
    """Score a clustering against classes, if there are any, and by its shape in the latent space.

    Args:
        y: shape (n,), class numbers; None if unknown.
        labels: shape (n,), cluster ids.
        latents: shape (n, L), finite; None where there is no space to measure the shape in.
        seed: chooses the 10,000 samples the silhouette is computed on when there are more.

    Returns:
        `acc` (see `accuracy`), `nmi` (normalised mutual information, arithmetic mean), `ari` (adjusted Rand
        index), `ami` (adjusted mutual information), all None without `y`; and `silhouette` (Rousseeuw 1987,
        Euclidean), None without `latents` and when there are fewer than two populated clusters or as many as
        samples.

    Raises:
        InputError: an argument has the wrong shape or type, or `latents` is not finite.
    """
    labels = check_ids("labels", labels)
    against = _against_classes(y, labels)
    if latents is None:
        return {**against, "silhouette": None}
    latents = check_latents("latents", latents)
    if len(latents) != len(labels):
        raise InputError(f"latents must have one row per label, {len(labels)}; got {len(latents)}.")
    return {**against, "silhouette": silhouette_of(labels, latents, seed)}


def populated_clusters(labels: ArrayLike, num_clusters: int) -> int:
    """Count the clusters that have at least one sample.

    Args:
        labels: shape (n,), cluster ids from 0 to `num_clusters` - 1.
        num_clusters: how many clusters the model has.

    Raises:
        InputError: a label is out of this range, or `labels` is not an array of ids.
    """
    return len(np.unique(check_ids("labels", labels, num_clusters)))


def active_units(latent_means: ArrayLike, threshold: float = 0.01) -> int:
    """Count the latent dimensions that carry information about the input.

    A unit is active when the variance of its posterior mean over the data is above the threshold (Burda,
    Grosse and Salakhutdinov 2016, "Importance weighted autoencoders", section 5.1).

    Args:
        latent_means: shape (n, L), the posterior means of the data.
        threshold: of the variance.

    Raises:
        InputError: `latent_means` is not two-dimensional, empty or not finite.
    """
    means = check_latents("latent_means", latent_means).astype(np.float64)
    return int((means.var(axis=0) > threshold).sum())


def summarise(rows: Sequence[Mapping[str, float | None]]) -> dict[str, dict[str, float | None]]:
    """Mean and spread of each score over seeds.

    Args:
        rows: one dict of scores per seed, all with the same keys.

    Returns:
        `{"mean": ..., "std": ...}` with the keys of the rows. `std` is the sample standard deviation (n - 1
        in the denominator), None for one seed. A score that is None for any seed has mean and std None: a
        mean over the other seeds would not be the mean of this experiment.

    Raises:
        InputError: `rows` is empty or the keys differ.
    """
    if not rows:
        raise InputError("rows must hold the scores of at least one seed; got none.")
    if any(row.keys() != rows[0].keys() for row in rows):
        raise InputError(f"rows must all have the same scores; got {[sorted(row) for row in rows]}.")
    mean: dict[str, float | None] = {}
    std: dict[str, float | None] = {}
    for key in rows[0]:
        values = [value for row in rows if (value := row[key]) is not None]
        defined = len(values) == len(rows)
        mean[key] = float(np.mean(values)) if defined else None
        std[key] = float(np.std(values, ddof=1)) if defined and len(values) > 1 else None
    return {"mean": mean, "std": std}


def check_latents(name: str, values: ArrayLike) -> NDArray[np.floating]:
    """Finite vectors, at least one.

    Raises:
        InputError: they are not.
    """
    latents = np.asarray(values)
    if latents.ndim != 2 or latents.size == 0:
        raise InputError(f"{name} must have shape (samples, dimensions), not empty; got {latents.shape}.")
    if not np.isfinite(latents).all():
        raise InputError(f"{name} must hold finite numbers only; got NaN or infinity.")
    return latents


def _against_classes(y: ArrayLike | None, labels: NDArray[np.integer]) -> dict[str, float | None]:
    if y is None:
        return {"acc": None, "nmi": None, "ari": None, "ami": None}
    from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score, normalized_mutual_info_score

    return {
        "acc": accuracy(y, labels),  # first: it checks y
        "nmi": float(normalized_mutual_info_score(y, labels)),
        "ari": float(adjusted_rand_score(y, labels)),
        "ami": float(adjusted_mutual_info_score(y, labels)),
    }


def silhouette_of(labels: NDArray[np.integer], latents: NDArray[np.floating], seed: int) -> float | None:
    """See `scores`."""
    from sklearn.metrics import silhouette_score

    if len(labels) > SILHOUETTE_SAMPLES:
        chosen = np.random.default_rng(seed).choice(len(labels), SILHOUETTE_SAMPLES, replace=False)
        labels, latents = labels[chosen], latents[chosen]
    if not 2 <= len(np.unique(labels)) < len(labels):
        return None
    return float(silhouette_score(latents, labels))
