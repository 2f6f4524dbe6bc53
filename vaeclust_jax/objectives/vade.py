"""The evidence lower bound of variational deep embedding (VaDE): a VAE whose prior is a mixture of Gaussians.

Source: Jiang et al., Variational Deep Embedding: An Unsupervised and Generative Approach to Clustering, 2017, Eq. 7 to
16. With q(z, c | x) = N(z; mean, exp(logvar)) q(c | x),

    ELBO = E[log p(x | z)]
         - sum_c q(c | x) KL(N(mean, exp(logvar)) || N(mean_c, exp(logvar_c)))     divergence of the code
         - KL(q(c | x) || weights)                                                 divergence of the cluster

which is the source's Eq. 12 with its terms gathered: the closed form of two Gaussians instead of five sums, in which
several public codes lose a factor. For any q(c | x) it bounds log p(x); the source's choice is q(c | x) = p(c | z).
Everything is per sample and in nats; features are summed.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from vaeclust_jax.objectives.elbo import sample_posterior
from vaeclust_jax.types import Key

_LOG_2PI = 1.8378770664093453


class Prior(NamedTuple):
    """sum_c softmax(logits)_c N(mean_c, diag exp(logvar_c)); any values of the fields make a mixture."""

    logits: Float[Array, " k"]
    means: Float[Array, "k l"]
    logvars: Float[Array, "k l"]


def log_posterior(prior: Prior, z: Float[Array, "... l"]) -> Float[Array, "... k"]:
    """log p(c | z), clusters of a code, by Bayes' rule."""
    means, logvars = (lax.broadcast_to_rank(part, z.ndim + 1) for part in (prior.means, prior.logvars))
    squares = jnp.square(z[..., None, :] - means) * jnp.exp(-logvars)
    log_density = -0.5 * jnp.sum(squares + logvars + _LOG_2PI, axis=-1)
    log_weights = lax.broadcast_to_rank(jax.nn.log_softmax(prior.logits), z.ndim)
    return jax.nn.log_softmax(log_weights + log_density, axis=-1)


def expected_log_posterior(
    key: Key, prior: Prior, mean: Float[Array, "... l"], logvar: Float[Array, "... l"], num_draws: int
) -> Float[Array, "... k"]:
    """log E_q(z|x)[p(c | z)] by Monte Carlo: q(c | x) of the source (Eq. 16).

    Args:
        key: of `jax.random.key`.
        prior: the mixture.
        mean: of the code.
        logvar: of the code.
        num_draws: of the code, at least 1.
    """
    draws = sample_posterior(key, jnp.broadcast_to(mean, (num_draws, *mean.shape)), logvar)
    return jax.nn.logsumexp(log_posterior(prior, draws), axis=0) - jnp.log(num_draws)


def code_divergence(prior: Prior, mean: Float[Array, "... l"], logvar: Float[Array, "... l"]) -> Float[Array, "... k"]:
    """KL(N(mean, exp(logvar)) || N(mean_c, exp(logvar_c))) for every cluster, closed form."""
    means, logvars = (lax.broadcast_to_rank(part, mean.ndim + 1) for part in (prior.means, prior.logvars))
    difference = logvar[..., None, :] - logvars
    squares = jnp.square(mean[..., None, :] - means) * jnp.exp(-logvars)
    return 0.5 * jnp.sum(jnp.expm1(difference) - difference + squares, axis=-1)


def cluster_divergence(prior: Prior, log_q: Float[Array, "... k"]) -> Float[Array, "..."]:
    """KL(q(c | x) || weights) = sum_c q (log q - log weight); 0 log 0 = 0."""
    q = jnp.exp(log_q)
    log_ratio = jnp.where(q > 0, log_q, 0.0) - lax.broadcast_to_rank(jax.nn.log_softmax(prior.logits), log_q.ndim)
    return jnp.sum(q * log_ratio, axis=-1)


def divergence(
    prior: Prior, mean: Float[Array, "... l"], logvar: Float[Array, "... l"], log_q: Float[Array, "... k"]
) -> Float[Array, "..."]:
    """What the ELBO takes from E[log p(x | z)]: both divergences; with one standard normal cluster, the VAE's KL."""
    return jnp.sum(jnp.exp(log_q) * code_divergence(prior, mean, logvar), axis=-1) + cluster_divergence(prior, log_q)
