"""How a stage starts that follows a graph: clusters of the posterior's neighbour graph, prototypes inside them."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from vaeclust_jax.graph import ALPHA, LONG
from vaeclust_jax.graph.constraints import Constraints
from vaeclust_jax.graph.tree import Merges
from vaeclust_jax.methods.kept_shares import keeps_shares, log_shares
from vaeclust_jax.methods.shallow_starts import LONG_WALK, OWN, ShallowStarts, shallow_starts
from vaeclust_jax.methods.starts import (
    Start,
    from_clusters,
    kmeans_centroids,
    seed_from_key,
    shared_weights,
    with_posteriors,
    without_weights,
)
from vaeclust_jax.metrics import consensus
from vaeclust_jax.objectives.mixture import Mixture, m_step
from vaeclust_jax.streamed import HostRows
from vaeclust_jax.training.rows import by_chunk, encode_rows, encode_views
from vaeclust_jax.types import Heads, Key, Learner, Params, Rows, State

if TYPE_CHECKING:
    from vaeclust_jax.graph.neighbours import Codes, Edges, Graph, Posterior

Spread = Callable[..., Any]
"""(target with its graph, log q) -> target; of rows that do not all count the same, their weights come third."""


def prototypes(
    key: Key,
    z: Float[np.ndarray, "n l"],
    labels: Int[np.ndarray, " n"],
    num_clusters: int,
    num_prototypes: int,
    weight: Float[np.ndarray, " n"] | None = None,
) -> tuple[Float[np.ndarray, "k r l"], float]:
    """Centroids by k-means inside each cluster, the one with the most points first, and their points' spread.

    Points count by weight.

    A cluster of fewer points than prototypes repeats them; one without points, which several seeds may agree to leave
    empty, begins among all points. The spread is the root mean square distance to the nearest
    prototype, for each dimension.
    """
    found, squares = np.zeros((num_clusters, num_prototypes, z.shape[1]), np.float32), 0.0
    counts = np.ones(len(z), z.dtype) if weight is None else weight
    for cluster in range(num_clusters):
        inside = labels == cluster
        members, count = (z[inside], counts[inside]) if inside.any() else (z, counts)
        distinct = len(np.unique(members, axis=0))
        centres = kmeans_centroids(jax.random.fold_in(key, cluster), members, min(num_prototypes, distinct), count)
        distances = ((members[:, np.newaxis] - centres) ** 2).sum(axis=-1)
        order = np.argsort(-np.bincount(distances.argmin(axis=1), count, minlength=len(centres)), kind="stable")
        found[cluster] = centres[order][np.arange(num_prototypes) % len(centres)]
        squares += float((count * distances.min(axis=1)).sum()) if inside.any() else 0.0
    return found, float(np.sqrt(squares / (counts.sum(dtype=float) * z.shape[1])))


def from_graph_mixture(
    learner: Learner, heads: Heads, num_clusters: int, params_of: Callable[[Mixture], Params]
) -> Start:
    """As `starts.from_mixture`, with the means and variances of the clusters of the posterior's graph.

    EM moves it to another local maximum; the joint stage is left to do that.
    """

    def clusters(key: Key, before: Params, rows: Rows) -> Params:
        from vaeclust_jax.graph.clusters import graph_clusters
        from vaeclust_jax.graph.neighbours import posterior_graph

        posterior = posterior_of(key, heads, before, rows.x, rows.encode(heads, before))
        labels = graph_clusters(posterior_graph(posterior), num_clusters, weight=rows.weight)
        mean = posterior.mean.astype(np.float32)
        centre = np.average(mean, axis=0, weights=rows.weight)
        weight = None if rows.weight is None else jnp.asarray(rows.weight)
        log_q = jnp.log(jax.nn.one_hot(labels, num_clusters))
        found = m_step(log_q, jnp.asarray(mean - centre), "diag", weight=weight)
        found = found._replace(means=found.means + jnp.asarray(centre)[None])
        return params_of(with_posteriors(found, mean, posterior.logvar, rows.weight))

    return from_clusters(learner, clusters)


def from_graph(
    learner: Learner,
    heads: Heads,
    spread: Spread,
    value_share: float,
    num_clusters: int,
    hints: Constraints | None = None,
) -> Start:
    """Networks of the stage before, prototypes inside the clusters of its posterior's graph, the target from them.

    Where the graph of the values has a share, it judges those clusters beside ones found without a network
    (`shallow_starts`), which the stage may begin with (`ShallowStarts.begin`); where there are hints, once those are
    moved by them too.

    Weights that both stages have, such as beta, go on where they were; the optimiser starts afresh.

    Args:
        learner: whose clusters have prototypes.
        heads: of a model with the same encoder.
        spread: the target of a graph.
        value_share: of the graph of the rows' own values in the mean.
        num_clusters: K.
        hints: of the training rows, which the clusters and the target keep.
    """

    init = without_weights(learner)

    def of_one(key: Key, before: State | None, rows: Rows, own: "Graph | None", shallow: ShallowStarts | None) -> State:
        from vaeclust_jax.graph.clusters import merged_clusters, merges_inside  # scipy takes long to import
        from vaeclust_jax.graph.neighbours import posterior_graph, strongest

        assert before is not None, "clusters need a trained encoder"
        init_key, graph_key, prototypes_key = jax.random.split(key, 3)
        fresh = init(init_key)
        posterior = posterior_of(graph_key, heads, before.params, rows.x, rows.encode(heads, before.params))
        graph = posterior_graph(posterior, beside=own, share=value_share)
        labels, _, merges = merged_clusters(graph, num_clusters, weight=rows.weight, hints=hints, judge=own)
        memory, shown_by = fresh.memory, graph if own is None else own
        if shallow is not None:
            name, begun, separation = shallow.begin(labels, num_clusters)
            memory = memory._replace(separation=jnp.asarray(separation))
            if name != OWN:  # the tree is of those clusters, too
                graph, merges = merges_inside(graph, begun, LONG if name == LONG_WALK else ALPHA, hints)
                labels = begun
        memory = memory._replace(merges=_filled(memory.merges, merges))
        fresh, labels = _told(fresh._replace(memory=memory), labels, hints)
        edges = strongest(graph, fresh.memory.edges.neighbours.shape[1], rows.weight)
        keeps = keeps_shares(shown_by, labels, num_clusters, rows.weight)
        z = posterior.mean.astype(np.float32)
        return _following(prototypes_key, fresh, before, edges, labels, z, spread, rows.weight, keeps)

    def start(keys: Key, before: Sequence[State | None], rows: Rows) -> list[State]:
        # The same for all seeds. Spectral clustering takes no weights.
        own = values_graph(rows.x, value_share)
        asked = own is not None and rows.weight is None
        shallow = shallow_starts(rows.x, num_clusters, own, hints) if asked else None
        return [of_one(key, state, rows, own, shallow) for key, state in zip(keys, before, strict=True)]

    return start


def from_vote(learner: Learner, heads: Heads, spread: Spread, hints: Constraints | None = None) -> Start:
    """What several seeds that follow graphs of their own say together, for each of them to learn.

    Most of them say what the clusters are (`metrics.consensus`), which so have the same numbers in all of them, and the
    graph is the mean of theirs; networks and trees are each seed's own, and prototypes lie in its own latents.

    Args:
        learner: as for `from_graph`, and that of the stage before.
        heads: of its model.
        spread: likewise.
        hints: likewise; they outvote the seeds.
    """

    init = without_weights(learner)

    def start(keys: Key, before: Sequence[State | None], rows: Rows) -> list[State]:
        from vaeclust_jax.graph.neighbours import mean_graph, strongest

        seeds = [state for state in before if state is not None]
        assign = heads.assign
        assert len(seeds) == len(keys), "a vote needs seeds that are trained"
        assert assign is not None, "a vote needs clusters"
        codes = [rows.encode(heads, state.params)[0] for state in seeds]
        log_q = [by_chunk(assign, state.params, z) for state, z in zip(seeds, codes, strict=True)]
        labels = consensus(np.stack([of_seed.argmax(axis=1) for of_seed in log_q]))
        edges_of = [state.memory.edges for state in seeds]
        graphs = [(np.asarray(one.neighbours), np.asarray(one.weights)) for one in edges_of]
        edges = strongest(mean_graph(graphs), graphs[0][0].shape[1])
        keeps = 2 * sum(bool(state.memory.log_share.any()) for state in seeds) > len(seeds)
        states = []
        for key, state, z in zip(keys, seeds, codes, strict=True):
            init_key, prototypes_key = jax.random.split(key)
            fresh = init(init_key)
            kept = {"merges": state.memory.merges, "separation": state.memory.separation}
            fresh = fresh._replace(memory=fresh.memory._replace(**kept))
            fresh, voted = _told(fresh, labels, hints)
            states.append(_following(prototypes_key, fresh, state, edges, voted, z, spread, rows.weight, keeps))
        return states

    return start


def values_graph(x: HostRows, share: float) -> "Graph | None":
    """The graph of the rows' own values; None where it has no share."""
    from vaeclust_jax.graph.neighbours import of_values

    return of_values(np.asarray(x[np.arange(len(x))])) if share > 0 else None


def posterior_of(key: Key, heads: Heads, params: Params, x: HostRows, known: "Codes | None" = None) -> "Posterior":
    """What a graph is made of: the codes of all rows and, where the model has views, those of views of them.

    Args:
        key: of the draws, and of the views.
        heads: of the model.
        params: of the model.
        x: prepared rows.
        known: their codes, if they are; else they are encoded.

    Raises:
        FloatingPointError: codes that are not finite.
    """
    from vaeclust_jax.graph.neighbours import Posterior

    def finite(codes: "Codes") -> "Codes":
        if not all(np.isfinite(part).all() for part in codes):
            raise FloatingPointError("latents of training rows are not finite")
        mean, logvar = codes
        return mean.astype(np.float64), logvar.astype(np.float64)

    codes = finite(encode_rows(heads, params, x) if known is None else known)
    if heads.view is None:
        return Posterior(np.random.default_rng(seed_from_key(key)), *codes)
    rng_key, views_key = jax.random.split(key)

    def view(number: int) -> "Codes":
        return finite(encode_views(jax.random.fold_in(views_key, number), heads, params, x))

    return Posterior(np.random.default_rng(seed_from_key(rng_key)), *codes, view)


def _told(
    fresh: State, labels: Int[np.ndarray, " n"], hints: Constraints | None
) -> tuple[State, Int[np.ndarray, " n"]]:
    """The state and the labels with the clusters of the rows that a hint is about."""
    if hints is None:
        return fresh, labels
    told = hints.told(labels)
    state = fresh._replace(memory=fresh.memory._replace(told=jnp.asarray(told, jnp.int32)))
    return state, np.where(told >= 0, told, labels)


def _filled(room: Merges, merges: Merges) -> Merges:
    """The merges as arrays of the room that a state has for them."""
    pairs, heights = (np.zeros(part.shape, part.dtype) for part in room[1:])
    pairs[: len(merges.pairs)], heights[: len(merges.heights)] = merges.pairs, merges.heights
    return Merges(jnp.asarray(merges.groups, jnp.int32), jnp.asarray(pairs), jnp.asarray(heights))


def _following(
    key: Key,
    fresh: State,
    trained: State,
    edges: "Edges",
    labels: Int[np.ndarray, " n"],
    z: Float[np.ndarray, "n l"],
    spread: Spread,
    weight: Float[np.ndarray, " n"] | None,
    keeps: bool,
) -> State:
    """The fresh state with the trained networks and weights, prototypes inside the labels, the graph and its target.

    The target keeps the labels' shares if it `keeps`.
    """
    num_clusters, num_prototypes, _ = fresh.params["prototypes"].shape
    centres, scale = prototypes(key, z, labels, num_clusters, num_prototypes, weight)
    params = {
        **{name: value for name, value in trained.params.items() if name in fresh.params},
        "prototypes": jnp.asarray(centres),
        "log_scale": jnp.log(jnp.asarray(max(scale, 1e-3), jnp.float32)),
    }
    neighbours, weights = jnp.asarray(edges[0], jnp.int32), jnp.asarray(edges[1], jnp.float32)
    target = fresh.memory._replace(edges=fresh.memory.edges._replace(neighbours=neighbours, weights=weights))
    if keeps:
        target = target._replace(log_share=jnp.asarray(log_shares(labels, num_clusters, weight)))
    counts = () if weight is None else (jnp.asarray(weight),)
    log_labels = np.where(np.arange(num_clusters) == labels[:, np.newaxis], np.float32(0), -np.float32(np.inf))
    target = jax.jit(spread)(target, log_labels, *counts)
    return fresh._replace(params=params, control=shared_weights(fresh, trained), memory=target)
