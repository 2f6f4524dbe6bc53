"""Networks with a ReLU on all that leaves them, against the source's formulas in NumPy."""

import jax
import numpy as np

from vaeclust_jax.networks import MLP, ReluHeadsMLP
from vaeclust_jax.objectives.elbo import BERNOULLI

SHAPE = (4, 3, 1)
X = np.random.default_rng(0).uniform(size=(20, *SHAPE)).astype(np.float32)
LINEAR, RELU = (kind(latent_dim=2, hidden=(6,)).build(SHAPE) for kind in (MLP, ReluHeadsMLP))


def test_mean_and_sigma_are_not_negative() -> None:
    params = LINEAR.encoder.init(jax.random.key(0))
    mean, log_sigma = map(np.asarray, LINEAR.encoder.apply(params, X))  # the same weights: heads before the ReLU
    got_mean, got_logvar = map(np.asarray, RELU.encoder.apply(params, X))
    assert (mean < 0).any()
    assert (log_sigma < 0).any()
    np.testing.assert_allclose(got_mean, np.maximum(mean, 0), rtol=1e-6)
    np.testing.assert_allclose(np.exp(got_logvar / 2), np.maximum(log_sigma, 0) + 1e-6, rtol=1e-4)


def test_the_loss_is_that_of_clipped_probabilities() -> None:
    params = LINEAR.decoder.init(jax.random.key(1))
    z = 3 * np.random.default_rng(1).normal(size=(20, 2)).astype(np.float32)
    output = np.asarray(LINEAR.decoder.apply(params, z), np.float64)
    p = np.clip(np.maximum(output, 0), 1e-6, 1 - 1e-6)
    assert (p == 1e-6).any()
    assert (p == 1 - 1e-6).any()
    expected = -(X * np.log(p) + (1 - X) * np.log(1 - p)).sum(axis=(1, 2, 3))
    got = RELU.decoder.apply(params, z)
    np.testing.assert_allclose(BERNOULLI.nll({}, X, got), expected, rtol=5e-3)  # 1 - 1e-6 has 4 digits in float32
    np.testing.assert_allclose(BERNOULLI.mean(got), p, atol=1e-6)


def test_gradients_are_finite() -> None:
    def loss(both: tuple) -> jax.Array:
        mean, logvar = RELU.encoder.apply(both[0], X)
        return BERNOULLI.nll({}, X, RELU.decoder.apply(both[1], mean + np.exp(1) * logvar)).sum()

    both = RELU.encoder.init(jax.random.key(2)), RELU.decoder.init(jax.random.key(3))
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(jax.grad(loss)(both)))
