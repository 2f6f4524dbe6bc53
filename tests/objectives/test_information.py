"""The information of an assignment and the move that changes it most, against NumPy and closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import log_softmax, rel_entr
from scipy.stats import entropy

from vaeclust_jax.objectives.information import adversarial_move, instability, marginal_entropy

N, F, K = 7, 5, 3
marginal = jax.jit(marginal_entropy)
logits = hnp.arrays(np.float64, (N, K), elements=st.floats(-20, 20))
counts = hnp.arrays(np.float64, N, elements=st.floats(0.1, 5))


@settings(deadline=None, max_examples=30)
@given(logits, counts)
def test_the_marginal_entropy_is_that_of_the_weighted_mean(rows: np.ndarray, weight: np.ndarray) -> None:
    log_q = log_softmax(rows, axis=1)
    expected = entropy(np.average(np.exp(log_q), axis=0, weights=weight))
    np.testing.assert_allclose(marginal(jnp.asarray(log_q), jnp.asarray(weight)), expected, atol=2e-5)
    every = entropy(np.exp(log_q).mean(axis=0))
    np.testing.assert_allclose(marginal(jnp.asarray(log_q)), every, atol=2e-5)
    # Jensen: clusters are at least as uncertain together as they are of each sample.
    assert marginal(jnp.asarray(log_q)) >= entropy(np.exp(log_q), axis=1).mean() - 2e-5


def test_the_marginal_entropy_does_not_see_rows_of_weight_0() -> None:
    log_q = jnp.log(jnp.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]]))
    assert marginal(log_q, jnp.array([1.0, 1.0, 0.0])) == pytest.approx(float(marginal(log_q[:2])), rel=1e-6)


def made(seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A kernel, rows and radii, the last of which is 0."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(F, K)), rng.normal(size=(N, F)), np.append(rng.uniform(0.05, 0.5, N - 1), 0.0)


def test_the_move_is_the_gradient_by_finite_differences() -> None:
    kernel, x, radius = made()
    key = jax.random.key(3)
    moves = adversarial_move(key, lambda x: jax.nn.log_softmax(x @ kernel), jnp.asarray(x, jnp.float32), radius)
    draw = np.asarray(jax.random.normal(key, (N, F)), np.float64)
    start = radius[:, None] * draw / np.linalg.norm(draw, axis=1, keepdims=True)

    def divergence(move: np.ndarray) -> np.ndarray:
        q, moved = (np.exp(log_softmax(rows @ kernel, axis=1)) for rows in (x, x + move))
        return rel_entr(q, moved).sum(axis=1)

    step = 1e-5 * np.eye(F)
    slopes = np.stack([(divergence(start + e) - divergence(start - e)) / 2e-5 for e in step], axis=1)
    expected = radius[:, None] * slopes / np.linalg.norm(slopes, axis=1, keepdims=True)
    np.testing.assert_allclose(moves, expected, atol=2e-4)
    np.testing.assert_allclose(np.linalg.norm(moves, axis=1), radius, atol=1e-6)


def test_a_step_finds_nearly_the_worst_move() -> None:
    """Of two clusters all moves but one direction do nothing: that of the difference of their weights."""
    kernel, x, radius = made(1)
    kernel = kernel[:, :2]
    moves = adversarial_move(
        jax.random.key(0), lambda x: jax.nn.log_softmax(x @ kernel), jnp.asarray(x, jnp.float32), radius
    )
    worst = kernel[:, 0] - kernel[:, 1]
    along = np.abs(moves[:-1] @ worst) / np.linalg.norm(worst) / radius[:-1]
    np.testing.assert_allclose(along, 1, atol=1e-4)


@pytest.mark.long
def test_images_are_moved_as_one_vector_and_a_flat_assignment_moves_nothing() -> None:
    x, radius = jnp.ones((4, 3, 3, 1)), jnp.full(4, 0.3)
    moves = adversarial_move(jax.random.key(0), lambda x: jax.nn.log_softmax(x[:, 0, :, 0]), x, radius)
    np.testing.assert_allclose(np.linalg.norm(np.reshape(moves, (4, -1)), axis=1), 0.3, rtol=1e-5)
    flat = adversarial_move(jax.random.key(0), lambda x: jnp.full((4, 2), jnp.log(0.5)) + 0 * x[:, :2, 0, 0], x, radius)
    np.testing.assert_array_equal(flat, 0)


def test_no_gradient_passes_through_the_target_or_the_move() -> None:
    kernel, x, _ = made(2)
    x = jnp.asarray(x, jnp.float32)

    def loss(kernel: jax.Array, moves: jax.Array, target: jax.Array) -> jax.Array:
        return instability(lambda x: jax.nn.log_softmax(x @ kernel), target, x + moves).sum()

    def whole(kernel: jax.Array) -> jax.Array:
        log_assign = lambda x: jax.nn.log_softmax(x @ kernel)  # noqa: E731
        moves = adversarial_move(jax.random.key(1), log_assign, x, jnp.full(N, 0.4))
        return loss(kernel, moves, log_assign(x))

    kernel = jnp.asarray(kernel, jnp.float32)
    log_assign = lambda x: jax.nn.log_softmax(x @ kernel)  # noqa: E731
    moves = adversarial_move(jax.random.key(1), log_assign, x, jnp.full(N, 0.4))
    expected = jax.grad(loss)(kernel, moves, log_assign(x))
    np.testing.assert_allclose(jax.grad(whole)(kernel), expected, atol=1e-6)
    assert float(jnp.abs(expected).max()) > 1e-3
