import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import special, stats
from scipy.spatial.distance import cdist

from vaeclust_jax.errors import InputError
from vaeclust_jax.methods.dec_learner import dec, dec_heads
from vaeclust_jax.methods.vae import vae, vae_heads
from vaeclust_jax.networks import MLP
from vaeclust_jax.objectives.dec import log_soft_assignment
from vaeclust_jax.types import Batch, Network, Networks
from vaeclust_jax.uncertainty import assignment_energy
from vaeclust_jax.uncertainty.outliers import latent_distance, negative_elbo

N, K, L, F = 20, 3, 2, 5
KEY = jax.random.key(0)
MLP = MLP(latent_dim=L, hidden=(8,)).build((F,))
X = np.random.default_rng(0).uniform(size=(N, F)).astype(np.float32)

codes = hnp.arrays(np.float64, (6, L), elements=st.floats(-8, 8))
centroids = hnp.arrays(np.float64, (K, L), elements=st.floats(-8, 8))


def kl_to_prior(mean, logvar):
    return (mean**2 + np.exp(logvar) - 1 - logvar).sum(axis=1) / 2


# Pixels ----------------------------------------------------------------------------------------------

W = np.array([[2.0, 0.3], [1.0, -0.6], [0.0, 0.8]])  # orthogonal columns: the exact posterior is diagonal
NOISE = 0.7


def exact_encoder(params, x):
    """p(z|x) of x = W z + noise, z ~ N(0, I)."""
    precision = 1 + jnp.asarray((W**2).sum(axis=0)) / NOISE**2
    mean = x @ W / NOISE**2 / precision
    return mean, jnp.broadcast_to(-jnp.log(precision), mean.shape)


LINEAR = Networks(Network(lambda key: {}, exact_encoder), Network(lambda key: {}, lambda params, z: z @ W.T))


def test_negative_elbo_of_the_exact_posterior_is_minus_log_p():
    """x ~ N(0, W W' + noise^2 I) in closed form; the bound is tight, so what is left is the noise of the draws."""
    draws = 4000
    x = np.array([[0.5, -1.0, 2.0], [0.0, 0.0, 0.0], [6.0, 1.0, -3.0]])
    params = {"encoder": {}, "decoder": {}, "likelihood": {"log_std": jnp.log(NOISE)}}
    found = negative_elbo(KEY, vae_heads(LINEAR, "gaussian"), params, x, draws)
    expected = -stats.multivariate_normal(np.zeros(3), W @ W.T + NOISE**2 * np.eye(3)).logpdf(x)
    mean, logvar = map(np.asarray, exact_encoder({}, x))
    z = np.random.default_rng(0).normal(mean, np.exp(logvar / 2), (5000, *mean.shape))
    error = (((x - z @ W.T) ** 2).sum(axis=2) / (2 * NOISE**2)).std(axis=0) / np.sqrt(draws)
    assert np.all(np.abs(found - expected) < 4 * error)
    assert error.max() < 0.1  # the comparison above says something
    assert found.argmax() == 2


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_negative_elbo_equals_its_formula(likelihood):
    """Decoding the mean draws nothing, so the figures can be compared digit by digit."""
    heads = vae_heads(MLP, likelihood, deterministic=True)
    params = vae(MLP, likelihood=likelihood).init(jax.random.key(1)).params
    if likelihood == "gaussian":
        params["likelihood"]["log_std"] = jnp.asarray(-0.4)
    mean, logvar = (np.asarray(part, np.float64) for part in heads.encode(params, X))
    output = np.asarray(MLP.decoder.apply(params["decoder"], jnp.asarray(mean)), np.float64)
    if likelihood == "gaussian":
        log_p = stats.norm.logpdf(X, output, np.exp(-0.4))
    else:
        log_p = X * special.log_expit(output) + (1 - X) * special.log_expit(-output)
    expected = kl_to_prior(mean, logvar) - log_p.sum(axis=1)
    np.testing.assert_allclose(negative_elbo(KEY, heads, params, X, 2), expected, rtol=1e-5)


def test_negative_elbo_draws_from_the_posterior():
    """Against an average over draws of NumPy, through the real networks."""
    draws = 2000
    heads = vae_heads(MLP, "gaussian")
    params = vae(MLP, likelihood="gaussian").init(jax.random.key(1)).params
    x = X[:4]
    mean, logvar = map(np.asarray, heads.encode(params, x))
    z = np.random.default_rng(0).normal(mean, np.exp(logvar / 2), (draws, *mean.shape)).astype(np.float32)
    output = np.asarray(MLP.decoder.apply(params["decoder"], z.reshape(-1, L))).reshape(draws, *x.shape)
    losses = kl_to_prior(mean, logvar) - stats.norm.logpdf(x, output).sum(axis=2)
    error = losses.std(axis=0) * np.sqrt(2 / draws)  # both averages are noisy
    found = negative_elbo(KEY, heads, params, x, draws)
    assert np.all(np.abs(found - losses.mean(axis=0)) < 4 * error)
    at_mean = negative_elbo(KEY, vae_heads(MLP, "gaussian", True), params, x)
    assert np.all(np.abs(found - at_mean) > 4 * error)  # the comparison above says something


def test_neither_beta_nor_the_clusters_enter():
    joint = dec(MLP, num_clusters=K, num_samples=N, latent_dim=L, likelihood="gaussian", beta=7.0)
    params = joint.init(jax.random.key(1)).params
    expected = negative_elbo(KEY, vae_heads(MLP, "gaussian"), params, X)
    np.testing.assert_allclose(negative_elbo(KEY, dec_heads(MLP, "gaussian", False), params, X), expected, rtol=1e-6)
    batch = Batch(jnp.asarray(X), None, jnp.arange(N), jnp.ones(N))
    weighted = joint.evaluate(KEY, joint.init(KEY)._replace(params=params), batch)["loss"]
    assert float(weighted) > expected.mean() + 1  # what the learner minimises is another number


def test_draws_depend_on_key_and_row_alone(monkeypatch):
    heads = vae_heads(MLP, "bernoulli")
    params = vae(MLP).init(jax.random.key(1)).params
    x = np.concatenate([X] * 5)
    whole = negative_elbo(KEY, heads, params, x)
    np.testing.assert_array_equal(negative_elbo(KEY, heads, params, x), whole)
    np.testing.assert_array_equal(negative_elbo(KEY, heads, params, x[:70]), whole[:70])
    assert np.all(whole[:N] != whole[N : 2 * N])  # equal rows, draws of their own
    assert np.all(negative_elbo(jax.random.key(1), heads, params, x) != whole)
    monkeypatch.setattr("vaeclust_jax.training.rows.DRAWN_AT_ONCE", 33)
    np.testing.assert_allclose(negative_elbo(KEY, heads, params, x), whole, rtol=1e-5)


def test_images_are_scored_whole():
    """The same networks around a change of shape give the same scores."""
    images = Networks(
        MLP.encoder._replace(apply=lambda params, x: MLP.encoder.apply(params, x.reshape(-1, F))),
        MLP.decoder._replace(apply=lambda params, z: MLP.decoder.apply(params, z).reshape(-1, F, 1, 1)),
    )
    params = vae(MLP).init(jax.random.key(1)).params
    found = negative_elbo(KEY, vae_heads(images, "bernoulli"), params, X.reshape(N, F, 1, 1))
    np.testing.assert_allclose(found, negative_elbo(KEY, vae_heads(MLP, "bernoulli"), params, X), rtol=1e-6)


@pytest.mark.parametrize(
    ("shape", "draws", "message"),
    [
        ((F,), 1, r"x must have one row a sample, at least one, got shape \(5,\)"),
        ((0, F), 1, "x must have one row a sample"),
        ((2, F), 0, "num_draws must be a whole number of at least 1, got 0"),
    ],
)
def test_mistakes_are_named(shape, draws, message):
    with pytest.raises(InputError, match=message):
        negative_elbo(KEY, vae_heads(MLP, "bernoulli"), {}, np.zeros(shape), draws)


# Clusters' kernel ------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(codes, centroids, st.permutations(range(K)))
def test_energy_equals_its_formula_and_normalises_the_assignment(z, c, order):
    kernel = 1 / (1 + cdist(z, c, "sqeuclidean"))
    with jax.enable_x64(True):
        z, c = jnp.asarray(z), jnp.asarray(c)
        energy, renamed = assignment_energy(z, c), assignment_energy(z, c[jnp.array(order)])
        log_q = log_soft_assignment(z, c)
    np.testing.assert_allclose(energy, -np.log(kernel.sum(axis=1)), rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(renamed, energy, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(np.exp(log_q), kernel * np.exp(energy)[:, None], rtol=1e-10)


def test_energy_goes_on_rising_where_the_assignment_is_level():
    z = np.array([[0.0, 0.0], [1e3, 0.0], [1e6, 0.0]])
    energy = np.asarray(assignment_energy(z, jnp.zeros((K, L))))
    np.testing.assert_allclose(energy, np.log1p(z[:, 0] ** 2) - np.log(K), rtol=1e-5)


# Clusters' spread ------------------------------------------------------------------------------------


def test_distance_is_the_smallest_mahalanobis_distance():
    rng = np.random.default_rng(0)
    z, mean = rng.normal(0, 3, (N, L)), rng.normal(0, 3, (K, L))
    root = rng.normal(size=(K, L, L))
    covariance = root @ root.transpose(0, 2, 1) + 0.1 * np.eye(L)
    distances = np.stack(
        [
            cdist(z, centre[None], "mahalanobis", VI=np.linalg.inv(of_cluster))[:, 0]
            for centre, of_cluster in zip(mean, covariance, strict=True)
        ]
    )
    found = latent_distance(z, mean, np.linalg.cholesky(covariance))
    np.testing.assert_allclose(found, distances.min(axis=0), rtol=1e-4)
    assert len(np.unique(distances.argmin(axis=0))) == K  # every cluster is the nearest of some
    np.testing.assert_allclose(latent_distance(mean, mean, np.linalg.cholesky(covariance)), 0, atol=1e-6)


def test_distance_by_hand():
    """Standard deviations 2 and 1/2 along the axes."""
    scale = np.diag([2.0, 0.5])[None]
    found = latent_distance(np.array([[2.0, 0.0], [0.0, 2.0], [6.0, 2.0]]), np.zeros((1, 2)), scale)
    np.testing.assert_allclose(found, [1, 4, 5], rtol=1e-6)
