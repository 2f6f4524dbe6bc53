"""The evidence lower bound of a variational autoencoder, term by term.

Source: Kingma and Welling, Auto-Encoding Variational Bayes, 2014, Eq. 3 and Appendix B. Every function is per
sample: features on the last axis are summed, leading axes are kept; values in nats.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import lax
from jaxtyping import Array, Float

from vaeclust_jax.random import normal
from vaeclust_jax.types import Key, Params

_HALF_LOG_2PI = 0.9189385332046727


def kl_to_standard_normal(mean: Float[Array, "... l"], logvar: Float[Array, "... l"]) -> Float[Array, "..."]:
    """KL(N(mean, exp(logvar)) || N(0, I)) = 1/2 sum(mean^2 + exp(logvar) - 1 - logvar), closed form."""
    return 0.5 * jnp.sum(jnp.square(mean) + jnp.expm1(logvar) - logvar, axis=-1)


def sample_posterior(key: Key, mean: Float[Array, "... l"], logvar: Float[Array, "... l"]) -> Float[Array, "... l"]:
    """One draw z = mean + exp(logvar / 2) eps with eps ~ N(0, I): the reparameterisation trick."""
    return mean + lax.broadcast_to_rank(jnp.exp(0.5 * logvar), mean.ndim) * normal(key, mean.shape, mean.dtype)


def bernoulli_nll(x: Float[Array, "... f"], logits: Float[Array, "... f"]) -> Float[Array, "..."]:
    """-log p(x | logits) = sum of binary cross-entropies; x in [0, 1], computed from logits, never probabilities."""
    return jnp.sum(optax.losses.sigmoid_binary_cross_entropy(logits, x), axis=-1)


def gaussian_nll(
    x: Float[Array, "... f"], mean: Float[Array, "... f"], log_std: Float[Array, ""]
) -> Float[Array, "..."]:
    """-log N(x; mean, exp(2 log_std) I), normalising constant included so that bounds compare across scales."""
    scaled = (x - mean) * jnp.exp(-log_std)
    return jnp.sum(0.5 * jnp.square(scaled) + log_std + _HALF_LOG_2PI, axis=-1)


class Likelihood(NamedTuple):
    """p(x | decoder output): its own parameters, its negative logarithm, and the mean of x.

    Attributes:
        init: () -> params.
        nll: (params, x (n, ...), output (n, ...)) -> (n,), nats.
        mean: (output) -> expected x.
    """

    init: Callable[[], Params]
    nll: Callable[[Params, Array, Array], Array]
    mean: Callable[[Array], Array]


def _flat(x: Array) -> Array:
    return x.reshape(x.shape[0], -1)


BERNOULLI = Likelihood(
    init=dict,
    nll=lambda params, x, logits: bernoulli_nll(_flat(x), _flat(logits)),
    mean=jax.nn.sigmoid,
)
"""For pixels in [0, 1]; the decoder gives logits."""

GAUSSIAN = Likelihood(
    init=lambda: {"log_std": jnp.zeros(())},
    nll=lambda params, x, mean: gaussian_nll(_flat(x), _flat(mean), params["log_std"]),
    mean=lambda mean: mean,
)
"""For any real vectors; one noise scale for all features, learned with the rest (its optimum maximises the
ELBO: Rybkin, Daniilidis and Levine, Simple and Effective VAE Training with Calibrated Decoders, 2021)."""

SQUARED = Likelihood(
    init=dict,
    nll=lambda params, x, output: jnp.sum(jnp.square(_flat(x) - jax.nn.sigmoid(_flat(output))), axis=-1),
    mean=jax.nn.sigmoid,
)
"""Squared error of values in [0, 1], from the sigmoid of the decoder's output: up to a constant -log p(x) of a Gaussian
of variance 1/2. The reconstruction of the dynamic beta-VAE (Rydhmer and Selvan 2021)."""

LIKELIHOODS = {"bernoulli": BERNOULLI, "gaussian": GAUSSIAN, "squared": SQUARED}
