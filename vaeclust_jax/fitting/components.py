"""Gaussians that describe the clusters of a fitted model in its latent space."""

import numpy as np
from jaxtyping import Float, Int

from vaeclust_jax.types import Heads, Params


def components(
    heads: Heads,
    params: Params,
    mean: Float[np.ndarray, "n l"],
    logvar: Float[np.ndarray, "n l"],
    log_q: Float[np.ndarray, "n k"],
    weight: Float[np.ndarray, " n"] | None = None,
) -> tuple[Float[np.ndarray, "c l"], Float[np.ndarray, "c l l"], Float[np.ndarray, " c"]]:
    """`Run.cluster_mean`, `cluster_scale` and `cluster_share` of training samples and their assignments.

    Samples count by weight.
    """
    labels = log_q.argmax(axis=1)
    if heads.centres is None:
        centres = _means_of(mean, labels, log_q.shape[1], weight)
    else:
        centres = np.asarray(heads.centres(params))
    k, r, latent_dim = centres.shape
    nearest = ((mean[:, np.newaxis] - centres[labels]) ** 2).sum(axis=-1).argmin(axis=1)
    component = labels * r + nearest
    counts = np.bincount(component, weight, minlength=k * r).reshape(k, r).astype(np.float32)
    counts[counts.sum(axis=1) == 0] = 1  # an empty cluster is where its prototypes are
    share = (counts / counts.sum(axis=1, keepdims=True)).ravel()
    return *cluster_shapes(mean, logvar, component, centres.reshape(k * r, latent_dim), weight), share


def _means_of(
    mean: Float[np.ndarray, "n l"],
    labels: Int[np.ndarray, " n"],
    num_clusters: int,
    weight: Float[np.ndarray, " n"] | None,
) -> Float[np.ndarray, "k 1 l"]:
    """Of a method without centres; an empty cluster lies in the middle of all."""
    found = []
    for cluster in range(num_clusters):
        members = labels == cluster
        members |= not members.any()
        found.append(np.average(mean[members], axis=0, weights=None if weight is None else weight[members]))
    return np.stack(found)[:, np.newaxis]


def cluster_shapes(
    mean: Float[np.ndarray, "n l"],
    logvar: Float[np.ndarray, "n l"],
    labels: Int[np.ndarray, " n"],
    centroids: Float[np.ndarray, "k l"],
    weight: Float[np.ndarray, " n"] | None = None,
) -> tuple[Float[np.ndarray, "k l"], Float[np.ndarray, "k l l"]]:
    """Mean and Cholesky factor of the latents of each cluster, posterior variances included.

    A cluster without members gets its centroid and the mean posterior variance.
    """
    num_clusters, latent_dim = centroids.shape
    variance = np.exp(logvar.astype(np.float64))
    means = centroids.astype(np.float64).copy()
    covariances = np.tile(np.diag(np.average(variance, axis=0, weights=weight)), (num_clusters, 1, 1))
    for cluster in range(num_clusters):
        members = labels == cluster
        if members.any():
            counts = None if weight is None else weight[members].astype(np.float64)
            means[cluster] = np.average(mean[members], axis=0, weights=counts)
            centred = mean[members] - means[cluster]
            scatter = centred.T @ centred if counts is None else (counts * centred.T) @ centred
            own = np.diag(np.average(variance[members], axis=0, weights=counts))
            covariances[cluster] = scatter / (members.sum() if counts is None else counts.sum()) + own
    # Rounding grows with the covariance, and so does what keeps the factor real.
    size = np.trace(covariances, axis1=1, axis2=2)[:, np.newaxis, np.newaxis] / latent_dim
    scales = np.linalg.cholesky(covariances + 1e-9 * np.maximum(1.0, size) * np.eye(latent_dim))
    return means.astype(np.float32), scales.astype(np.float32)
