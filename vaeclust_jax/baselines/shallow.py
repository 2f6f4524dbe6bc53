"""The shallow floor: what clustering without training a network gives on the same vectors.

A deep method that does not clear this floor has learned nothing that pixels did not already show. All of them are
those of scikit-learn (and UMAP), at the defaults unless said otherwise, and see no labels; the neighbour graph is the
one that `GraphDEC` makes of codes.
"""

from collections.abc import Callable, Sequence
from importlib.util import find_spec
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
        of_latents: whether it is worth asking of a VAE's latents, too.
        needs: a module beside the base install, which the extra of its name brings.
    """

    cluster: Callable[[Vectors, int, int], Labels]
    max_samples: int | None
    random: bool
    of_latents: bool = True
    needs: str | None = None


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
    del seed
    return _agglomerate(x, num_clusters, "ward")


def average(x: Vectors, num_clusters: int, seed: int) -> Labels:
    """Agglomerative clustering that merges what is nearest on average; nothing is random."""
    del seed
    return _agglomerate(x, num_clusters, "average")


def pca_kmeans(x: Vectors, num_clusters: int, seed: int) -> Labels:
    """k-means on the first two principal components, the plane of a VAE with two latents."""
    from sklearn.decomposition import PCA

    return kmeans(PCA(2, random_state=seed).fit_transform(x), num_clusters, seed)


def umap_hdbscan(x: Vectors, num_clusters: int, seed: int) -> Labels:
    """HDBSCAN (Campello et al. 2013) in the plane of UMAP (McInnes et al. 2018); what it calls noise is a cluster.

    The numbers are those that UMAP's documentation advises for clustering (30 neighbours, no least distance); a cluster
    has at least one sample in a hundred. It finds the number of clusters itself.
    """
    import warnings

    from sklearn.cluster import HDBSCAN
    from umap import UMAP

    del num_clusters
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "n_jobs value")  # a seed means one thread, which is what is asked for
        plane = UMAP(n_neighbors=min(30, len(x) - 1), min_dist=0.0, random_state=seed).fit_transform(x)
    labels = _fit_predict(HDBSCAN(min_cluster_size=max(5, len(x) // 100), copy=True), plane)
    return np.where(labels < 0, labels.max() + 1, labels).astype(np.int32)


def spectral(x: Vectors, num_clusters: int, seed: int) -> Labels:
    """Normalised cuts on the graph of the 5 nearest neighbours (Shi and Malik 2000)."""
    import warnings

    from sklearn.cluster import SpectralClustering

    neighbours = min(_NEIGHBOURS, len(x) - 1)
    model = SpectralClustering(num_clusters, affinity="nearest_neighbors", n_neighbors=neighbours, random_state=seed)
    with warnings.catch_warnings():  # graphs in several pieces are usual here, and what one hopes for
        warnings.filterwarnings("ignore", "Graph is not fully connected")
        return _fit_predict(model, x)


def graph(x: Vectors, num_clusters: int, seed: int) -> Labels:
    """Micro-clusters of the graph of the 5 nearest neighbours, merged by a random walk; nothing is random."""
    from vaeclust_jax.graph.clusters import graph_clusters
    from vaeclust_jax.graph.neighbours import connected, expected, of_values

    del seed
    own = expected([of_values(x, min(_NEIGHBOURS, len(x) - 1))], 1)
    return graph_clusters(connected(own, x), num_clusters).astype(np.int32)


SHALLOW: dict[str, Shallow] = {
    "k-means": Shallow(kmeans, None, True, of_latents=False),  # which experiments have as a method of their own
    "pca-gmm": Shallow(pca_gmm, None, True),
    "ward": Shallow(ward, 20_000, False),
    "spectral": Shallow(spectral, 20_000, True),
    "graph": Shallow(graph, 20_000, False, of_latents=False),  # as above
    "average linkage": Shallow(average, 20_000, False),
    "PCA(2) + k-means": Shallow(pca_kmeans, None, True, of_latents=False),
    "UMAP + HDBSCAN": Shallow(umap_hdbscan, 20_000, True, of_latents=False, needs="umap"),
}
FLOOR = ("k-means", "pca-gmm", "ward", "spectral", "graph")
"""What every experiment is held against."""


def unfit(name: str, num_samples: int) -> str | None:
    """A sentence if a method must be left out, for the number of samples or for what is not installed."""
    method = SHALLOW[name]
    if method.max_samples is not None and num_samples > method.max_samples:
        return f"{name} was left out: {num_samples} samples are more than the {method.max_samples} it is run for"
    if method.needs is not None and find_spec(method.needs) is None:
        return f"{name} was left out: pip install 'vaeclust_jax[{method.needs}]' brings it"
    return None


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


def _agglomerate(x: Vectors, num_clusters: int, linkage: str) -> Labels:
    from sklearn.cluster import AgglomerativeClustering

    return _fit_predict(AgglomerativeClustering(num_clusters, linkage=linkage), x)


def _fit_predict(model: object, x: Vectors) -> Labels:
    """On one thread: float sums depend on the order of threads, and labels would with them."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return model.fit_predict(x).astype(np.int32)  # type: ignore[attr-defined]
