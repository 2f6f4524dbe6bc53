"""How a stage starts that follows a graph: clusters of the posterior's neighbour graph, prototypes inside them."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from vaeclust_jax.metrics import consensus
from vaeclust_jax.objectives.mixture import Mixture, m_step
from vaeclust_jax.streamed import HostRows
from vaeclust_jax.training.handover import Start, from_clusters, kmeans_centroids, seed_from_key
from vaeclust_jax.training.passes import encode_rows, encode_views
from vaeclust_jax.types import Key, Learner, Params, State, Together

if TYPE_CHECKING:
    from vaeclust_jax.graph.neighbours import Posterior

Spread = Callable[[Any, Array], Any]


def prototypes(
    key: Key, z: Float[np.ndarray, "n l"], labels: Int[np.ndarray, " n"], num_clusters: int, num_prototypes: int
) -> tuple[Float[np.ndarray, "k r l"], float]:
    """Centroids by k-means inside each cluster, the one with the most points first, and their points' spread.

    A cluster of fewer points than prototypes repeats them. The spread is the root mean square distance to the nearest
    prototype, for each dimension.
    """
    found, squares = np.zeros((num_clusters, num_prototypes, z.shape[1]), np.float32), 0.0
    for cluster in range(num_clusters):
        members = z[labels == cluster]
        distinct = len(np.unique(members, axis=0))
        centres = kmeans_centroids(jax.random.fold_in(key, cluster), members, min(num_prototypes, distinct))
        distances = ((members[:, np.newaxis] - centres) ** 2).sum(axis=-1)
        order = np.argsort(-np.bincount(distances.argmin(axis=1), minlength=len(centres)), kind="stable")
        found[cluster] = centres[order][np.arange(num_prototypes) % len(centres)]
        squares += float(distances.min(axis=1).sum())
    return found, float(np.sqrt(squares / z.size))


def from_graph_mixture(learner: Learner, num_clusters: int, params_of: Callable[[Mixture], Params]) -> Start:
    """As `handover.from_mixture`, with the means and variances of the clusters of the posterior's graph.

    EM moves it to another local maximum; the joint stage is left to do that.
    """

    def clusters(key: Key, before: Params, x: Array) -> Params:
        from vaeclust_jax.graph.clusters import graph_clusters
        from vaeclust_jax.graph.neighbours import posterior_graph

        posterior = posterior_of(key, learner, before, x)
        labels = graph_clusters(posterior_graph(posterior), num_clusters)
        mean = posterior.mean.astype(np.float32)
        centre = mean.mean(axis=0)
        found = m_step(jnp.log(jax.nn.one_hot(labels, num_clusters)), jnp.asarray(mean - centre), "diag")
        return params_of(found._replace(means=found.means + centre))

    return from_clusters(learner, clusters)


def from_graph(learner: Learner, spread: Spread) -> Start:
    """Networks of the stage before, prototypes inside the clusters of its posterior's graph, the target from them.

    Weights that both stages have, such as beta, go on where they were; the optimiser starts afresh.

    Args:
        learner: whose clusters have prototypes.
        spread: (target with its graph, log q) -> target.
    """
    together = from_shared_graph(learner, spread)
    return lambda key, before, x: together.start(key[None], [before], x)[0]


def from_shared_graph(learner: Learner, spread: Spread) -> Together:
    """`from_graph` with one graph for all seeds, the mean of theirs, and one set of clusters, which most of theirs say.

    Each seed is then taught what all of them see, and a cluster has the same number in all of them. A vote,
    because few mistakes are those of most seeds; the clusters of the mean graph have more.
    """

    def start(keys: Key, before: Sequence[State | None], x: Float[Array, "n ..."]) -> list[State]:
        from vaeclust_jax.graph.clusters import graph_clusters  # scipy and scikit-learn take long to import
        from vaeclust_jax.graph.neighbours import averaged, posterior_graph, strongest

        posteriors, fresh = [], []
        for key, state in zip(keys, before, strict=True):
            assert state is not None, "clusters need a trained encoder"
            init_key, graph_key, prototypes_key = jax.random.split(key, 3)
            fresh.append((learner.init(init_key), prototypes_key))
            posteriors.append(posterior_of(graph_key, learner, state.params, x))
        num_clusters = fresh[0][0].params["prototypes"].shape[0]
        graphs = [posterior_graph(posterior) for posterior in posteriors]
        labels = consensus(np.stack([graph_clusters(graph, num_clusters) for graph in graphs]))
        edges = strongest(averaged(graphs), fresh[0][0].target.neighbours.shape[1])
        one_hot = jnp.log(jax.nn.one_hot(labels, num_clusters))
        states = []
        for (state, key), trained, posterior in zip(fresh, before, posteriors, strict=True):
            assert trained is not None
            inside = prototypes(key, posterior.mean.astype(np.float32), labels, *state.params["prototypes"].shape[:2])
            ready = _with_clusters(state, trained, edges, *inside)
            states.append(ready._replace(target=jax.jit(spread)(ready.target, one_hot)))
        return states

    return Together(start)


def posterior_of(key: Key, learner: Learner, params: Params, x: HostRows) -> "Posterior":
    """What a graph is made of: the codes of all rows and, where the learner has views, those of views of them.

    Raises:
        FloatingPointError: codes that are not finite.
    """
    from vaeclust_jax.graph.neighbours import Codes, Posterior

    def finite(codes: Codes) -> Codes:
        if not all(np.isfinite(part).all() for part in codes):
            raise FloatingPointError("latents of training rows are not finite")
        mean, logvar = codes
        return mean.astype(np.float64), logvar.astype(np.float64)

    codes = finite(encode_rows(learner, params, x))
    if learner.view is None:
        return Posterior(np.random.default_rng(seed_from_key(key)), *codes)
    rng_key, views_key = jax.random.split(key)

    def view(number: int) -> Codes:
        return finite(encode_views(jax.random.fold_in(views_key, number), learner, params, x))

    return Posterior(np.random.default_rng(seed_from_key(rng_key)), *codes, view)


def _with_clusters(
    fresh: State, trained: State, edges: tuple[np.ndarray, np.ndarray], centres: np.ndarray, scale: float
) -> State:
    """The fresh state with the trained networks and weights, prototypes, their scale, and the graph."""
    params = {
        **{name: value for name, value in trained.params.items() if name in fresh.params},
        "prototypes": jnp.asarray(centres),
        "log_scale": jnp.log(jnp.asarray(max(scale, 1e-3), jnp.float32)),
    }
    neighbours, weights = jnp.asarray(edges[0], jnp.int32), jnp.asarray(edges[1], jnp.float32)
    target = fresh.target._replace(neighbours=neighbours, weights=weights)
    shared = {name: trained.control.get(name, value) for name, value in fresh.control.items()}
    return fresh._replace(params=params, control=shared, target=target)
