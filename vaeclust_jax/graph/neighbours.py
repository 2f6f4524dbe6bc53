"""The graph: who is whose neighbour, in expectation over what is not known of the codes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree
from sklearn.metrics import pairwise_distances_argmin_min
from sklearn.neighbors import NearestNeighbors

from vaeclust_jax.errors import InputError
from vaeclust_jax.graph import NUM_NEIGHBOURS
from vaeclust_jax.graph.searched import can_search, nearly_nearest, say_recall, without_itself

MOST_EXACT = 200_000
"""Points whose neighbours are all found."""
FEWEST_DRAWS, MOST_DRAWS, DRAWN_POINTS = 16, 64, 160_000
_MOST_DIMENSIONS = 15
"""Of points that a k-d tree is made of."""
_LEAF = 32
"""Points of a k-d tree's leaf."""
_JOINT = 0.05
"""Weight of the shortest edge that joins two parts, of the mean."""
_LEAST = 1e-9
"""Of that, the weight of the longest."""
_BETWEEN = 0.05
"""What is left of an edge between clusters that the graph does not show."""
LISTED = 32
"""Neighbours of a point among which one of another part is looked for first: 1.4 times the work of 5."""

Graph: TypeAlias = sparse.csr_array
"""(n, n) symmetric, no negative weights, no loops."""


def nearest(
    z: Float[np.ndarray, "n l"], num_neighbours: int
) -> tuple[Float[np.ndarray, "n m"], Int[np.ndarray, "n m"]]:
    """Distances and numbers of the nearest other points, the nearest first.

    Of more than `MOST_EXACT` points nearly all of them, where FAISS is installed.

    Raises:
        InputError: not more points than neighbours.
    """
    if not 1 <= num_neighbours < len(z):
        raise InputError(f"num_neighbours must lie in 1 to {len(z) - 1} for {len(z)} samples, got {num_neighbours}")
    # A k-d tree in 10 dimensions is as fast for 70,000 points as an approximation that misses 3 %. Above 15 it is
    # slower than all distances: 70,000 points of ten Gaussian clusters in 20 dimensions take one core 11 s, a k-d tree
    # 22 s, a ball tree 30 s.
    if len(z) > MOST_EXACT and can_search():
        return nearly_nearest(z, num_neighbours)
    if z.shape[1] > _MOST_DIMENSIONS:  # asked without points of its own, it leaves each out of its neighbours
        return NearestNeighbors(n_neighbors=num_neighbours, n_jobs=-1).fit(z).kneighbors()
    # Asked leaf by leaf, neighbours find the nodes above them in the cache: 70,000 points in 2.7 s instead of 4.5.
    tree = cKDTree(z, leafsize=_LEAF)
    distances, numbers = np.empty((len(z), num_neighbours + 1)), np.empty((len(z), num_neighbours + 1), int)
    distances[tree.indices], numbers[tree.indices] = tree.query(z[tree.indices], num_neighbours + 1, workers=-1)
    return without_itself(distances, numbers)


def self_tuning(z: Float[np.ndarray, "n l"], num_neighbours: int) -> Graph:
    """w_ij = exp(-2 d_ij^2 / (s_i s_j)) between neighbours, s_i the distance to the last of them; symmetric.

    An edge that only one of the two points counts among its nearest has half the weight. Local scales: Zelnik-Manor and
    Perona, Self-Tuning Spectral Clustering, 2004.
    """
    n = len(z)
    distances, numbers = nearest(z, num_neighbours)
    scale = distances[:, -1]
    product = scale[:, np.newaxis] * scale[numbers]
    # Duplicates of a point are at distance 0 in units of 0: as near as can be.
    exponent = np.divide(2 * distances**2, product, out=np.zeros_like(distances), where=product > 0)
    start = np.arange(0, n * num_neighbours + 1, num_neighbours)
    directed = sparse.csr_array((np.exp(-exponent).ravel(), numbers.ravel(), start), shape=(n, n))
    return sparse.csr_array((directed + directed.T) / 2)


def expected(graphs: Iterable[Graph], num_graphs: int, beside: Graph | None = None, share: float = 0.0) -> Graph:
    """The elementwise square of the graphs' mean: an edge counts by how often they agree on it, and more than so.

    Args:
        graphs: of the same points; the first is overwritten.
        num_graphs: how many there are.
        beside: another graph of them, and its share in the mean.
        share: from 0 to 1.
    """
    total: Graph | None = None
    for graph in graphs:
        total = graph if total is None else total + graph
    assert total is not None
    total.data = total.data / num_graphs
    if beside is not None:
        total = sparse.csr_array((1 - share) * total + share * beside)
    total.data = total.data**2
    total.eliminate_zeros()
    return total


Codes: TypeAlias = tuple[Float[np.ndarray, "n l"], Float[np.ndarray, "n l"]]
"""Mean and log-variance of the codes."""


class Posterior(NamedTuple):
    """What a model knows of the codes, and the random numbers that it is asked with."""

    rng: np.random.Generator
    mean: Float[np.ndarray, "n l"]
    logvar: Float[np.ndarray, "n l"]
    view: Callable[[int], Codes] | None = None
    """(number of a draw) -> the codes of what the model sees of the samples in it; None: mean and logvar in all."""

    def draws(self, num_draws: int, temperature: float) -> Iterator[Float[np.ndarray, "n l"]]:
        """z = mean + temperature * sigma * eps, one after the other."""
        for number in range(num_draws):
            mean, logvar = (self.mean, self.logvar) if self.view is None else self.view(number)
            yield mean + temperature * np.exp(logvar / 2) * self.rng.normal(size=mean.shape)


def posterior_graph(
    posterior: Posterior,
    num_draws: int | None = None,
    num_neighbours: int = NUM_NEIGHBOURS,
    temperature: float = 0.5,
    beside: Graph | None = None,
    share: float = 0.0,
) -> Graph:
    """`expected` of the `self_tuning` graphs of draws from the posterior.

    Args:
        posterior: of the samples.
        num_draws: S; None: as many as make 160,000 points, from 16 to 64. Few samples have few neighbours to average
            over, and their draws cost little.
        num_neighbours: m, of each point in each draw.
        temperature: t, how much of the posterior's spread the draws have.
        beside: another graph of the samples, such as `of_values`.
        share: of that in the mean.

    Raises:
        InputError: not more points than neighbours.
    """
    if len(posterior.mean) > MOST_EXACT:
        say_recall(posterior.mean, num_neighbours)
    if num_draws is None:
        num_draws = min(max(DRAWN_POINTS // len(posterior.mean), FEWEST_DRAWS), MOST_DRAWS)
    draws = posterior.draws(num_draws, temperature)
    graph = expected((self_tuning(z, num_neighbours) for z in draws), num_draws, beside, share)
    return connected(graph, posterior.mean)


def of_values(x: Float[np.ndarray, "n ..."], num_neighbours: int = NUM_NEIGHBOURS) -> Graph:
    """The `self_tuning` graph of the samples themselves."""
    return self_tuning(np.asarray(x).reshape(len(x), -1), num_neighbours)


def faded_between(graph: Graph, labels: Int[np.ndarray, " n"]) -> Graph:
    """The graph for clusters that were found without it: its edges between them count a twentieth."""
    edges = graph.tocoo()
    inside = labels[edges.row] == labels[edges.col]
    return sparse.csr_array((np.where(inside, 1, _BETWEEN) * edges.data, (edges.row, edges.col)), shape=graph.shape)


def connected(graph: Graph, z: Float[np.ndarray, "n l"]) -> Graph:
    """The graph with its parts joined, each by one weak edge to the point nearest to it.

    Parts without an edge between them are all equally far for a walk; one edge says which are neighbours, and holds
    next to nothing together, unless it is all that a stray point has. The shortest has a twentieth of the mean weight
    (with all of it, small groups beside an edge left clusters that stand well apart), longer ones less, as they are
    longer. The edges are a minimum spanning tree of the
    parts, found as Borůvka did (1926): what was joined is joined again, until there is one part.
    """
    count, part = connected_components(graph, directed=False)
    if count == 1:
        return graph
    weight = _JOINT * graph.data.mean() if graph.nnz else 1.0
    # The others find the way to the largest part, which need not look for one.
    home = np.bincount(part)[part].argmax()
    asked = np.flatnonzero(part != part[home])
    distances, numbers = NearestNeighbors(n_neighbors=min(LISTED, len(z)), n_jobs=-1).fit(z).kneighbors(z[asked])
    shortest = np.inf
    while count > 1:
        a, b = _ways_out(z, part, asked, distances, numbers)
        length = np.linalg.norm(z[a] - z[b], axis=1)
        shortest = min(shortest, length[length > 0].min(initial=np.inf))
        nearness = np.divide(shortest, length, out=np.ones_like(length), where=length > 0)
        links = sparse.csr_array((weight * np.maximum(nearness, _LEAST), (a, b)), shape=graph.shape)
        graph = sparse.csr_array(graph + links.maximum(links.T))
        count, part = connected_components(graph, directed=False)
        away = part[asked] != part[home]
        asked, distances, numbers = asked[away], distances[away], numbers[away]
    return graph


def _ways_out(
    z: Float[np.ndarray, "n l"],
    part: Int[np.ndarray, " n"],
    asked: Int[np.ndarray, " a"],
    distances: Float[np.ndarray, "a m"],
    numbers: Int[np.ndarray, "a m"],
) -> tuple[Int[np.ndarray, " p"], Int[np.ndarray, " p"]]:
    """Of each part that is asked the point nearest to one outside, and that one.

    Args:
        z: points.
        part: of each point.
        asked: numbers of points, all of a part or none.
        distances: of those to the points nearest to them, the nearest first.
        numbers: which these are.
    """
    own = part[asked]
    # Of duplicates the first is wanted, which a list that ends among them may lack.
    outside = (part[numbers] != own[:, np.newaxis]) & (distances < distances[:, -1:])
    seen = outside.any(axis=1)
    # From a point that sees none, the way out is at least as long as the list.
    way = np.where(outside, distances, distances[:, -1:]).min(axis=1)
    end = np.where(outside & (distances == way[:, np.newaxis]), numbers, len(z)).min(axis=1)
    order = np.lexsort((~seen, way, own))
    shortest = order[np.flatnonzero(np.diff(own[order], prepend=-1))]
    sure = shortest[seen[shortest]]
    pairs = [(asked[sure], end[sure])]
    for row in shortest[~seen[shortest]]:  # parts larger than a list, a few: all points outside are measured
        inside = own == own[row]
        inside &= way <= way[inside & seen].min(initial=np.inf)
        here, there = asked[inside], np.flatnonzero(part != own[row])
        nearest_there, distance = pairwise_distances_argmin_min(z[here], z[there])
        a = distance.argmin()
        pairs.append((here[[a]], there[nearest_there[[a]]]))
    a, b = map(np.concatenate, zip(*pairs, strict=True))
    return a, b


Edges: TypeAlias = tuple[Int[np.ndarray, "n d"], Float[np.ndarray, "n d"]]
"""Of every point as many neighbours, and the weights of the edges to them."""


def mean_graph(graphs: Sequence[Edges]) -> Graph:
    """The mean of several seeds' edges of the same points, which need not be symmetric."""
    n, d = graphs[0][0].shape
    start = np.arange(0, n * d + 1, d)
    total = sum(
        sparse.csr_array((weights.ravel(), numbers.ravel(), start), shape=(n, n)) for numbers, weights in graphs
    )
    mean = sparse.csr_array(total / len(graphs))
    mean.eliminate_zeros()
    return mean


def strongest(graph: Graph, num_neighbours: int, weight: Float[np.ndarray, " n"] | None = None) -> Edges:
    """Of every point the strongest edges as arrays of one width: numbers, and weights that sum to one.

    Points with fewer edges are padded with themselves at weight 0; one without any is its own neighbour. Where points
    stand for `weight` of them, an edge is as strong as all edges to the points at its end are together.
    """
    n = graph.shape[0]
    if weight is not None:
        graph = sparse.csr_array(graph @ sparse.diags_array(weight.astype(float)))
    numbers = np.tile(np.arange(n)[:, np.newaxis], (1, num_neighbours))
    weights = np.zeros((n, num_neighbours))
    for point in range(n):
        edges = slice(graph.indptr[point], graph.indptr[point + 1])
        order = np.argsort(-graph.data[edges], kind="stable")[:num_neighbours]
        numbers[point, : len(order)] = graph.indices[edges][order]
        weights[point, : len(order)] = graph.data[edges][order]
    alone = weights.sum(axis=1) == 0
    weights[alone, 0] = 1
    return numbers, weights / weights.sum(axis=1, keepdims=True)
