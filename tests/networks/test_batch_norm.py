"""Batch norm and dropout against Flax's layers, and against PyTorch's formula in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen, nnx
from hypothesis import given, settings
from hypothesis import strategies as st

from vaeclust_jax.networks.batch_norm import BatchNorm, dropout

KEY = jax.random.key(0)
X = jnp.asarray(np.random.default_rng(0).normal(3, 2, (6, 4, 5, 3)), jnp.float32)
ONES = jnp.ones(len(X))


@pytest.mark.parametrize("momentum", [0.9, 0.99])
def test_it_is_flaxs_layer_in_training_and_afterwards(momentum: float) -> None:
    ours, of_nnx = BatchNorm(3, momentum), nnx.BatchNorm(3, momentum=momentum, rngs=nnx.Rngs(0))
    of_linen = linen.BatchNorm(use_running_average=False, momentum=momentum)
    variables = of_linen.init(KEY, X)
    for step in range(3):
        x = X * (1 + step) - step
        expected = of_nnx(x, use_running_average=False)
        told, changed = of_linen.apply(variables, x, mutable="batch_stats")
        variables = {**variables, **changed}
        np.testing.assert_allclose(expected, told, atol=1e-5)
        np.testing.assert_allclose(ours.in_training(ONES, x), expected, atol=1e-5)
        np.testing.assert_allclose(ours.mean[...], of_nnx.mean[...], rtol=1e-5)
        np.testing.assert_allclose(ours.var[...], variables["batch_stats"]["var"], rtol=1e-5)
    np.testing.assert_allclose(ours(X), of_nnx(X, use_running_average=True), atol=1e-5)


def test_its_running_statistics_are_pytorchs_but_for_the_divisor_of_the_variance() -> None:
    """PyTorch, BatchNorm2d: running <- (1 - .1) running + .1 batch, the batch's variance divided by count - 1."""
    ours, x = BatchNorm(3, 0.9), np.asarray(X, np.float64)
    count, mean, var = x[..., 0].size, np.zeros(3), np.ones(3)
    for _ in range(3):
        ours.in_training(ONES, X)
        mean = 0.9 * mean + 0.1 * x.mean((0, 1, 2))
        var = 0.9 * var + 0.1 * x.var((0, 1, 2), ddof=1)
    np.testing.assert_allclose(ours.mean[...], mean, rtol=1e-5)
    first = 0.9**3  # what is left of the 1 that it began with
    np.testing.assert_allclose((ours.var[...] - first) * count / (count - 1), var - first, rtol=1e-4)
    biased = x.var((0, 1, 2))
    np.testing.assert_allclose(ours.in_training(ONES, X), (x - x.mean((0, 1, 2))) / np.sqrt(biased + 1e-5), atol=1e-5)


@given(padding=st.integers(0, 5), seed=st.integers(0, 100))
@settings(max_examples=5, deadline=None)
def test_rows_of_padding_do_not_count(padding: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    rows = random.normal(size=(4, 2, 2, 3))
    padded = np.concatenate([rows, random.normal(9, 9, (padding, 2, 2, 3))])
    alone, among = BatchNorm(3), BatchNorm(3)
    expected = alone.in_training(jnp.ones(4), jnp.asarray(rows))
    got = among.in_training(jnp.asarray([1.0] * 4 + [0.0] * padding), jnp.asarray(padded))[:4]
    np.testing.assert_allclose(got, expected, atol=1e-5)
    np.testing.assert_allclose(among.var[...], alone.var[...], rtol=1e-5)


def test_a_row_of_weight_two_is_two_rows() -> None:
    once, twice = BatchNorm(3), BatchNorm(3)
    once.in_training(jnp.asarray([2.0, 1, 1, 1, 1, 1]), X)
    twice.in_training(jnp.ones(7), jnp.concatenate([X[:1], X]))
    np.testing.assert_allclose(once.mean[...], twice.mean[...], rtol=1e-5)
    np.testing.assert_allclose(once.var[...], twice.var[...], rtol=1e-5)


def test_a_channel_that_does_not_vary_stays_finite() -> None:

    def total(x: jax.Array) -> jax.Array:
        return BatchNorm(1).in_training(jnp.ones(4), x).sum()

    value, gradient = jax.jit(jax.value_and_grad(total))(jnp.full((4, 1), 7.0))
    assert value == 0
    assert np.isfinite(gradient).all()


def test_dropout_keeps_the_mean_and_the_key_decides() -> None:
    x = jnp.full((200, 200), 3.0)
    dropped = dropout(KEY, x, 0.4)
    np.testing.assert_allclose(np.unique(dropped), [0, 5], rtol=1e-6)
    assert float((dropped == 0).mean()) == pytest.approx(0.4, abs=0.01)
    assert float(dropped.mean()) == pytest.approx(3, rel=0.02)
    np.testing.assert_array_equal(dropped, dropout(KEY, x, 0.4))
    assert (dropped != dropout(jax.random.key(1), x, 0.4)).any()
    assert dropout(KEY, x, 0.0) is x
