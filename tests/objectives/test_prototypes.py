"""Several prototypes a cluster, and assignments that neighbours agree on, against their formulas."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaeclust_jax.objectives.dec import log_prototype_assignment, log_soft_assignment
from vaeclust_jax.objectives.propagation import propagate

seeds = st.integers(0, 2**32 - 1)


@given(seeds)
@settings(max_examples=20, deadline=None)
def test_one_prototype_one_degree_and_scale_one_are_dec(seed: int) -> None:
    rng = np.random.default_rng(seed)
    z, c = jnp.asarray(rng.normal(size=(7, 3)), jnp.float32), jnp.asarray(rng.normal(size=(4, 3)), jnp.float32)
    found = log_prototype_assignment(z, c[:, None], jnp.ones(()), 1.0)
    np.testing.assert_allclose(found, log_soft_assignment(z, c), atol=1e-6)


@given(seeds, st.sampled_from([1.0, 4.0, 9.0]), st.sampled_from([0.3, 1.0, 2.5]))
@settings(max_examples=20, deadline=None)
def test_it_equals_the_formula(seed: int, degrees: float, scale: float) -> None:
    rng = np.random.default_rng(seed)
    z, c = rng.normal(size=(6, 2)), rng.normal(size=(3, 5, 2))
    squared = ((z[:, None, None] - c) ** 2).sum(-1)
    t = (1 + squared / (degrees * scale**2)) ** (-(degrees + 1) / 2)
    wanted = t.sum(axis=2) / t.sum(axis=(1, 2))[:, None]
    found = log_prototype_assignment(jnp.asarray(z), jnp.asarray(c), jnp.asarray(scale), degrees)
    np.testing.assert_allclose(np.exp(found), wanted, rtol=1e-4, atol=1e-7)


def test_far_points_stay_finite_and_have_gradients() -> None:
    z, c = jnp.full((1, 2), 1e6), jnp.zeros((3, 2, 2)).at[1].add(1.0)

    def entropy(z: jax.Array) -> jax.Array:
        log_q = log_prototype_assignment(z, c, jnp.ones(()), 3.0)
        return -(jnp.exp(log_q) * log_q).sum()

    assert np.isfinite(entropy(z))
    assert np.isfinite(jax.grad(entropy)(z)).all()


@given(seeds, st.sampled_from([0.0, 0.5, 0.9]), st.sampled_from([0, 1, 30]))
@settings(max_examples=20, deadline=None)
def test_propagation_is_its_recursion(seed: int, share: float, steps: int) -> None:
    rng = np.random.default_rng(seed)
    n, d, k = 8, 3, 2
    q = rng.dirichlet(np.ones(k), n)
    neighbours = np.stack([rng.permutation(n)[:d] for _ in range(n)])
    weights = rng.dirichlet(np.ones(d), n)
    dense = np.zeros((n, n))
    np.put_along_axis(dense, neighbours, weights, axis=1)
    wanted = q
    for _ in range(steps):
        wanted = share * dense @ wanted + (1 - share) * q
    found = propagate(jnp.asarray(q), jnp.asarray(neighbours), jnp.asarray(weights), share, steps)
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    assert found.sum(axis=1) == pytest.approx(np.ones(n), abs=1e-5)
