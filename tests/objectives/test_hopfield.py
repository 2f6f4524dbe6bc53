"""Hopfield nets against NumPy from the formulas, enumeration of all fixed points, and energies that never rise."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.special import softmax

import vaeclust_jax as vc
from vaeclust_jax.objectives import hopfield

STEPS = 12
seeds = st.integers(0, 2**31)


def drawn(seed: int, patterns: int, units: int) -> np.ndarray:
    return np.where(np.random.default_rng(seed).random((patterns, units)) < 0.5, -1.0, 1.0).astype(np.float32)


def path_of(step, state) -> np.ndarray:
    """States over time, (STEPS, n, f)."""
    return jax.lax.scan(lambda now, _: (step(now), now), state, None, STEPS)[1]


@jax.jit
def classical_path(patterns, state):
    weights = hopfield.hebbian_weights(patterns)
    path = path_of(lambda now: hopfield.classical_step(weights, now), state)
    return jax.vmap(lambda now: hopfield.classical_energy(weights, now))(path)


@jax.jit
def saturating_path(patterns, state, tau, h):
    weights, bias = hopfield.saturating_weights(patterns, tau, h)
    path = path_of(lambda now: hopfield.saturating_step(weights, bias, now), state)
    return jax.vmap(lambda now: hopfield.saturating_energy(weights, bias, now))(path)


@jax.jit
def modern_path(patterns, state, beta, bias):
    path = path_of(lambda now: hopfield.modern_step(patterns, beta, bias, now), state)
    return jax.vmap(lambda now: hopfield.modern_energy(patterns, beta, bias, now))(path)


def never_rises(energies: np.ndarray) -> bool:
    size = 1 + np.abs(energies).max()
    return bool((np.diff(np.asarray(energies, np.float64), axis=0) <= 2e-6 * size).all())


@settings(max_examples=30, deadline=None)
@given(seeds)
def test_the_energy_of_the_classical_net_never_rises(seed: int) -> None:
    assert never_rises(classical_path(drawn(seed, 9, 14), drawn(seed + 1, 5, 14)))


@settings(max_examples=30, deadline=None)
@given(seeds, st.floats(0.1, 30), st.floats(0.01, 1))
def test_the_energy_of_the_saturating_net_never_rises(seed: int, tau: float, h: float) -> None:
    start = np.random.default_rng(seed).uniform(-1, 1, (5, 9)).astype(np.float32)
    assert never_rises(saturating_path(drawn(seed, 4, 9), start, tau, h))


@settings(max_examples=30, deadline=None)
@given(seeds, st.floats(0.05, 8), st.booleans())
def test_the_energy_of_the_modern_net_never_rises(seed: int, beta: float, distances: bool) -> None:
    generator = np.random.default_rng(seed)
    memories, start = (generator.normal(size=(n, 6)).astype(np.float32) for n in (11, 5))
    bias = hopfield.distance_bias(memories, beta) if distances else jnp.zeros(11)
    assert never_rises(modern_path(memories, start, beta, bias))


def test_an_energy_that_rises_would_be_seen() -> None:
    assert not never_rises(np.array([[0.0], [-1.0], [-0.9]]))


def test_hebbs_rule_and_a_sweep_are_those_of_a_loop() -> None:
    patterns, states = drawn(0, 5, 12), drawn(1, 7, 12)
    weights = np.zeros((12, 12))
    for i, j in itertools.product(range(12), repeat=2):
        weights[i, j] = 0 if i == j else sum(p[i] * p[j] for p in patterns) / 12
    np.testing.assert_allclose(hopfield.hebbian_weights(patterns), weights, atol=1e-6)
    expected = states.copy()
    for state in expected:
        for i in range(12):
            field = round(float(weights[i] @ state), 9)
            state[i] = state[i] if field == 0 else np.sign(field)
    # Weights of 16ths of units, so that float32 finds the fields that are exactly 0, too.
    scaled = np.asarray(weights * 12, np.float32)
    np.testing.assert_array_equal(hopfield.classical_step(jnp.asarray(scaled), jnp.asarray(states)), expected)


@pytest.mark.parametrize(("patterns", "tau", "h"), [(2, 10.0, 0.15), (4, 3.0, 0.4), (1, 10.0, 0.15)])
def test_the_saturating_design_is_the_sources(patterns: int, tau: float, h: float) -> None:
    """As MATLAB's newhop writes it: a matrix exponential and a forcing term of the continuous system."""
    t = drawn(3, patterns, 6).astype(float).T
    difference = t[:, :-1] - t[:, -1:]
    u, size, _ = np.linalg.svd(difference if patterns > 1 else np.zeros((6, 1)))
    rank = int((size > 1e-9).sum())
    plane, across = (u[:, part] @ u[:, part].T for part in (slice(rank), slice(rank, None)))
    rate = plane - tau * across
    force = t[:, -1] - rate @ t[:, -1]
    c1, c2 = np.exp(h) - 1, -(np.exp(-tau * h) - 1) / tau
    bias = u @ np.diag([c1] * rank + [c2] * (6 - rank)) @ u.T @ force
    got = hopfield.saturating_weights(jnp.asarray(t.T, jnp.float32), tau, h)
    np.testing.assert_allclose(got[0], expm(h * rate), atol=1e-5)
    np.testing.assert_allclose(got[1], bias, atol=1e-5)


def test_the_modern_step_and_energy_are_the_formulas() -> None:
    generator = np.random.default_rng(0)
    memories, states, beta = generator.normal(size=(7, 4)), generator.normal(size=(3, 4)), 1.7
    got = hopfield.modern_step(jnp.asarray(memories), beta, None, jnp.asarray(states))
    np.testing.assert_allclose(got, softmax(beta * states @ memories.T, axis=1) @ memories, rtol=1e-5)
    energy = -np.log(np.exp(beta * states @ memories.T).sum(axis=1)) / beta + 0.5 * (states**2).sum(axis=1)
    np.testing.assert_allclose(
        hopfield.modern_energy(jnp.asarray(memories), beta, None, jnp.asarray(states)), energy, rtol=1e-5
    )
    # With the bias of distances a step is mean shift: the mean weighted by a Gaussian kernel.
    kernel = np.exp(-beta / 2 * ((states[:, None] - memories) ** 2).sum(axis=2))
    shifted = kernel @ memories / kernel.sum(axis=1, keepdims=True)
    bias = hopfield.distance_bias(jnp.asarray(memories), beta)
    np.testing.assert_allclose(
        hopfield.modern_step(jnp.asarray(memories), beta, bias, jnp.asarray(states)), shifted, rtol=1e-4
    )


def test_a_step_of_the_modern_net_descends_the_gradient_of_its_energy() -> None:
    """d E / d s = s - step(s), for any bias."""
    generator = np.random.default_rng(1)
    memories, state, bias = (jnp.asarray(generator.normal(size=s), jnp.float32) for s in ((5, 3), (1, 3), (5,)))
    slope = jax.grad(lambda s: hopfield.modern_energy(memories, 0.8, bias, s)[0])(state)
    np.testing.assert_allclose(slope, state - hopfield.modern_step(memories, 0.8, bias, state), atol=1e-6)


def test_rows_that_are_not_counted_are_not_written() -> None:
    patterns, counted = jnp.asarray(drawn(5, 6, 8)), jnp.arange(6) < 3
    for net in (vc.Classical(), vc.Saturating()):
        for got, wanted in zip(*(jax.tree.leaves(p) for p in (net.write(patterns, counted), net.write(patterns[:3]))),
                               strict=True):  # fmt: skip
            np.testing.assert_allclose(got, wanted, atol=1e-5)
    net, state = vc.Modern(), jnp.asarray(drawn(6, 4, 8))
    np.testing.assert_allclose(
        net.step(net.write(patterns, counted), state), net.step(net.write(patterns[:3]), state), atol=1e-6
    )


def test_settling_counts_the_steps_that_moved_and_says_who_came_to_rest() -> None:
    step = lambda state: jnp.maximum(state - 1.0, 0.0)  # noqa: E731
    state, count, rested = hopfield.settle(step, jnp.array([[0.0], [2.0], [9.0]]), 4)
    np.testing.assert_array_equal(state, [[0], [0], [5]])
    np.testing.assert_array_equal(count, [0, 2, 4])
    np.testing.assert_array_equal(rested, [True, True, False])


@pytest.mark.parametrize(
    ("patterns", "sentence"),
    [
        ([[1, -1], [0.5, 1]], "patterns must hold -1 and 1 alone, got 0.5: write the sign of each value"),
        ([[1, np.nan]], "patterns must hold -1 and 1 alone, got nan: write the sign of each value"),
        ([1, -1], r"patterns must be rows of units, at least one of each, got shape \(2,\)"),
        (np.zeros((0, 3)), r"patterns must be rows of units, at least one of each, got shape \(0, 3\)"),
    ],
)
def test_patterns_that_are_not_two_valued_are_refused(patterns: object, sentence: str) -> None:
    with pytest.raises(vc.InputError, match=f"^{sentence}$"):
        hopfield.check_patterns(patterns)
