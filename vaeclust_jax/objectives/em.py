"""Fitting a mixture of Gaussians by EM: starts, the loop, restarts; one compiled program, also under `vmap`.

The start, the order of steps and the criterion of convergence are those of scikit-learn's `GaussianMixture`, so that
the same start ends in the same mixture.
"""

from functools import partial
from typing import Literal, NamedTuple, get_args

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from vaeclust_jax.errors import InputError
from vaeclust_jax.for_each import for_each
from vaeclust_jax.objectives.average import average
from vaeclust_jax.objectives.kmeans import check_loop, check_vectors, kmeans
from vaeclust_jax.objectives.mixture import CovarianceType, Mixture, e_step, m_step
from vaeclust_jax.random import uniform
from vaeclust_jax.types import Key

Init = Literal["kmeans", "random"]


class MixtureFit(NamedTuple):
    """A mixture and how EM came to it."""

    mixture: Mixture
    log_likelihood: Float[Array, ""]
    """Mean of log p(x_i) under `mixture`, nats; -inf when a covariance stopped being positive definite."""
    iterations: Int[Array, ""]
    converged: Bool[Array, ""]
    history: Float[Array, " max_iterations"]
    """The mean log-likelihood before each step: never falls, but for the regularisation. The last one is repeated."""


def fit_mixture(
    key: Key,
    x: Float[Array, "n l"],
    num_components: int,
    covariance_type: CovarianceType = "full",
    num_restarts: int = 1,
    init: Init = "kmeans",
    tolerance: float = 1e-3,
    max_iterations: int = 100,
    regularisation: float = 1e-6,
    weight: Float[Array, " n"] | None = None,
) -> MixtureFit:
    """The mixture of the highest likelihood among several runs of EM.

    Works inside `jit` and `vmap`, where values of x cannot be checked; look at `log_likelihood` then.

    Args:
        key: of `jax.random.key`.
        x: finite vectors, at least K of them.
        num_components: K.
        covariance_type: "full", "tied" (one for all components), "diag" or "spherical".
        num_restarts: runs, each from a start of its own.
        init: responsibilities of the start: one run of k-means, or uniform random numbers.
        tolerance: a run ends when the mean log-likelihood changes by less, nats.
        max_iterations: of one run.
        regularisation: added to all variances, in squared units of x.
        weight: above 0, what each sample counts: one of weight 2 as two of them. None: all the same.

    Raises:
        InputError: x is not finite vectors, there are fewer than K, a choice or number is not allowed, or every run
            ended at a covariance that is not positive definite.
    """
    x = check_vectors(x, "num_components", num_components)
    check_loop(tolerance, max_iterations, num_restarts)
    _check_regularisation(regularisation)
    for name, value, kind in (("covariance_type", covariance_type, CovarianceType), ("init", init, Init)):
        if value not in get_args(kind):
            raise InputError(f"{name} must be one of {', '.join(get_args(kind))}, got {value!r}.")
    fit = _fit(
        key, x, tolerance, regularisation, num_components, covariance_type, num_restarts, init, max_iterations, weight
    )
    return _check_definite(fit, regularisation)


def em_from(
    mixture: Mixture,
    x: Float[Array, "n l"],
    tolerance: float = 1e-3,
    max_iterations: int = 100,
    regularisation: float = 1e-6,
    weight: Float[Array, " n"] | None = None,
) -> MixtureFit:
    """One run of EM from a given mixture, whose type of covariance it keeps; see `fit_mixture`.

    Raises:
        InputError: as for `fit_mixture`.
    """
    x = check_vectors(x, "num_components", len(mixture.means))
    if mixture.means.shape[1] != x.shape[1]:
        raise InputError(f"mixture must have the features of x, {x.shape[1]}, got {mixture.means.shape[1]}.")
    check_loop(tolerance, max_iterations)
    _check_regularisation(regularisation)
    mixture = jax.tree.map(lambda values: jnp.asarray(values, x.dtype), mixture)
    return _check_definite(_fit_from(mixture, x, tolerance, regularisation, max_iterations, weight), regularisation)


@partial(jax.jit, static_argnames=("num_components", "covariance_type", "num_restarts", "init", "max_iterations"))
def _fit(
    key: Key,
    x: Float[Array, "n l"],
    tolerance: float,
    regularisation: float,
    num_components: int,
    covariance_type: CovarianceType,
    num_restarts: int,
    init: Init,
    max_iterations: int,
    weight: Float[Array, " n"] | None,
) -> MixtureFit:
    centre = average(x, weight)
    centred = x - centre[None]

    def run(key: Key) -> MixtureFit:
        start = _start(key, centred, num_components, init, weight)
        mixture = m_step(start, centred, covariance_type, regularisation, weight)
        return _iterate(mixture, centred, tolerance, regularisation, max_iterations, weight)

    runs = for_each(run, jax.random.split(key, num_restarts))
    best = jax.tree.map(lambda values: values[jnp.argmax(runs.log_likelihood)], runs)
    return best._replace(mixture=_shift(best.mixture, centre))


@partial(jax.jit, static_argnames="max_iterations")
def _fit_from(
    mixture: Mixture,
    x: Float[Array, "n l"],
    tolerance: float,
    regularisation: float,
    max_iterations: int,
    weight: Float[Array, " n"] | None,
) -> MixtureFit:
    centre = average(x, weight)
    fit = _iterate(_shift(mixture, -centre), x - centre[None], tolerance, regularisation, max_iterations, weight)
    return fit._replace(mixture=_shift(fit.mixture, centre))


def _shift(mixture: Mixture, by: Float[Array, " l"]) -> Mixture:
    return mixture._replace(means=mixture.means + by[None])


def _start(
    key: Key, x: Float[Array, "n l"], num_components: int, init: Init, weight: Float[Array, " n"] | None
) -> Float[Array, "n k"]:
    """Log-responsibilities: one-hot by k-means, or random."""
    if init == "kmeans":
        labels = kmeans(key, x, num_components, num_restarts=1, weight=weight).labels
        return jnp.log(jax.nn.one_hot(labels, num_components, dtype=x.dtype))
    random = 1 - uniform(key, (len(x), num_components), x.dtype)  # in (0, 1]: a row of zeros has no shares
    return jnp.log(random / random.sum(axis=1, keepdims=True))


class _Progress(NamedTuple):
    mixture: Mixture
    history: Float[Array, " max_iterations"]
    iterations: Int[Array, ""]
    change: Float[Array, ""]


def _iterate(
    mixture: Mixture,
    x: Float[Array, "n l"],
    tolerance: float,
    regularisation: float,
    max_iterations: int,
    weight: Float[Array, " n"] | None,
) -> MixtureFit:
    """E and M steps until the bound stays; under `vmap` until all have ended, those that have are frozen.

    Args:
        mixture: the start.
        x: centred, so that float32 keeps the digits of small clusters far from the origin.
        tolerance: see `fit_mixture`, as the rest.
        regularisation: see there.
        max_iterations: see there.
        weight: see there.
    """
    covariance_type = _covariance_type(mixture)

    def iterate(now: _Progress) -> _Progress:
        log_responsibilities, log_likelihoods = e_step(now.mixture, x)
        bound = average(log_likelihoods, weight)
        change = jnp.abs(bound - now.history[-1])
        history = jnp.where(jnp.arange(max_iterations) >= now.iterations, bound, now.history)
        mixture = m_step(log_responsibilities, x, covariance_type, regularisation, weight)
        return _Progress(mixture, history, now.iterations + 1, change)

    history = jnp.full(max_iterations, -jnp.inf, x.dtype)
    start = _Progress(mixture, history, jnp.zeros((), int), jnp.full((), jnp.inf, x.dtype))
    # A change that is not a number ends the run too: a covariance had no Cholesky factor.
    end = jax.lax.while_loop(lambda now: (now.iterations < max_iterations) & (now.change >= tolerance), iterate, start)
    log_likelihood = average(e_step(end.mixture, x)[1], weight)
    log_likelihood = jnp.where(jnp.isfinite(log_likelihood), log_likelihood, -jnp.inf)
    return MixtureFit(end.mixture, log_likelihood, end.iterations, end.change < tolerance, end.history)


def _covariance_type(mixture: Mixture) -> CovarianceType:
    """By shape; where two fit, K = 1 or one feature, they are the same model."""
    means, covariances = mixture.means, mixture.covariances
    if covariances.ndim == 3:
        return "full" if len(covariances) == len(means) else "tied"
    return "diag" if covariances.shape == means.shape else "spherical"


def _check_regularisation(regularisation: float) -> None:
    if not regularisation >= 0:
        raise InputError(f"regularisation must be at least 0, got {regularisation!r}.")


def _check_definite(fit: MixtureFit, regularisation: float) -> MixtureFit:
    if not isinstance(fit.log_likelihood, jax.core.Tracer) and fit.log_likelihood == -jnp.inf:
        raise InputError(
            "regularisation must be large enough to keep the covariances of few, equal or dependent samples "
            f"positive definite, got {regularisation}."
        )
    return fit
