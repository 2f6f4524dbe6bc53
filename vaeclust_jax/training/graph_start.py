"""How a stage starts that follows a graph: clusters of the posterior's neighbour graph, prototypes inside them."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from vaeclust_jax.objectives.mixture import Mixture, m_step
from vaeclust_jax.training.handover import Start, from_latents, kmeans_centroids, seed_from_key
from vaeclust_jax.training.passes import encode_rows
from vaeclust_jax.types import Key, Learner, Params, State


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

    def clusters(key: Key, mean: np.ndarray, logvar: np.ndarray) -> Params:
        from vaeclust_jax.graph.clusters import graph_clusters

        labels = graph_clusters(_graph(key, mean, logvar), num_clusters)
        centre = mean.mean(axis=0)
        found = m_step(jnp.log(jax.nn.one_hot(labels, num_clusters)), jnp.asarray(mean - centre), "diag")
        return params_of(found._replace(means=found.means + centre))

    return from_latents(learner, clusters)


def _graph(key: Key, mean: Float[np.ndarray, "n l"], logvar: Float[np.ndarray, "n l"]) -> Any:
    from vaeclust_jax.graph.neighbours import posterior_graph  # scipy and scikit-learn take long to import

    if not np.isfinite(mean).all() or not np.isfinite(logvar).all():
        raise FloatingPointError("latents of training rows are not finite")
    rng = np.random.default_rng(seed_from_key(key))
    return posterior_graph(rng, mean.astype(np.float64), logvar.astype(np.float64))


def from_graph(learner: Learner, spread: Callable[[Any, Array], Any]) -> Start:
    """Networks of the stage before, prototypes inside the clusters of its posterior's graph, the target from them.

    Weights that both stages have, such as beta, go on where they were; the optimiser starts afresh.

    Args:
        learner: whose clusters have prototypes.
        spread: (target with its graph, log q) -> target.
    """

    def start(key: Key, before: State | None, x: Float[Array, "n ..."]) -> State:
        from vaeclust_jax.graph.clusters import graph_clusters
        from vaeclust_jax.graph.neighbours import strongest

        assert before is not None, "clusters need a trained encoder"
        init_key, graph_key, prototypes_key = jax.random.split(key, 3)
        mean, logvar = encode_rows(learner, before.params, np.asarray(x))
        graph = _graph(graph_key, mean, logvar)
        state = learner.init(init_key)
        num_clusters, num_prototypes, _ = state.params["prototypes"].shape
        labels = graph_clusters(graph, num_clusters)
        numbers, weights = strongest(graph, state.target.neighbours.shape[1])
        centres, scale = prototypes(prototypes_key, mean, labels, num_clusters, num_prototypes)
        params = {
            **{name: value for name, value in before.params.items() if name in state.params},
            "prototypes": jnp.asarray(centres),
            "log_scale": jnp.log(jnp.asarray(max(scale, 1e-3), jnp.float32)),
        }
        target = state.target._replace(
            neighbours=jnp.asarray(numbers, jnp.int32), weights=jnp.asarray(weights, jnp.float32)
        )
        one_hot = jax.nn.one_hot(labels, num_clusters)
        shared = {name: before.control.get(name, fresh) for name, fresh in state.control.items()}
        return state._replace(params=params, control=shared, target=jax.jit(spread)(target, jnp.log(one_hot)))

    return start
