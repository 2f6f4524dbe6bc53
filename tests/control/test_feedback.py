"""PID and GECO against plain loops, and in front of a model that answers to its weight."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import Array

from tests.control.replay import closed_loop, replay
from vaeclust_jax.control.geco import geco
from vaeclust_jax.control.pid import pid

NUM_EPOCHS = 150


def plant(beta: Array) -> tuple[Array, Array]:
    """A larger beta costs reconstruction and saves KL: 10 + 10 beta and 5 / (0.1 + beta)."""
    return 10.0 + 10.0 * beta, 5.0 / (0.1 + beta)


def losses(seed: int, level: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (level + np.cumsum(rng.normal(0, 0.5, NUM_EPOCHS))).astype(np.float32)


# PID -----------------------------------------------------------------------------------------------------------


def test_pid_within_its_bounds_is_the_papers_formula() -> None:
    kl = losses(0, 20.0).clip(1)
    found = replay(pid(18.0, ki=1e-3, low=0.2, high=10.0), np.zeros(NUM_EPOCHS), kl)
    error = 18.0 - kl.astype(np.float64)
    expected = 0.01 / (1 + np.exp(error)) - 1e-3 * np.cumsum(error) + 0.2
    inside = np.cumprod((expected > 0.2) & (expected < 10)).astype(bool)
    assert inside.sum() > 30
    np.testing.assert_allclose(found.after[inside], expected[inside], atol=1e-6)
    np.testing.assert_allclose(found.info["error"], error, rtol=1e-4, atol=1e-5)
    assert found.in_force[0] == np.float32(0.2)


@given(st.integers(0, 1000), st.floats(1, 40), st.floats(1e-3, 1), st.floats(1e-4, 0.1), st.floats(0, 0.5))
@settings(max_examples=30, deadline=None)
def test_pid_equals_a_plain_loop(seed: int, target: float, kp: float, ki: float, low: float) -> None:
    kl = losses(seed, 20.0)
    value, integral, expected = low, 0.0, []
    for observed in kl.astype(np.float64):
        error = target - observed
        proportional = kp / (1 + np.exp(error))
        integral -= ki * error
        value = min(max(proportional + integral + low, low), 1.0)
        integral = value - low - proportional
        expected.append(value)
    found = replay(pid(target, kp=kp, ki=ki, low=low), np.zeros(NUM_EPOCHS), kl)
    np.testing.assert_allclose(found.after, expected, atol=1e-5)


def test_pid_does_not_wind_up() -> None:
    """KL far above its target for 100 epochs, then a little below: beta leaves its bound with the first epoch."""
    kl = np.where(np.arange(NUM_EPOCHS) < 100, 120.0, 15.0)
    found = replay(pid(20.0), np.zeros(NUM_EPOCHS), kl)
    assert found.after[99] == 1.0
    np.testing.assert_allclose(np.diff(found.after[100:]), -2e-3 * 5, atol=1e-6)
    assert found.after[100] < 1.0
    free = 0.01 / (1 + np.exp(20 - kl)) - 2e-3 * np.cumsum(20 - kl)  # the formula without anti-windup
    assert free[-1] > 1.0


@pytest.mark.parametrize("target", [5.0, 8.0, 30.0])
def test_pid_reaches_its_target(target: float) -> None:
    found = closed_loop(pid(target), plant, 2000)
    assert plant(found.after[-1])[1] == pytest.approx(target, rel=1e-3)


@pytest.mark.parametrize(("target", "bound"), [(1.0, 1.0), (100.0, 0.05)])
def test_pid_ends_at_the_bound_nearest_to_a_target_out_of_reach(target: float, bound: float) -> None:
    assert closed_loop(pid(target, low=0.05), plant, 2000).after[-1] == pytest.approx(bound)


def test_pid_survives_any_error() -> None:
    found = replay(pid(20.0), np.zeros(4), [1e30, 0.0, 3e38, 20.0])
    assert np.isfinite(found.after).all()
    assert ((found.after >= 0) & (found.after <= 1)).all()


# GECO ----------------------------------------------------------------------------------------------------------


@given(st.integers(0, 1000), st.floats(-20, 40), st.floats(0, 0.99), st.floats(1e-4, 0.05))
@settings(max_examples=30, deadline=None)
def test_geco_equals_a_plain_loop_with_a_multiplier(seed: int, target: float, decay: float, rate: float) -> None:
    """The source's lambda = 1 / beta, its moving average started at the first constraint."""
    rec = losses(seed, 20.0)
    multiplier, average, values, averages = 1.0, None, [], []
    for observed in rec.astype(np.float64):
        constraint = observed - target
        average = constraint if average is None else decay * average + (1 - decay) * constraint
        multiplier = min(max(multiplier * np.exp(rate * average), 1e-3), 1e3)
        values.append(1 / multiplier)
        averages.append(average)
    found = replay(geco(target, decay=decay, rate=rate), rec, np.zeros(NUM_EPOCHS))
    np.testing.assert_allclose(found.info["constraint"], averages, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found.after, values, rtol=2e-3)


def test_geco_by_hand() -> None:
    """Constraints 2 and -3 with decay 1/2: averages 2 and -1/2."""
    found = replay(geco(10.0, decay=0.5, rate=0.1), [12.0, 7.0], [0.0, 0.0])
    np.testing.assert_allclose(found.info["constraint"], [2.0, -0.5])
    np.testing.assert_allclose(found.in_force, [1.0, np.exp(-0.2)], rtol=1e-6)
    np.testing.assert_allclose(found.after, np.exp([-0.2, -0.15]), rtol=1e-6)


@given(st.integers(0, 1000), st.integers(1, NUM_EPOCHS - 1), st.floats(0.1, 10))
@settings(max_examples=20, deadline=None)
def test_geco_without_a_target_takes_the_reconstruction_at_the_end_of_its_warm_up(seed, warmup, start):
    """From there on it is the geco of that target whose first constraint was 0."""
    rec = losses(seed, 20.0)
    found = replay(geco(warmup=warmup, start=start), rec, np.zeros(NUM_EPOCHS))
    np.testing.assert_array_equal(found.in_force[: warmup + 1], np.float32(start))
    given_it = replay(geco(float(rec[warmup - 1]), start=start), rec[warmup - 1 :], np.zeros(NUM_EPOCHS - warmup + 1))
    np.testing.assert_array_equal(found.after[warmup - 1 :], given_it.after)


@pytest.mark.parametrize("target", [11.0, 15.0, 30.0])
def test_geco_reaches_its_target(target: float) -> None:
    found = closed_loop(geco(target), plant, 2000)
    assert plant(found.after[-1])[0] == pytest.approx(target, rel=1e-3)


def test_geco_ends_at_its_bound_where_the_target_cannot_be_met() -> None:
    assert closed_loop(geco(5.0, low=0.01), plant, 500).after[-1] == pytest.approx(0.01)
    found = replay(geco(5.0), np.full(200, 1e30), np.zeros(200))
    assert found.after[-1] == np.float32(1e-3)
    # A multiplier that was bounded comes back at once.
    rec = np.where(np.arange(NUM_EPOCHS) < 100, 1e3, 4.0)
    found = replay(geco(5.0, decay=0.0), rec, np.zeros(NUM_EPOCHS))
    assert found.after[99] == np.float32(1e-3) < found.after[100]
