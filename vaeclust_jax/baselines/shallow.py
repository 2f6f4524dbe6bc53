"""The shallow floor: what clustering without training a network gives on the same vectors.

A deep method that does not clear this floor has learned nothing that pixels did not already show. All of them are
scikit-learn's, at its defaults unless said otherwise, and see no labels.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vaeclust_jax.errors import InputError

Vectors = NDArray[np.floating]
Labels = NDArray[np.int32]

_PCA_DIMENSIONS = 50
_NEIGHBOURS = 5


class Shallow(NamedTuple):
    """A clustering of vectors.

    Attributes:
        cluster: (x (n, F), K, seed) -> labels (n,).
        max_samples: above it, time or memory (both grow with n squared) are out of proportion.
        random: whether the seed changes anything.
    """

    cluster: Callable[[Vectors, int, int], Labels]
    max_samples: int | None
    random: bool


def kmeans(x: Vectors, num_clusters: int, seed: int) -> Labels:
    """k-means++ with ten starts (Arthur and Vassilvitskii 2007)."""
    from sklearn.cluster import KMeans

    return _fit_predict(KMeans(num_clusters, n_init=10, random_state=seed), x)


def pca_gmm(x: Vectors, num_clusters: int, seed: int) -> Labels:
    """A Gaussian mixture on the first 50 principal components, or on all where there are fewer features.

    The full covariances of K components need many samples each, so they are diagonal.
    """
    from sklearn.decomposition import PCA
    from sklearn.mixture import GaussianMixture

    dimensions = min(_PCA_DIMENSIONS, *x.shape)
    components = PCA(dimensions, random_state=seed).fit_transform(x)
    mixture = GaussianMixture(num_clusters, covariance_type="diag", reg_covar=1e-4, n_init=3, random_state=seed)
    return _fit_predict(mixture, components.astype(np.float64))


def ward(x: Vectors, num_clusters: int, seed: int) -> Labels:
    """Agglomerative clustering that least increases the variance within (Ward 1963); nothing is random."""
    from sklearn.cluster import AgglomerativeClustering

    del seed
    return _fit_predict(AgglomerativeClustering(num_clusters, linkage="ward"), x)


def spectral(x: Vectors, num_clusters: int, seed: int) -> Labels:
    """Normalised cuts on the graph of the 5 nearest neighbours (Shi and Malik 2000)."""
    import warnings

    from sklearn.cluster import SpectralClustering

    neighbours = min(_NEIGHBOURS, len(x) - 1)
    model = SpectralClustering(num_clusters, affinity="nearest_neighbors", n_neighbors=neighbours, random_state=seed)
    with warnings.catch_warnings():  # graphs in several pieces are usual here, and what one hopes for
        warnings.filterwarnings("ignore", "Graph is not fully connected")
        return _fit_predict(model, x)


SHALLOW: dict[str, Shallow] = {
    "k-means": Shallow(kmeans, None, True),
    "pca-gmm": Shallow(pca_gmm, None, True),
    "ward": Shallow(ward, 20_000, False),
    "spectral": Shallow(spectral, 20_000, True),
}


def shallow_labels(name: str, x: Vectors, num_clusters: int, seeds: Sequence[int]) -> list[Labels]:
    """Labels (n,) of one shallow method for every seed.

    Args:
        name: a key of `SHALLOW`.
        x: (n, F), finite.
        num_clusters: K, at most n.
        seeds: of the method's own random numbers.

    Raises:
        InputError: fewer samples than clusters, or not vectors.
    """
    if x.ndim != 2 or len(x) < num_clusters:
        raise InputError(f"x must hold at least {num_clusters} vectors, (n, F), got shape {x.shape}")
    return [SHALLOW[name].cluster(x, num_clusters, seed) for seed in seeds]


def _fit_predict(model: object, x: Vectors) -> Labels:
    """On one thread: float sums depend on the order of threads, and labels would with them."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return model.fit_predict(x).astype(np.int32)  # type: ignore[attr-defined]
