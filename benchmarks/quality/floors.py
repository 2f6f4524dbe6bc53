"""Methods without a network that need packages which the library does not bring: floors of the table alone.

They are in a Python environment of their own: `pip install -e . umap-learn igraph leidenalg`. Settings are those that
their documentation or source advises, the same for all data sets, fixed before any set was scored.
"""

from collections.abc import Callable
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import kneighbors_graph

_N2D_NEIGHBOURS, _LEIDEN_NEIGHBOURS = 20, 15


class Floor(NamedTuple):
    """A method and the packages that it imports."""

    cluster: Callable[[np.ndarray, int, int], np.ndarray]
    """(rows, K, seed) -> labels from 0."""
    needs: tuple[str, ...]


def umap_mixture(x: np.ndarray, num_clusters: int, seed: int) -> np.ndarray:
    """A mixture with full covariances in K dimensions of UMAP: N2D (McConville et al. 2019) without its autoencoder."""
    from umap import UMAP

    neighbours = min(_N2D_NEIGHBOURS, len(x) - 1)
    z = UMAP(neighbours, n_components=num_clusters, min_dist=0.0, random_state=seed, n_jobs=1).fit_transform(x)
    return GaussianMixture(num_clusters, random_state=seed, reg_covar=1e-5).fit_predict(z.astype(float))


def leiden(x: np.ndarray, num_clusters: int, seed: int) -> np.ndarray:
    """Leiden (Traag et al. 2019) by modularity, resolution 1, on the graph of the 15 nearest neighbours.

    It finds the number of clusters itself.
    """
    import igraph
    import leidenalg

    del num_clusters
    graph = kneighbors_graph(x, min(_LEIDEN_NEIGHBOURS, len(x) - 1)).tocoo()
    edges = np.unique(np.sort(np.stack([graph.row, graph.col], axis=1), axis=1), axis=0)
    found = leidenalg.find_partition(
        igraph.Graph(len(x), edges.tolist()), leidenalg.ModularityVertexPartition, n_iterations=-1, seed=seed
    )
    return np.asarray(found.membership)


FLOORS = {
    "umap-mixture": Floor(umap_mixture, ("umap",)),
    "leiden": Floor(leiden, ("igraph", "leidenalg")),
}
NEEDS = {"UMAP + HDBSCAN": ("umap",), **{name: floor.needs for name, floor in FLOORS.items()}}


def missing(stage: str) -> list[str]:
    """Packages that a method without a network needs, and that are not installed."""
    return [package for package in NEEDS.get(stage, ()) if find_spec(package) is None]
