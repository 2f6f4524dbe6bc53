"""The mixture's densities, steps, criteria and draws, against scipy, scikit-learn and formulas in NumPy."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import logsumexp
from sklearn.mixture import GaussianMixture

from vaeclust_jax.objectives.mixture import Mixture, aic, bic, e_step, m_step, num_parameters, sample

TYPES = ["full", "tied", "diag", "spherical"]
N, K, L = 40, 3, 4
seeds = st.integers(0, 2**32 - 1)
types = st.sampled_from(TYPES)


def made_mixture(covariance_type: str, seed: int = 0, k: int = K, l: int = L) -> Mixture:  # noqa: E741
    """NumPy arrays in float64; components differ 100 times in scale."""
    rng = np.random.default_rng(seed)
    scales = 10.0 ** rng.uniform(-1, 1, k)
    shape = {"full": (k, l, l), "tied": (1, l, l), "diag": (k, l), "spherical": (k, 1)}[covariance_type]
    if len(shape) == 3:
        roots = rng.normal(size=(*shape[:2], l + 2))
        covariances = roots @ roots.transpose(0, 2, 1) * scales[: shape[0], None, None] ** 2
    else:
        covariances = rng.uniform(0.5, 2, shape) * scales[:, None] ** 2
    return Mixture(np.log(rng.dirichlet(np.ones(k))), rng.normal(0, 5, (k, l)), covariances)


def whole_covariances(mixture: Mixture) -> np.ndarray:
    """(k, l, l) of any type."""
    k, l = mixture.means.shape  # noqa: E741
    if mixture.covariances.ndim == 3:
        return np.broadcast_to(mixture.covariances, (k, l, l))
    return np.stack([np.diag(row) for row in np.broadcast_to(mixture.covariances, (k, l))])


def log_joint(mixture: Mixture, x: np.ndarray) -> np.ndarray:
    densities = [
        stats.multivariate_normal(mean, covariance).logpdf(x)
        for mean, covariance in zip(mixture.means, whole_covariances(mixture), strict=True)
    ]
    return np.stack(densities, axis=1) + mixture.log_weights


def formula(resp: np.ndarray, x: np.ndarray, covariance_type: str, regularisation: float) -> Mixture:
    """The M step by sums over samples, with scikit-learn's small addition to the counts."""
    counts = resp.sum(axis=0) + 10 * np.finfo(x.dtype).eps
    means = resp.T @ x / counts[:, None]
    centred = x[:, None] - means
    full = np.einsum("nk,nki,nkj->kij", resp, centred, centred) / counts[:, None, None]
    variances = np.diagonal(full, axis1=1, axis2=2)
    ridge = regularisation * np.eye(x.shape[1])
    covariances = {
        "full": full + ridge,
        "tied": (full * counts[:, None, None]).sum(axis=0, keepdims=True) / counts.sum() + ridge,
        "diag": variances + regularisation,
        "spherical": variances.mean(axis=1, keepdims=True) + regularisation,
    }[covariance_type]
    return Mixture(np.log(counts / counts.sum()), means, covariances)


# Densities -------------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(types, seeds)
def test_e_step_equals_scipy(covariance_type, seed):
    mixture = made_mixture(covariance_type, seed)
    x = np.random.default_rng(seed).normal(0, 5, (N, L))
    expected = log_joint(mixture, x)
    with jax.enable_x64(True):
        log_responsibilities, log_likelihood = e_step(jax.tree.map(jnp.asarray, mixture), jnp.asarray(x))
    total = logsumexp(expected, axis=1)
    np.testing.assert_allclose(log_likelihood, total, rtol=1e-10)
    np.testing.assert_allclose(log_responsibilities, expected - total[:, None], rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_e_step_in_float32_keeps_small_clusters_far_from_the_origin(covariance_type):
    """A cluster of scale 0.01 at distance 100: expanded squares would lose all digits."""
    mixture = made_mixture(covariance_type)
    covariances = mixture.covariances * (1e-4 / np.abs(mixture.covariances).max())
    mixture = Mixture(mixture.log_weights, np.full((K, L), 100.0) + np.arange(K)[:, None], covariances)
    noise = np.random.default_rng(0).multivariate_normal(np.zeros(L), whole_covariances(mixture)[0], N)
    small, x = jax.tree.map(np.float32, mixture), (mixture.means[0] + noise).astype(np.float32)
    rounded = jax.tree.map(np.float64, small)
    expected = logsumexp(log_joint(rounded, x.astype(np.float64)), axis=1)
    np.testing.assert_allclose(e_step(small, jnp.asarray(x))[1], expected, rtol=1e-4, atol=1e-4)


def test_samples_far_from_every_component_stay_finite():
    mixture = jax.tree.map(np.float32, made_mixture("full"))
    log_responsibilities, log_likelihood = e_step(mixture, jnp.full((2, L), 1e6))
    assert np.all(log_likelihood < -1e6)
    chex.assert_tree_all_finite((log_responsibilities, log_likelihood))
    np.testing.assert_allclose(np.exp(log_responsibilities).sum(axis=1), 1, rtol=1e-5)


# Steps -----------------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(types, seeds, st.sampled_from([0.0, 1e-6, 0.3]))
def test_m_step_equals_its_formula(covariance_type, seed, regularisation):
    rng = np.random.default_rng(seed)
    x, resp = rng.normal(0, 3, (N, L)), rng.dirichlet(np.full(K, 0.3), N)
    with jax.enable_x64(True):
        found = m_step(jnp.log(jnp.asarray(resp)), jnp.asarray(x), covariance_type, regularisation)
    chex.assert_trees_all_equal_shapes(found, made_mixture(covariance_type))
    chex.assert_trees_all_close(found, formula(resp, x, covariance_type, regularisation), rtol=1e-9, atol=1e-12)


def test_m_step_of_whole_samples_gives_means_and_covariances_of_the_groups():
    labels = np.arange(N) % K
    x = np.random.default_rng(0).normal(size=(N, L)) + labels[:, None]
    with jax.enable_x64(True):
        found = m_step(jnp.log(jnp.eye(K)[labels]), jnp.asarray(x), regularisation=0.0)
    for group in range(K):
        np.testing.assert_allclose(found.means[group], x[labels == group].mean(axis=0))
        np.testing.assert_allclose(found.covariances[group], np.cov(x[labels == group].T, ddof=0), rtol=1e-9)
    np.testing.assert_allclose(np.exp(found.log_weights), np.bincount(labels) / N)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_m_step_in_float32_keeps_the_covariance_of_a_small_cluster_far_from_the_origin(covariance_type):
    rng = np.random.default_rng(0)
    labels = np.arange(3000) % K
    scales = np.full(K, 0.01) if covariance_type == "tied" else np.array([10, 1, 0.01])
    x = (100.0 * labels[:, None] + scales[labels][:, None] * rng.normal(size=(3000, L))).astype(np.float32)
    resp = np.eye(K)[labels]
    found = m_step(jnp.log(jnp.asarray(resp, jnp.float32)), jnp.asarray(x), covariance_type, 0.0)
    expected = formula(resp, x.astype(np.float64), covariance_type, 0.0)
    size = np.abs(expected.covariances).reshape(len(expected.covariances), -1).max(axis=1)
    error = np.abs(found.covariances - expected.covariances).reshape(len(size), -1).max(axis=1)
    assert np.all(error < 1e-3 * size)


def test_a_component_without_samples_stays_finite():
    log_responsibilities = jnp.log(jnp.eye(K)[np.zeros(N, int)])
    mixture = m_step(log_responsibilities, jax.random.normal(jax.random.key(0), (N, L)))
    chex.assert_tree_all_finite(mixture)
    chex.assert_tree_all_finite(e_step(mixture, jnp.ones((2, L))))


@pytest.mark.parametrize("covariance_type", TYPES)
def test_the_steps_work_under_vmap(covariance_type):
    xs = jax.random.normal(jax.random.key(0), (3, N, L))
    starts = jax.nn.log_softmax(jax.random.normal(jax.random.key(1), (3, N, K)))

    def both(start, x):
        mixture = m_step(start, x, covariance_type)
        return mixture, e_step(mixture, x)

    found = jax.jit(jax.vmap(both))(starts, xs)
    for number in range(3):
        alone = both(starts[number], xs[number])
        one = jax.tree.map(lambda leaf, number=number: leaf[number], found)
        chex.assert_trees_all_close(one, alone, rtol=1e-4, atol=1e-5)


# Criteria --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize("k", [1, K])
def test_criteria_equal_scikit_learn(covariance_type, k):
    x = np.random.default_rng(0).normal(size=(N, L))
    peer = GaussianMixture(k, covariance_type=covariance_type, random_state=0).fit(x)
    shape = made_mixture(covariance_type, k=k).covariances.shape
    with jax.enable_x64(True):
        mixture = Mixture(np.log(peer.weights_), jnp.asarray(peer.means_), peer.covariances_.reshape(shape))
        found = float(bic(mixture, jnp.asarray(x))), float(aic(mixture, jnp.asarray(x)))
    assert num_parameters(mixture) == peer._n_parameters()
    assert found == pytest.approx((peer.bic(x), peer.aic(x)), rel=1e-9)


# Draws -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("covariance_type", TYPES)
def test_draws_of_a_component_have_its_mean_and_covariance(covariance_type):
    mixture, n = made_mixture(covariance_type), 20_000
    drawn = np.asarray(sample(jax.random.key(0), jax.tree.map(jnp.float32, mixture), n, component=1), np.float64)
    covariance = whole_covariances(mixture)[1]
    scale = np.sqrt(np.diag(covariance))
    assert np.all(np.abs(drawn.mean(axis=0) - mixture.means[1]) < 4 * scale / np.sqrt(n))
    standard_error = np.sqrt((np.outer(scale, scale) ** 2 + covariance**2) / n)  # of a Gaussian's covariance
    assert np.all(np.abs(np.cov(drawn.T) - covariance) < 5 * standard_error)


def test_draws_follow_the_weights():
    mixture = Mixture(jnp.log(jnp.array([0.7, 0.1, 0.2])), jnp.array([[0.0], [10.0], [20.0]]), jnp.ones((3, 1)))
    drawn = np.asarray(sample(jax.random.key(0), mixture, 6000))
    counts = np.bincount(np.rint(drawn[:, 0] / 10).astype(int).clip(0, 2))
    assert stats.chisquare(counts, [4200, 600, 1200]).pvalue > 1e-3


def test_draws_depend_on_the_key_alone_and_the_component_may_be_traced():
    mixture = jax.tree.map(jnp.float32, made_mixture("full"))
    draw = jax.jit(lambda key, component: sample(key, mixture, 5, component))
    first, again, other = (draw(jax.random.key(seed), 2) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).min() > 0
    np.testing.assert_allclose(first, sample(jax.random.key(0), mixture, 5, 2), rtol=1e-4, atol=1e-4)
