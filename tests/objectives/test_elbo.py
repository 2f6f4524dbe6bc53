import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import special, stats

from vaeclust_jax.objectives import elbo
from vaeclust_jax.objectives.elbo import BERNOULLI, GAUSSIAN, LIKELIHOODS, SQUARED

# Compiled, as in training.
kl_to_standard_normal = jax.jit(elbo.kl_to_standard_normal)
sample_posterior = jax.jit(elbo.sample_posterior)
bernoulli_nll = jax.jit(elbo.bernoulli_nll)
gaussian_nll = jax.jit(elbo.gaussian_nll)


def rows(low, high):
    return hnp.arrays(np.float64, (4, 3), elements=st.floats(low, high))


def check_finite_with_gradients(function, *arrays):
    """Value and gradient in every argument, in float32 as in training."""
    arrays = [jnp.asarray(a, jnp.float32) for a in arrays]
    arguments = tuple(range(len(arrays)))
    value, gradients = jax.jit(jax.value_and_grad(lambda *a: function(*a).sum(), arguments))(*arrays)
    chex.assert_tree_all_finite((value, gradients))
    return value, gradients


# KL(N(mean, exp(logvar)) || N(0, I)) -----------------------------------------------------------------


def test_kl_by_hand():
    assert kl_to_standard_normal(jnp.ones(2), jnp.zeros(2)) == 1.0  # 2 * (1 + 1 - 1 - 0) / 2
    assert kl_to_standard_normal(jnp.zeros(7), jnp.zeros(7)) == 0.0
    expected = 0.5 * (4.0 + 3.0 - 1.0 - np.log(3.0))  # one dimension: mean 2, variance 3
    assert float(kl_to_standard_normal(jnp.array([2.0]), jnp.log(jnp.array([3.0])))) == pytest.approx(expected)


@settings(max_examples=40, deadline=None)
@given(rows(-5, 5), rows(-6, 4))
def test_kl_equals_the_closed_form_and_is_never_negative(mean, logvar):
    variance = np.exp(logvar)
    expected = (mean**2 + variance - 1 - np.log(variance)).sum(axis=1) / 2
    with jax.enable_x64(True):
        kl = kl_to_standard_normal(jnp.asarray(mean), jnp.asarray(logvar))
    np.testing.assert_allclose(kl, expected, rtol=1e-12, atol=1e-12)
    assert np.all(np.asarray(kl) >= 0)


def test_kl_equals_its_monte_carlo_estimate():
    mean, logvar = np.array([0.7, -1.2, 0.1]), np.array([-1.0, 0.5, -3.0])
    std = np.exp(logvar / 2)
    z = np.random.default_rng(0).normal(mean, std, (100_000, 3))
    terms = (stats.norm.logpdf(z, mean, std) - stats.norm.logpdf(z)).sum(axis=1)
    error = terms.std(ddof=1) / np.sqrt(len(terms))
    assert abs(float(kl_to_standard_normal(jnp.asarray(mean), jnp.asarray(logvar))) - terms.mean()) < 3 * error
    assert error < 0.01  # the comparison above says something


def test_kl_keeps_its_digits_near_the_standard_normal():
    logvar = np.float32(1e-3)  # exp(l) - 1 - l = l^2 / 2 + l^3 / 6 + ...
    expected = 0.5 * (np.expm1(np.float64(logvar)) - np.float64(logvar))
    kl = kl_to_standard_normal(jnp.zeros(1), jnp.full(1, logvar))
    assert float(kl) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("logvar", [-80.0, 80.0])
def test_extreme_variances_keep_loss_and_gradient_finite(logvar):
    mean = np.linspace(-3, 3, 10)
    kl, (_, slope) = check_finite_with_gradients(kl_to_standard_normal, mean, np.full(10, logvar))
    np.testing.assert_allclose(slope, np.full(10, 0.5 * (np.exp(logvar) - 1)), rtol=1e-5)
    assert float(kl) == pytest.approx(0.5 * np.sum(mean**2 + np.exp(logvar) - 1 - logvar), rel=1e-5)
    z, _ = check_finite_with_gradients(
        lambda m, v: sample_posterior(jax.random.key(0), m, v), mean, np.full(10, logvar)
    )
    assert abs(float(z)) > 1e10 if logvar > 0 else abs(float(z)) < 1e-4


# Reparameterisation ----------------------------------------------------------------------------------


def test_draws_have_the_mean_and_variance_of_the_posterior():
    n = 40_000
    mean, logvar = np.array([1.5, -0.5, 0.0, 20.0]), np.array([0.0, -2.0, 1.0, -4.0])
    ones = jnp.ones((n, 1))
    z = np.asarray(sample_posterior(jax.random.key(3), ones * mean, ones * logvar), np.float64)
    variance = np.exp(logvar)
    assert np.all(abs(z.mean(axis=0) - mean) < 4 * np.sqrt(variance / n))
    assert np.all(abs(z.var(axis=0, ddof=1) - variance) < 4 * variance * np.sqrt(2 / (n - 1)))
    correlations = np.corrcoef(z.T)[np.triu_indices(4, 1)]
    assert np.all(abs(correlations) < 4 / np.sqrt(n))


def test_draws_are_normal():
    z = sample_posterior(jax.random.key(4), jnp.full((5_000, 1), 2.0), jnp.full((5_000, 1), np.log(9.0)))
    assert stats.kstest(np.asarray(z).ravel(), stats.norm(2, 3).cdf).pvalue > 1e-3


def test_draws_depend_on_the_key_alone():
    mean, logvar = jnp.zeros((3, 2)), jnp.zeros((3, 2))
    z = sample_posterior(jax.random.key(0), mean, logvar)
    np.testing.assert_array_equal(z, sample_posterior(jax.random.key(0), mean, logvar))
    assert not np.any(z == sample_posterior(jax.random.key(1), mean, logvar))
    assert len(np.unique(z)) == 6


def test_gradients_flow_through_the_draw():
    """z = mean + exp(logvar / 2) eps, so dz/dmean = 1 and dz/dlogvar = (z - mean) / 2."""
    mean, logvar = jnp.array([0.3, -2.0, 5.0]), jnp.array([-1.0, 0.4, 1.2])

    def draw(mean, logvar):
        return sample_posterior(jax.random.key(7), mean, logvar)

    by_mean, by_logvar = jax.jit(jax.grad(lambda m, v: draw(m, v).sum(), (0, 1)))(mean, logvar)
    np.testing.assert_allclose(by_mean, np.ones(3))
    np.testing.assert_allclose(by_logvar, (draw(mean, logvar) - mean) / 2, rtol=1e-5)


# Reconstruction --------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(rows(0, 1), rows(-15, 15))
def test_bernoulli_nll_equals_the_cross_entropy_of_probabilities(x, logits):
    p, not_p = 1 / (1 + np.exp(-logits)), 1 / (1 + np.exp(logits))
    expected = -(x * np.log(p) + (1 - x) * np.log(not_p)).sum(axis=1)
    with jax.enable_x64(True):
        nll = bernoulli_nll(jnp.asarray(x), jnp.asarray(logits))
    np.testing.assert_allclose(nll, expected, rtol=1e-11, atol=1e-12)


def test_bernoulli_nll_of_binary_pixels_equals_scipy():
    random = np.random.default_rng(1)
    logits, x = random.normal(0, 3, (6, 5)), random.integers(0, 2, (6, 5))
    expected = -stats.bernoulli.logpmf(x, special.expit(logits)).sum(axis=1)
    np.testing.assert_allclose(bernoulli_nll(jnp.asarray(x, jnp.float32), jnp.asarray(logits)), expected, rtol=1e-5)


def test_bernoulli_nll_by_hand():
    assert float(bernoulli_nll(jnp.array([0.0, 0.25, 1.0]), jnp.zeros(3))) == pytest.approx(3 * np.log(2))
    assert float(bernoulli_nll(jnp.ones(1), jnp.log(jnp.array([3.0])))) == pytest.approx(np.log(4 / 3))  # p = 3/4


@pytest.mark.parametrize("x", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("logit", [-1e4, 1e4])
def test_bernoulli_nll_and_its_gradient_stay_finite_at_extreme_logits(x, logit):
    value, (_, slope) = check_finite_with_gradients(bernoulli_nll, np.full(1, x), np.full(1, logit))
    probability = 1.0 if logit > 0 else 0.0
    assert float(value) == pytest.approx(abs(x - probability) * 1e4)
    assert float(slope[0]) == pytest.approx(probability - x)


@settings(max_examples=40, deadline=None)
@given(rows(-10, 10), rows(-10, 10), st.floats(-3, 3))
def test_gaussian_nll_equals_scipy(x, mean, log_std):
    expected = -stats.norm.logpdf(x, mean, np.exp(log_std)).sum(axis=1)
    with jax.enable_x64(True):
        nll = gaussian_nll(jnp.asarray(x), jnp.asarray(mean), jnp.asarray(log_std))
    np.testing.assert_allclose(nll, expected, rtol=1e-11, atol=1e-11)


def test_the_best_noise_scale_is_the_root_mean_square_error():
    random = np.random.default_rng(2)
    x, mean = random.normal(0, 2, (50, 3)), random.normal(0, 1, (50, 3))
    best = 0.5 * np.log(np.mean((x - mean) ** 2))
    with jax.enable_x64(True):

        @jax.jit
        def loss(log_std):
            return gaussian_nll(jnp.asarray(x), jnp.asarray(mean), log_std).mean()

        assert abs(jax.grad(loss)(best)) < 1e-12
        assert loss(best) < min(loss(best - 0.1), loss(best + 0.1))


@pytest.mark.parametrize("noise", [0.2, 1.0, 3.0])
def test_the_bound_is_the_log_evidence_at_the_exact_posterior(noise):
    """z ~ N(0, 1), x | z ~ N(z, noise^2): posterior and evidence in closed form, the rest by quadrature."""
    x = 1.3
    mean, variance = x / (1 + noise**2), noise**2 / (1 + noise**2)
    nodes, weights = np.polynomial.hermite_e.hermegauss(5)  # exact, as the log-likelihood is quadratic in z
    z = mean + np.sqrt(variance) * nodes
    evidence = stats.norm.logpdf(x, 0, np.sqrt(1 + noise**2))
    with jax.enable_x64(True):
        nll = gaussian_nll(jnp.full((5, 1), x), jnp.asarray(z)[:, None], jnp.log(noise))
        kl = kl_to_standard_normal(jnp.array([mean]), jnp.log(jnp.array([variance])))
        bound = float(-(nll @ weights / weights.sum()) - kl)
        worse = float(-(nll @ weights / weights.sum()) - 2 * kl)
    assert bound == pytest.approx(evidence, rel=1e-12)
    assert worse < evidence


# Per sample ------------------------------------------------------------------------------------------

log_std = jnp.asarray(0.3)
PER_SAMPLE = {
    "kl": kl_to_standard_normal,
    "bernoulli": lambda x, logits: bernoulli_nll(jax.nn.sigmoid(x), logits),
    "gaussian": lambda x, mean: gaussian_nll(x, mean, log_std),
}


@pytest.mark.parametrize("name", PER_SAMPLE)
def test_a_sample_is_scored_the_same_in_any_batch(name):
    function = jax.jit(PER_SAMPLE[name])
    a, b = (jax.random.normal(key, (5, 6)) for key in jax.random.split(jax.random.key(0)))
    together = function(a, b)
    assert together.shape == (5,)
    alone = np.stack([function(a[i], b[i]) for i in range(5)])
    np.testing.assert_allclose(together, alone, rtol=1e-5)
    assert len(np.unique(alone)) == 5
    np.testing.assert_allclose(function(a.reshape(5, 1, 6), b.reshape(5, 1, 6)), alone[:, None], rtol=1e-5)


# Likelihoods -----------------------------------------------------------------------------------------


def test_the_likelihoods_by_name():
    assert LIKELIHOODS == {"bernoulli": BERNOULLI, "gaussian": GAUSSIAN, "squared": SQUARED}
    assert BERNOULLI.init() == SQUARED.init() == {}
    chex.assert_trees_all_equal(GAUSSIAN.init(), {"log_std": jnp.zeros(())})


def test_squared_is_a_gaussian_of_variance_one_half_up_to_its_constant():
    random = np.random.default_rng(2)
    x, output = random.random((4, 5)), random.normal(size=(4, 5))
    mean = 1 / (1 + np.exp(-output))
    expected = -stats.norm.logpdf(x, mean, np.sqrt(0.5)).sum(axis=1) - 5 * np.log(np.pi) / 2
    np.testing.assert_allclose(SQUARED.nll({}, jnp.asarray(x), jnp.asarray(output)), expected, rtol=1e-5)
    np.testing.assert_allclose(SQUARED.mean(jnp.asarray(output)), mean, rtol=1e-6)


@pytest.mark.parametrize("shape", [(7,), (4, 3, 2)], ids=["vectors", "images"])
def test_nll_sums_over_all_features_of_a_sample(shape):
    random = np.random.default_rng(3)
    x, output = random.uniform(0, 1, (5, *shape)), random.normal(0, 2, (5, *shape))
    axes = tuple(range(1, x.ndim))
    cross_entropy = -(x * np.log(special.expit(output)) + (1 - x) * np.log(special.expit(-output)))
    density = stats.norm.logpdf(x, output, np.exp(-0.5))
    as32 = jnp.asarray(x, jnp.float32), jnp.asarray(output, jnp.float32)
    bernoulli = BERNOULLI.nll(BERNOULLI.init(), *as32)
    gaussian = GAUSSIAN.nll({"log_std": jnp.asarray(-0.5)}, *as32)
    assert bernoulli.shape == gaussian.shape == (5,)
    np.testing.assert_allclose(bernoulli, cross_entropy.sum(axis=axes), rtol=1e-5)
    np.testing.assert_allclose(gaussian, -density.sum(axis=axes), rtol=1e-5)


def test_the_mean_is_the_expected_x():
    output = np.random.default_rng(4).normal(0, 3, (3, 4, 2))
    np.testing.assert_allclose(BERNOULLI.mean(jnp.asarray(output)), special.expit(output), rtol=1e-5)
    np.testing.assert_array_equal(GAUSSIAN.mean(jnp.asarray(output)), output.astype(np.float32))
