"""What DEC's latents are drawn to: the target P of all rows, spread over a graph if there is one, or of a batch."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from vaeclust_jax.graph.tree import Merges
from vaeclust_jax.methods.refresh import Assigned, share_changed
from vaeclust_jax.objectives.dec import log_frequency, target_distribution
from vaeclust_jax.objectives.propagation import propagate


class Edges(NamedTuple):
    """A neighbour graph, a constant of the stage."""

    neighbours: Int[Array, "n d"]
    weights: Float[Array, "n d"]
    """Rows sum to one."""


class Target(NamedTuple):
    """What the refresh over all training rows computes; a constant for the gradient."""

    p: Float[Array, "n k"] | None
    """None: each batch sharpens its own q by `frequency`."""
    assigned: Assigned
    """By q at the last refresh."""
    edges: Edges | None
    """What q is spread over; None: over nothing."""
    merges: Merges | None
    """The tree of the graph that the stage began with; behind its last merge zeros, as shapes are fixed."""
    separation: Float[Array, "2 s"] | None
    """Clarity and cut of the clusters that it could begin with (`methods.shallow_starts`); `NOT_ASKED` of some."""
    told: Int[Array, " n"] | None = None
    """The cluster that each row is held in, -1 where a person said nothing; None: there are no hints."""
    frequency: Float[Array, " k"] | None = None
    """Share of each cluster in the rows seen of late; None where P is of all rows."""
    log_share: Float[Array, " k"] | None = None
    """log(K s_j) of the shares s_j that unequal clusters keep; zeros, or None: P draws all to one size."""


_SHARE_OF_BATCH = 0.1
"""That a batch has in the running frequencies: they forget half of what they were in 7 steps."""


def refreshed(target: Target, log_q: Float[Array, "n k"], weight: Float[Array, " n"] | None = None) -> Target:
    """The target of new assignments: q, spread over the graph if there is one, sharpened; rows count by weight."""
    assigned = share_changed(target.assigned, log_q, weight)
    if target.p is None:
        return target._replace(assigned=assigned, frequency=frequency_of(log_q, weight))
    agreed = log_q if target.edges is None else log_agreed(target.edges, log_q, target.told)
    return target._replace(p=target_distribution(agreed, weight, target.log_share), assigned=assigned)


def frequency_of(log_q: Float[Array, "n k"], weight: Float[Array, " n"] | None = None) -> Float[Array, " k"]:
    """Share of each cluster in the rows, which count by weight."""
    return jnp.exp(jax.nn.log_softmax(log_frequency(log_q, weight)))


def running(frequency: Float[Array, " k"], log_q: Float[Array, "b k"], weight: Float[Array, " b"]) -> Array:
    """The frequencies after another batch."""
    return (1 - _SHARE_OF_BATCH) * frequency + _SHARE_OF_BATCH * frequency_of(log_q, weight)


def log_agreed(edges: Edges, log_q: Float[Array, "n k"], told: Int[Array, " n"] | None = None) -> Float[Array, "n k"]:
    """Log of what neighbours agree on, and those that were told their cluster say."""
    agreed = propagate(jnp.exp(log_q), *edges, told=told)
    return jnp.log(jnp.maximum(agreed, jnp.finfo(agreed.dtype).tiny))
