"""Information-maximising clustering: how much an assignment says of a sample, and how it resists small moves.

Sources: Krause, Perona and Gomes, Discriminative Clustering by Regularized Information Maximization, 2010; Hu, Miyato,
Tokui, Matsumoto and Sugiyama, Learning Discrete Representations via Information Maximizing Self-Augmented Training,
2017; Miyato et al., Virtual Adversarial Training, 2018, for the direction.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from vaeclust_jax.objectives.dec import assignment_entropy, kl_divergence
from vaeclust_jax.random import normal
from vaeclust_jax.types import Key

_TINY = 1e-12


def marginal_entropy(log_q: Float[Array, "n k"], weight: Float[Array, " n"] | None = None) -> Float[Array, ""]:
    """H(c) = -sum_j q_j log q_j of q = sum_i w_i q_i / sum_i w_i, in nats, between 0 and log K (Hu et al. 2017, Eq. 7).

    Args:
        log_q: log-probabilities of the clusters of each row.
        weight: what rows count, not all 0; None: all the same.
    """
    weight = jnp.ones(log_q.shape[0]) if weight is None else weight
    total = jax.nn.logsumexp(log_q, axis=0, b=weight[:, None])
    return assignment_entropy(total - jnp.log(weight.sum())[None])


def adversarial_move(
    key: Key,
    log_assign: Callable[[Float[Array, "n ..."]], Float[Array, "n k"]],
    x: Float[Array, "n ..."],
    radius: Float[Array, " n"],
) -> Float[Array, "n ..."]:
    """The move r of each row with |r| = radius that changes its assignment most, by one step of the power iteration.

    r = radius g / |g| with g the gradient of KL(q(x) || q(x + r0)) in r0, at a random r0 of the same length
    (Miyato et al. 2018, Algorithm 1). No gradient passes through it.

    Args:
        key: of r0.
        log_assign: rows to log-probabilities of clusters.
        x: rows.
        radius: of each, in the units of x; a row of radius 0 does not move.
    """
    log_q = log_assign(x)
    start = _of_length(normal(key, x.shape), radius)
    q = jnp.exp(log_q)
    gradient = jax.grad(lambda r: kl_divergence(q, log_assign(x + r)).sum())(start)
    return jax.lax.stop_gradient(_of_length(gradient, radius))


def instability(
    log_assign: Callable[[Float[Array, "n ..."]], Float[Array, "n k"]],
    log_q: Float[Array, "n k"],
    moved: Float[Array, "n ..."],
) -> Float[Array, " n"]:
    """KL(q(x) || q(moved x)) of each row, nats: q(x) is a target, to which no gradient passes (Hu et al. 2017, Eq. 3).

    Args:
        log_assign: rows to log-probabilities of clusters.
        log_q: of the rows where they are.
        moved: the rows, each moved a little.
    """
    return kl_divergence(jax.lax.stop_gradient(jnp.exp(log_q)), log_assign(moved))


def _of_length(moves: Float[Array, "n ..."], length: Float[Array, " n"]) -> Float[Array, "n ..."]:
    """Each row's direction with a length; a row of zeros stays where it is."""
    flat = moves.reshape(moves.shape[0], -1)
    largest = jnp.max(jnp.abs(flat), axis=1, keepdims=True)
    flat = flat / jnp.maximum(largest, jnp.finfo(flat.dtype).tiny)  # its squares would underflow
    norm = jnp.sqrt(jnp.sum(jnp.square(flat), axis=1, keepdims=True))
    return (length[:, None] * flat / jnp.maximum(norm, _TINY)).reshape(moves.shape)
