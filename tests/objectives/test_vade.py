"""VaDE's bound: every term against Monte Carlo, the whole against the probability it bounds."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats
from sklearn.mixture import GaussianMixture

from vaeclust_jax.objectives.elbo import kl_to_standard_normal
from vaeclust_jax.objectives.vade import (
    Prior,
    cluster_divergence,
    code_divergence,
    divergence,
    expected_log_posterior,
    log_posterior,
)

DRAWS = 200_000
seeds = st.integers(0, 2**32 - 1)


def made(seed: int, k: int = 3, num_latents: int = 2) -> tuple[Prior, np.ndarray, np.ndarray]:
    """A mixture of clusters that overlap, and a posterior."""
    rng = np.random.default_rng(seed)
    prior = Prior(*(jnp.asarray(rng.normal(size=shape), jnp.float32) for shape in ((k,), (k, num_latents)) * 1),
                  jnp.asarray(rng.normal(0, 0.5, (k, num_latents)), jnp.float32))  # fmt: skip
    return prior, rng.normal(size=num_latents), rng.normal(-0.5, 0.5, num_latents)


def log_prior(prior: Prior, z: np.ndarray) -> np.ndarray:
    """log p(z, c), (n, k), from scipy's densities."""
    weights = special.log_softmax(np.asarray(prior.logits, float))
    scales = np.exp(np.asarray(prior.logvars, float) / 2)
    parts = zip(weights, np.asarray(prior.means, float), scales, strict=True)
    return np.stack([weight + stats.norm.logpdf(z, mean, scale).sum(axis=-1) for weight, mean, scale in parts], axis=-1)


def draws_of(mean: np.ndarray, logvar: np.ndarray, count: int = DRAWS) -> tuple[np.ndarray, np.ndarray]:
    z = mean + np.exp(logvar / 2) * np.random.default_rng(7).normal(size=(count, len(mean)))
    return z, stats.norm.logpdf(z, mean, np.exp(logvar / 2)).sum(axis=-1)


def check_mean(values: np.ndarray, expected: float) -> None:
    error = values.std(ddof=1) / np.sqrt(len(values))
    assert abs(values.mean() - expected) < 3 * error + 1e-6, (values.mean(), expected, error)


@pytest.mark.parametrize("seed", range(4))
def test_the_divergence_of_the_code_is_its_integral(seed):
    prior, mean, logvar = made(seed)
    z, log_q = draws_of(mean, logvar)
    given_cluster = log_prior(prior, z) - special.log_softmax(np.asarray(prior.logits, float))
    for cluster, found in enumerate(code_divergence(prior, jnp.asarray(mean), jnp.asarray(logvar))):
        check_mean(log_q - given_cluster[:, cluster], float(found))


@pytest.mark.parametrize("seed", range(4))
def test_the_divergence_of_the_cluster_is_its_sum(seed):
    prior = made(seed)[0]
    q = np.random.default_rng(seed).dirichlet(np.ones(3))
    q[0], q[1] = 0.0, q[0] + q[1]  # 0 log 0 = 0
    weights = special.softmax(np.asarray(prior.logits, float))
    with np.errstate(divide="ignore"):
        found = cluster_divergence(prior, jnp.log(jnp.asarray(q)))
    assert float(found) == pytest.approx(stats.entropy(q, weights), rel=1e-5)


def test_the_posterior_is_that_of_scikit_learn():
    prior, _, _ = made(5, k=4, num_latents=3)
    mixture = GaussianMixture(4, covariance_type="diag")
    mixture.weights_ = special.softmax(np.asarray(prior.logits, float))
    mixture.means_ = np.asarray(prior.means, float)
    mixture.covariances_ = np.exp(np.asarray(prior.logvars, float))
    mixture.precisions_cholesky_ = 1 / np.sqrt(mixture.covariances_)
    z = np.random.default_rng(0).normal(0, 3, (50, 3))
    np.testing.assert_allclose(np.exp(log_posterior(prior, jnp.asarray(z))), mixture.predict_proba(z), atol=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_the_expected_posterior_is_its_average_over_codes(seed):
    prior, mean, logvar = made(seed)
    z, _ = draws_of(mean, logvar)
    joint = log_prior(prior, z)
    posterior = np.exp(joint - special.logsumexp(joint, axis=1, keepdims=True))
    found = np.exp(expected_log_posterior(jax.random.key(seed), prior, jnp.asarray(mean), jnp.asarray(logvar), 20_000))
    assert found.sum() == pytest.approx(1, abs=1e-4)
    errors = posterior.std(axis=0) * np.sqrt(1 / 20_000 + 1 / DRAWS)
    assert (np.abs(found - posterior.mean(axis=0)) < 4 * errors + 1e-4).all()


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("from_mean", [True, False])
def test_the_bound_is_below_the_probability_it_bounds(seed, from_mean):
    """x | z ~ N(W z, 1): log p(x) by importance sampling, the ELBO with its first term by Monte Carlo."""
    prior, mean, logvar = made(seed)
    rng = np.random.default_rng(seed)
    w, x = rng.normal(size=(2, 5)), rng.normal(size=5)
    z, log_q = draws_of(mean, logvar)
    log_likelihood = stats.norm.logpdf(x, z @ w, 1).sum(axis=1)
    log_ratio = log_likelihood + special.logsumexp(log_prior(prior, z), axis=1) - log_q
    log_px = special.logsumexp(log_ratio) - np.log(DRAWS)
    at_mean = log_posterior(prior, jnp.asarray(mean, jnp.float32))
    cluster = at_mean if from_mean else jnp.log(jnp.asarray(rng.dirichlet(np.ones(3)), jnp.float32))
    elbo = log_likelihood.mean() - float(divergence(prior, jnp.asarray(mean), jnp.asarray(logvar), cluster))
    assert elbo < log_px


def test_one_standard_normal_cluster_is_the_vae():
    _, mean, logvar = made(1)
    prior = Prior(jnp.zeros(1), jnp.zeros((1, 2)), jnp.zeros((1, 2)))
    found = divergence(prior, jnp.asarray(mean), jnp.asarray(logvar), jnp.zeros(1))
    assert float(found) == pytest.approx(float(kl_to_standard_normal(jnp.asarray(mean), jnp.asarray(logvar))), rel=1e-5)


@pytest.mark.long
@settings(max_examples=25, deadline=None)
@given(seeds, st.floats(-30, 30), st.floats(-20, 20))
def test_values_and_gradients_are_finite_far_from_every_cluster(seed, at, logvar):
    prior, mean, _ = made(seed)

    def loss(prior, mean, logvar):
        return divergence(prior, mean, logvar, log_posterior(prior, mean))

    arguments = (prior, jnp.asarray(mean + at, jnp.float32), jnp.full(2, logvar, jnp.float32))
    value, gradients = jax.value_and_grad(loss, (0, 1, 2))(*arguments)
    chex.assert_tree_all_finite((value, gradients))
    assert value >= -1e-3, "both parts are divergences"
