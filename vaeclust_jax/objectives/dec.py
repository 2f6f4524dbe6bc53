"""Deep embedded clustering: soft assignment, sharpened target, and their divergence.

Source: Xie, Girshick and Farhadi, Unsupervised Deep Embedding for Clustering Analysis, 2016, Eq. 1 to 3.
Probabilities are kept as logarithms until the end, so that far-away points and dead clusters stay finite.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def squared_distances(z: Float[Array, "... l"], centroids: Float[Array, "k l"]) -> Float[Array, "... k"]:
    """|z - c_j|^2 by differences: the expanded form loses all digits near a centroid in float32."""
    return jnp.sum(jnp.square(z[..., None, :] - centroids), axis=-1)


def log_soft_assignment(z: Float[Array, "... l"], centroids: Float[Array, "k l"]) -> Float[Array, "... k"]:
    """log q with q_j = (1 + |z - c_j|^2)^-1 / sum_j' (1 + |z - c_j'|^2)^-1: Student-t with one degree (Eq. 1)."""
    return jax.nn.log_softmax(-jnp.log1p(squared_distances(z, centroids)), axis=-1)


def target_distribution(log_q: Float[Array, "n k"]) -> Float[Array, "n k"]:
    """P, rows p_ij = (q_ij^2 / f_j) / sum_j' (q_ij'^2 / f_j') with f_j = sum_i q_ij over all rows given (Eq. 3)."""
    log_frequency = jax.nn.logsumexp(log_q, axis=0)
    return jax.nn.softmax(2.0 * log_q - log_frequency, axis=-1)


def kl_divergence(p: Float[Array, "... k"], log_q: Float[Array, "... k"]) -> Float[Array, "..."]:
    """KL(p || q) = sum_j p_j log(p_j / q_j) of each row, nats; 0 log 0 = 0 (Eq. 2, without the sum over samples)."""
    return jnp.sum(jax.scipy.special.xlogy(p, p) - _product(p, log_q), axis=-1)


def assignment_entropy(log_q: Float[Array, "... k"]) -> Float[Array, "..."]:
    """H = -sum_j q_j log q_j of each row, in nats, between 0 and log K."""
    return -jnp.sum(_product(jnp.exp(log_q), log_q), axis=-1)


def _product(p: Array, log_q: Array) -> Array:
    """p log q with 0 (-inf) = 0."""
    return p * jnp.where(p > 0, log_q, 0.0)
