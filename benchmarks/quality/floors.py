"""Methods without a network that need packages which the library does not bring: floors of the table alone.

They are in a Python environment of their own: `pip install -e . umap-learn igraph leidenalg evoc`. Settings are those
that their documentation or source advises, the same for all data sets, fixed before any set was scored.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import kneighbors_graph

N2D_NEIGHBOURS, _LEIDEN_NEIGHBOURS = 20, 15


class Other(NamedTuple):
    """A method of other packages, and what it imports."""

    cluster: Callable[[np.ndarray, int, int], np.ndarray]
    """(rows, K, seed) -> labels from 0."""
    needs: tuple[str, ...]


def umap_mixture(x: np.ndarray, num_clusters: int, seed: int) -> np.ndarray:
    """A mixture with full covariances in K dimensions of UMAP: N2D (McConville et al. 2019) without its autoencoder."""
    from umap import UMAP

    neighbours = min(N2D_NEIGHBOURS, len(x) - 1)
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


def evoc_layers(x: np.ndarray, seed: int) -> list[np.ndarray]:
    """Those of EVoC (Tutte Institute) by its defaults, finest first, -1 where a layer holds a row for noise."""
    from evoc import EVoC

    return list(EVoC(random_state=seed).fit(x).cluster_layers_)


def evoc(x: np.ndarray, num_clusters: int, seed: int) -> np.ndarray:
    """EVoC's own choice among its layers. It finds the number of clusters itself; noise is one."""
    from evoc import EVoC

    del num_clusters
    return np.unique(EVoC(random_state=seed).fit_predict(x), return_inverse=True)[1]


FLOORS = {
    "umap-mixture": Other(umap_mixture, ("umap",)),
    "leiden": Other(leiden, ("igraph", "leidenalg")),
    "evoc": Other(evoc, ("evoc",)),
}
