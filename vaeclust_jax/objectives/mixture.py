"""A mixture of Gaussians: densities, the two steps of EM, draws, and the criteria that count its parameters.

Source: Bishop, Pattern Recognition and Machine Learning, 2006, section 9.2.2 (Eq. 9.23 to 9.27). The numbers are
those of scikit-learn's `GaussianMixture`, whose regularisation is used too. Everything is pure, in log space and
through Cholesky factors. Densities are in nats.

Arrays are turned to (features, samples) inside, and sums over a few features or components are products with ones:
so XLA runs along the samples on a CPU, where its own sums over a short axis are many times slower.
"""

from functools import partial
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from vaeclust_jax.random import normal
from vaeclust_jax.types import Key

CovarianceType = Literal["full", "tied", "diag", "spherical"]

_LOG_2PI = 1.8378770664093453
_product = partial(jnp.matmul, precision="highest")  # else an accelerator may keep 10 bits of a float32


class Mixture(NamedTuple):
    """sum_k w_k N(mean_k, covariance_k).

    The shape of the covariances says of which type they are, so that no function but `m_step` needs to be told.
    """

    log_weights: Float[Array, " k"]
    """log w_k; the weights sum to one."""
    means: Float[Array, "k l"]
    covariances: Float[Array, "..."]
    """full (k, l, l), tied (1, l, l), diag (k, l) variances, spherical (k, 1) variances."""


def e_step(mixture: Mixture, x: Float[Array, "n l"]) -> tuple[Float[Array, "n k"], Float[Array, " n"]]:
    """log p(k | x_i) and log p(x_i) = logsumexp_k(log w_k + log N(x_i; mean_k, covariance_k)), nats (Eq. 9.23)."""
    columns = x.T

    def visit(highest: Array, component: tuple[Array, ...]) -> tuple[Array, Array]:
        log_scale, mean, whitener = component
        # Differences first: whitening x and the mean apart loses the digits they share.
        white = _whiten(whitener, columns - mean[:, None])
        log_joint = log_scale - 0.5 * _sum_rows(jnp.square(white))
        return jnp.maximum(highest, log_joint), log_joint

    whiteners, log_determinants = _whiteners(mixture)
    log_scales = mixture.log_weights + log_determinants - 0.5 * x.shape[1] * _LOG_2PI
    highest, log_joint = jax.lax.scan(
        visit, jnp.full(len(x), -jnp.inf, x.dtype), (log_scales, mixture.means, whiteners)
    )
    total = highest + jnp.log(_sum_rows(jnp.exp(log_joint - highest[None])))
    return (log_joint - total[None]).T, total


def m_step(
    log_responsibilities: Float[Array, "n k"],
    x: Float[Array, "n l"],
    covariance_type: CovarianceType = "full",
    regularisation: float = 1e-6,
    weight: Float[Array, " n"] | None = None,
) -> Mixture:
    """The mixture that the responsibilities give (Eq. 9.24 to 9.27).

    Covariances are taken about the new means in a second pass, so that small clusters far from the origin keep
    their digits.

    Args:
        log_responsibilities: log p(k | x_i); rows sum to one.
        x: best centred, in float32.
        covariance_type: of the result.
        regularisation: added to all variances, in squared units of x; keeps covariances of few samples or of
            constant features from collapsing.
        weight: what each sample counts; None: all the same.
    """
    responsibilities, columns = jnp.exp(log_responsibilities.T), x.T
    if weight is not None:
        responsibilities = responsibilities * weight[None]
    tiny = 10 * jnp.finfo(x.dtype).eps  # scikit-learn's; a component without samples stays finite
    counts = _product(responsibilities, jnp.ones(len(x), x.dtype)) + tiny
    means = _product(responsibilities, x) / counts[:, None]

    def scatter(component: tuple[Array, Array]) -> Array:
        weight, mean = component
        difference = columns - mean[:, None]
        if covariance_type in ("full", "tied"):
            return _product(weight[None] * difference, difference.T)
        return _product(jnp.square(difference), weight)

    covariances = jax.lax.map(scatter, (responsibilities, means))
    total = counts.sum()
    if covariance_type == "tied":
        covariances = covariances.sum(axis=0, keepdims=True) / total
    else:
        covariances /= counts.reshape(-1, *(1,) * (covariances.ndim - 1))
    if covariance_type == "spherical":
        covariances = covariances.mean(axis=1, keepdims=True)
    ridge = jnp.eye(x.shape[1], dtype=x.dtype)[None] if covariances.ndim == 3 else 1
    return Mixture(jnp.log(counts / total), means, covariances + regularisation * ridge)


def _whiteners(mixture: Mixture) -> tuple[Float[Array, "k ..."], Float[Array, " k"]]:
    """W_k with W_k covariance_k W_k^T = I, a matrix or its diagonal; and log |W_k|."""
    means, covariances = mixture.means, mixture.covariances
    if covariances.ndim == 2:
        whiteners = jnp.broadcast_to(1 / jnp.sqrt(covariances), means.shape)
        return whiteners, jnp.log(whiteners).sum(axis=1)
    eye = jnp.broadcast_to(jnp.eye(means.shape[1], dtype=covariances.dtype), covariances.shape)
    whiteners = jax.scipy.linalg.solve_triangular(jnp.linalg.cholesky(covariances), eye, lower=True)
    log_determinants = jnp.log(jnp.diagonal(whiteners, axis1=1, axis2=2)).sum(axis=1)
    tied_too = (*means.shape, means.shape[1])
    return jnp.broadcast_to(whiteners, tied_too), jnp.broadcast_to(log_determinants, len(means))


def _whiten(whitener: Float[Array, "..."], difference: Float[Array, "l n"]) -> Float[Array, "l n"]:
    return _product(whitener, difference) if whitener.ndim == 2 else whitener[:, None] * difference


def _sum_rows(values: Float[Array, "m n"]) -> Float[Array, " n"]:
    return _product(jnp.ones(len(values), values.dtype), values)


def num_parameters(mixture: Mixture) -> int:
    """How many numbers are free: weights (all but one), means, and covariances, of which one triangle counts."""
    covariances = mixture.covariances
    free = covariances.size
    if covariances.ndim == 3:
        num_features = covariances.shape[1]
        free = len(covariances) * num_features * (num_features + 1) // 2
    return len(mixture.means) - 1 + mixture.means.size + free


def bic(mixture: Mixture, x: Float[Array, "n l"]) -> Float[Array, ""]:
    """Bayesian information criterion -2 log p(x) + (parameters) log n, the lower the better (Schwarz 1978)."""
    return -2 * e_step(mixture, x)[1].sum() + num_parameters(mixture) * jnp.log(float(len(x)))


def aic(mixture: Mixture, x: Float[Array, "n l"]) -> Float[Array, ""]:
    """Akaike information criterion -2 log p(x) + 2 (parameters), the lower the better (Akaike 1974)."""
    return -2 * e_step(mixture, x)[1].sum() + 2 * num_parameters(mixture)


def sample(
    key: Key, mixture: Mixture, num_samples: int, component: Int[Array, ""] | int | None = None
) -> Float[Array, "n l"]:
    """Draws of the mixture, or of one of its components.

    Args:
        key: of `jax.random.key`.
        mixture: what to draw from.
        num_samples: n, static.
        component: from 0; None draws it by the weights.
    """
    component_key, noise_key = jax.random.split(key)
    if component is None:
        components = jax.random.categorical(component_key, mixture.log_weights, shape=(num_samples,))
    else:
        components = jnp.full(num_samples, component)
    means = mixture.means[components]
    noise = normal(noise_key, means.shape, means.dtype)
    covariances = jnp.broadcast_to(mixture.covariances, (len(mixture.means), *mixture.covariances.shape[1:]))
    if covariances.ndim == 2:
        return means + jnp.sqrt(covariances)[components] * noise
    return means + jnp.einsum("nij,nj->ni", jnp.linalg.cholesky(covariances)[components], noise)
