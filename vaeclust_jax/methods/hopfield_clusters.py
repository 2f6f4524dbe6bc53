"""Clusters as the fixed points of a modern Hopfield net that stores the latents of a trained `vaegraph`.

Every training row's code is a memory. One update of the net is a softmax over the memories, followed by their mean:
where DEC's Student-t assigns to centroids, this assigns to the rows themselves. Codes that come to rest at the same
fixed point are a cluster. The bias of each memory makes the softmax one of distances, so that this is mean shift.

Sources: Ramsauer et al. 2020, Hopfield Networks is All You Need; Fukunaga and Hostetler 1975 for mean shift.
"""

from dataclasses import dataclass, field, fields, replace
from functools import lru_cache, partial
from typing import ClassVar, NamedTuple, Self

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from vaeclust_jax.methods.dec import GraphDEC
from vaeclust_jax.methods.hopfield import check_memories
from vaeclust_jax.methods.joint import JointMethod, Settled
from vaeclust_jax.methods.method import About, DataSpec, check_graph
from vaeclust_jax.methods.starts import of_each_seed
from vaeclust_jax.methods.vae import first_state, vae, vae_heads, with_numbers
from vaeclust_jax.objectives.hopfield import attention, distance_bias, modern_step, settle
from vaeclust_jax.streamed import spaced
from vaeclust_jax.training.stopping import NEVER
from vaeclust_jax.types import Heads, Key, Learner, Networks, Params, Rows, Stage, State

_MOST_MEMORIES = 1000
_MOST_STEPS = 500
_SHRINKING, _LEAST_BANDWIDTH, _HALVINGS = 0.9, 0.02, 6
"""How the kernel shrinks from the root mean square of the codes until there are enough fixed points, and then halving
to where there are no more than enough."""
_POPULATED = 0.2
"""Of an equal share of the memories: a fixed point that holds less is an outlier's."""
_LEAST = 1e-12
"""What a memory says for a cluster that it is not in: a cluster without memories keeps a finite log-probability."""


class FixedPoints(NamedTuple):
    """Where memories come to rest.

    Attributes:
        places: one a fixed point, the one with the most memories first.
        reached: of each memory, the number of its fixed point.
        counts: memories of each.
    """

    places: Float[np.ndarray, "m l"]
    reached: Int[np.ndarray, " p"]
    counts: Int[np.ndarray, " m"]


@dataclass(frozen=True)
class HopfieldClusters(JointMethod):
    """VAE and DEC on its graph (vaegraph), then the fixed points of a modern Hopfield net on its latents as clusters.

    Example:
        >>> vc.Config(vc.HopfieldClusters(10, joint_epochs=30)).method.num_clusters
        10
    """

    per_cluster: ClassVar[tuple[str, ...]] = ("fixed_points", "members")
    shared: ClassVar[tuple[str, ...]] = (*JointMethod.shared, "memories", "bias", "inverse_temperature")

    stopping: Settled = field(default_factory=lambda: Settled(0.0))
    """When the joint stage stops early."""
    num_memories: int | None = None
    """Training rows whose codes are stored, evenly spaced; left out: all, and 1,000 at most."""

    def resolved(self, data: DataSpec) -> Self:  # noqa: D102
        found, n = super().resolved(data), data.num_samples
        if found.num_memories is not None or n is None:
            return found
        return replace(found, num_memories=min(n, _MOST_MEMORIES))

    def check(self, data: DataSpec) -> None:  # noqa: D102
        super().check(data)
        check_memories("num_memories", self.num_memories, data.num_samples)
        if data.num_samples is not None:
            check_graph("the graph under HopfieldClusters", self.num_clusters, data.num_samples)

    def stages(self, about: About) -> list[Stage]:  # noqa: D102
        assert self.num_memories is not None, "resolved"
        own = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "num_memories"}
        graph = GraphDEC(**own, vote=False).resolved(DataSpec(about.shape, about.num_samples))
        learner = hopfield_clusters(
            about.networks,
            num_clusters=self.num_clusters,
            num_memories=self.num_memories,
            latent_dim=about.latent_dim,
            likelihood=self.likelihood,
            learning_rate=about.learning_rate,
        )
        start = of_each_seed(
            partial(_start, learner, graph.heads(about.networks), self.num_clusters, self.num_memories)
        )
        return [*graph.stages(about), Stage("hopfield", learner, 0, start, NEVER, self)]

    def heads(self, networks: Networks) -> Heads:  # noqa: D102
        return _heads(networks, self.likelihood)


def _assign(params: Params, z: Array) -> Array:
    """The softmax over memories, summed over those of a cluster."""
    log_p = attention(params["memories"], params["inverse_temperature"], params["bias"], z)
    return jax.nn.log_softmax(jax.nn.logsumexp(log_p[:, None], axis=2, b=params["members"][None]), axis=1)


@lru_cache
def _heads(networks: Networks, likelihood: str) -> Heads:
    return vae_heads(networks, likelihood)._replace(
        assign=_assign, centres=lambda params: params["fixed_points"][:, None]
    )


@lru_cache
def hopfield_clusters(
    networks: Networks,
    *,
    num_clusters: int,
    num_memories: int,
    latent_dim: int,
    likelihood: str = "bernoulli",
    learning_rate: float = 1e-3,
) -> Learner:
    """The VAE and the net as a `Learner`; steps train the VAE alone. `init` has memories of zeros."""
    base = vae(networks, likelihood=likelihood, learning_rate=learning_rate)

    def init(key: Key) -> State:
        params = {
            **base.init(key).params,
            "memories": jnp.zeros((num_memories, latent_dim)),
            "bias": jnp.zeros(num_memories),
            "inverse_temperature": jnp.ones(()),
            "fixed_points": jnp.zeros((num_clusters, latent_dim)),
            "members": jnp.ones((num_clusters, num_memories)),
        }
        state = first_state(params)
        return with_numbers(state, learning_rate)._replace(control=base.init(jax.random.key(0)).control)

    return base._replace(init=init)


def _start(
    learner: Learner,
    heads: Heads,
    num_clusters: int,
    num_memories: int,
    key: Key,
    before: State | None,
    rows: Rows,
) -> State:
    """Writes the codes of so many rows into the net."""
    assert before is not None, "a memory of codes needs a trained encoder"
    codes = rows.encode(heads, before.params)[0]
    if not np.isfinite(codes).all():
        raise FloatingPointError("latents of training rows are not finite")
    kept = spaced(len(codes), num_memories)
    weight = None if rows.weight is None else rows.weight[kept]
    state = learner.init(key)
    params = {name: before.params[name] for name in ("encoder", "decoder", "likelihood")}
    return state._replace(params={**params, **written(codes[kept], num_clusters, weight)})


def written(
    memories: Float[np.ndarray, "p l"], num_clusters: int, weight: Float[np.ndarray, " p"] | None = None
) -> Params:
    """The net of these memories with the temperature at which it has as many fixed points as there are clusters.

    The kernel shrinks, from one fixed point of all memories on, until K of them hold a fifth of an equal share or more.
    Memories of other fixed points go to the nearest of the K largest.

    Args:
        memories: codes.
        num_clusters: K.
        weight: of each memory; None: all the same.
    """
    x = jnp.asarray(memories, jnp.float32)
    spread = float(jnp.sqrt(jnp.square(x - x.mean(axis=0, keepdims=True)).sum(axis=1).mean())) or 1.0
    log_weight = jnp.zeros(len(x)) if weight is None else jnp.log(jnp.asarray(weight, jnp.float32))

    def at(bandwidth: float) -> tuple[int, float, FixedPoints]:
        beta = 1 / (bandwidth * spread) ** 2
        found = fixed_points(x, beta, distance_bias(x, beta) + log_weight)
        return int((found.counts >= _POPULATED * len(x) / num_clusters).sum()), beta, found

    above, below = 1.0, _SHRINKING
    while (tried := at(below))[0] < num_clusters and below > _LEAST_BANDWIDTH:
        above, below = below, below * _SHRINKING
    for _ in range(_HALVINGS):
        if tried[0] <= num_clusters:
            break
        middle = float(np.sqrt(above * below))
        between = at(middle)
        above, below, tried = (above, middle, between) if between[0] >= num_clusters else (middle, below, tried)
    _, beta, found = tried
    kept = np.resize(found.places[:num_clusters], (num_clusters, x.shape[1]))
    distances = ((found.places[:, np.newaxis] - kept) ** 2).sum(axis=-1)
    cluster = distances.argmin(axis=1)[found.reached]
    members = np.maximum(np.arange(num_clusters)[:, np.newaxis] == cluster, _LEAST)
    return {
        "memories": x,
        "bias": distance_bias(x, beta) + log_weight,
        "inverse_temperature": jnp.asarray(beta, jnp.float32),
        "fixed_points": jnp.asarray(kept, jnp.float32),
        "members": jnp.asarray(members, jnp.float32),
    }


def fixed_points(memories: Float[Array, "p l"], beta: float, bias: Float[Array, " p"]) -> FixedPoints:
    """Where every memory comes to rest; places nearer than a tenth of the kernel's deviation are one."""
    from scipy.sparse.csgraph import connected_components  # takes long to import
    from scipy.spatial.distance import cdist

    ends = np.asarray(_rest(memories, jnp.asarray(beta, jnp.float32), bias), np.float64)
    _, reached = connected_components(cdist(ends, ends) < 0.1 / np.sqrt(beta), directed=False)
    counts = np.bincount(reached)
    order = np.argsort(-counts, kind="stable")
    places = np.stack([ends[reached == group].mean(axis=0) for group in order])
    return FixedPoints(places, np.argsort(order)[reached], counts[order])


@jax.jit
def _rest(memories: Array, beta: Array, bias: Array) -> Array:
    deviation = 1 / jnp.sqrt(beta)
    return settle(
        lambda state: modern_step(memories, beta, bias, state), memories, _MOST_STEPS, tolerance=1e-4 * deviation
    )[0]
