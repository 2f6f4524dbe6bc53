"""How sure an assignment is by the neighbour graph: do draws agree on a sample's neighbours, and these on its cluster?
Nothing of it is trained, so it can doubt what the trained clusters are sure of. Of a graph that is the mean of several
seeds' (`graph.neighbours.expected`), what is said of draws here is said of draws and seeds.
"""

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from vaeclust_jax.errors import InputError

if TYPE_CHECKING:
    from vaeclust_jax.graph.neighbours import Graph  # scipy takes long to import


def outside_share(graph: "Graph", labels: Int[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Share of each sample's edge weight that leads out of its cluster, 0 to 1; 1 where it has no edge.

    With `graph.posterior_graph` edges are weighted by how often draws of the code agree on them.

    Args:
        graph: of the n samples.
        labels: their clusters.

    Raises:
        InputError: no graph, or not one label a sample.
    """
    _check(graph, labels)
    inside = np.where(labels[_rows(graph)] == labels[graph.indices], graph.data, 0.0)
    return 1 - _share(_sums(graph, inside), _sums(graph, graph.data))


def edge_disagreement(graph: "Graph") -> Float[np.ndarray, " n"]:
    """1 - sum_j w_ij^2 / sum_j w_ij with w^2 the graph's weights: how little the draws agree on who is near, 0 to 1.

    w_ij, the mean weight of an edge over draws, is near 1 where all of them have it, and 1 / S where one of S has; the
    mean is over a sample's edges, each counted by its weight.

    Args:
        graph: of `graph.posterior_graph`, whose weights are squared means.

    Raises:
        InputError: no graph.
    """
    _check_graph(graph)
    return 1 - _share(_sums(graph, graph.data), _sums(graph, np.sqrt(graph.data)))


def neighbour_entropy(graph: "Graph", q: Float[np.ndarray, "n k"]) -> Float[np.ndarray, " n"]:
    """Entropy (nats) of what a sample's neighbours say of the clusters: their mean q, weighted by the edges.

    Args:
        graph: of the n samples.
        q: assignments, rows sum to one; a sample without edges is its own neighbour.

    Raises:
        InputError: no graph, or not one row a sample.
    """
    from scipy.special import entr

    _check(graph, q)
    degree = _sums(graph, graph.data)[:, np.newaxis]
    said = np.divide(graph @ q, degree, out=np.array(q, float), where=degree > 0)
    return entr(said).sum(axis=1)


def _check_graph(graph: "Graph") -> None:
    if getattr(graph, "format", None) != "csr":  # of other forms the arrays mean something else
        got = getattr(graph, "format", type(graph).__name__)
        raise InputError(f"graph must be a sparse matrix of the form csr, as posterior_graph gives it, got {got}")


def _check(graph: "Graph", values: np.ndarray) -> None:
    _check_graph(graph)
    if len(values) != graph.shape[0]:
        raise InputError(f"a graph of {graph.shape[0]} samples needs a row for each, got {len(values)}")


def _rows(graph: "Graph") -> Int[np.ndarray, " e"]:
    """Of every edge the sample that has it; `graph.indices` is the other."""
    return np.repeat(np.arange(graph.shape[0]), np.diff(graph.indptr))


def _sums(graph: "Graph", values: Float[np.ndarray, " e"]) -> Float[np.ndarray, " n"]:
    """Of values on the edges, over the edges of each sample."""
    return np.bincount(_rows(graph), values, minlength=graph.shape[0])


def _share(part: Float[np.ndarray, " n"], whole: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """0 where there is no whole."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
