"""Deep embedded clustering: soft assignment, sharpened target, and their divergence.

Source: Xie, Girshick and Farhadi, Unsupervised Deep Embedding for Clustering Analysis, 2016, Eq. 1 to 3.
Probabilities are kept as logarithms until the end, so that far-away points and dead clusters stay finite.
"""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float


def squared_distances(z: Float[Array, "... l"], centroids: Float[Array, "k l"]) -> Float[Array, "... k"]:
    """|z - c_j|^2 by differences: the expanded form loses all digits near a centroid in float32."""
    return jnp.sum(jnp.square(z[..., None, :] - lax.broadcast_to_rank(centroids, z.ndim + 1)), axis=-1)


def log_soft_assignment(z: Float[Array, "... l"], centroids: Float[Array, "k l"]) -> Float[Array, "... k"]:
    """log q with q_j = (1 + |z - c_j|^2)^-1 / sum_j' (1 + |z - c_j'|^2)^-1: Student-t with one degree (Eq. 1)."""
    return jax.nn.log_softmax(-jnp.log1p(squared_distances(z, centroids)), axis=-1)


def log_prototype_assignment(
    z: Float[Array, "... l"], prototypes: Float[Array, "k r l"], scale: Float[Array, ""], degrees: float
) -> Float[Array, "... k"]:
    """log q of clusters with several prototypes each, which can follow a ring that one centroid cannot hold.

    q_c is the share of c's prototypes in the sum over all of t_m(z) = (1 + |z - c_m|^2 / (nu s^2))^(-(nu + 1) / 2).
    With one prototype a cluster, nu = 1 and s = 1 this is `log_soft_assignment`.

    Args:
        z: codes.
        prototypes: r of each cluster.
        scale: s.
        degrees: nu, of the Student-t.
    """
    k, r, latent_dim = prototypes.shape
    distances = squared_distances(z, prototypes.reshape(k * r, latent_dim)) / (degrees * jnp.square(scale))
    log_t = -0.5 * (degrees + 1) * jnp.log1p(distances)
    return jax.nn.log_softmax(jax.nn.logsumexp(log_t.reshape(*log_t.shape[:-1], k, r), axis=-1), axis=-1)


def target_distribution(
    log_q: Float[Array, "n k"], weight: Float[Array, " n"] | None = None, log_share: Float[Array, " k"] | None = None
) -> Float[Array, "n k"]:
    """P, rows p_ij = (q_ij^2 / f_j) / sum_j' (q_ij'^2 / f_j') with f_j = sum_i w_i q_ij over all rows (Eq. 3).

    Args:
        log_q: of all rows.
        weight: w_i, 1 unless given: a row of weight 2 counts as two of them.
        log_share: log s_j, in any unit, of the shares that clusters keep: p_ij ~ s_j q_ij^2 / f_j. Without them P draws
            all clusters to one size.
    """
    frequency = log_frequency(log_q, weight)
    return sharpened(log_q, frequency if log_share is None else frequency - log_share)


def log_frequency(log_q: Float[Array, "n k"], weight: Float[Array, " n"] | None = None) -> Float[Array, " k"]:
    """log f_j, f_j = sum_i w_i q_ij."""
    return jax.nn.logsumexp(log_q, axis=0, b=None if weight is None else weight[:, None])


def sharpened(log_q: Float[Array, "n k"], log_frequency: Float[Array, " k"]) -> Float[Array, "n k"]:
    """P of rows whose clusters have the frequencies f_j, in any unit: it cancels."""
    return jax.nn.softmax(2.0 * log_q - log_frequency[None], axis=-1)


def kl_divergence(p: Float[Array, "... k"], log_q: Float[Array, "... k"]) -> Float[Array, "..."]:
    """KL(p || q) = sum_j p_j log(p_j / q_j) of each row, nats; 0 log 0 = 0 (Eq. 2, without the sum over samples)."""
    return jnp.sum(jax.scipy.special.xlogy(p, p) - _product(p, log_q), axis=-1)


def assignment_entropy(log_q: Float[Array, "... k"]) -> Float[Array, "..."]:
    """H = -sum_j q_j log q_j of each row, in nats, between 0 and log K."""
    return -jnp.sum(_product(jnp.exp(log_q), log_q), axis=-1)


def assignment_energy(z: Float[Array, "... l"], centroids: Float[Array, "k l"]) -> Float[Array, "..."]:
    """-log sum_j 1 / (1 + |z - c_j|^2): the free energy of the Student-t mass that the soft assignment normalises.

    The assignment forgets this mass: far from all centroids it tends to 1/K each, at whatever distance.

    Source: Liu et al., Energy-based Out-of-distribution Detection, 2020, Eq. 4 with T = 1 and the logits of Xie,
    Girshick and Farhadi 2016, Eq. 1.

    Args:
        z: codes, such as posterior means.
        centroids: of the clusters.

    Returns:
        From -log K (on K coinciding centroids) without upper limit, nats.
    """
    return -jax.nn.logsumexp(-jnp.log1p(squared_distances(z, centroids)), axis=-1)


def _product(p: Array, log_q: Array) -> Array:
    """p log q with 0 (-inf) = 0."""
    return p * jnp.where(p > 0, log_q, 0.0)
