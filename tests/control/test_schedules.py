"""Controllers that look at the epoch alone, against their formulas epoch by epoch."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.control.replay import replay
from vaeclust_jax.control.constant import constant
from vaeclust_jax.control.controller import advancing
from vaeclust_jax.control.cyclic import cyclic
from vaeclust_jax.control.linear import linear
from vaeclust_jax.control.two_level import two_level
from vaeclust_jax.types import Controller

NUM_EPOCHS = 60
weights = st.floats(0, 100, width=32)


def weights_of(controller: Controller, num_epochs: int = NUM_EPOCHS) -> np.ndarray:
    """The weight of every epoch, whatever the losses."""
    losses = np.linspace(5, 1, num_epochs)
    found = replay(controller, losses, losses)
    np.testing.assert_array_equal(found.in_force[1:], found.after[:-1])
    return found.in_force


@given(weights)
@settings(max_examples=10, deadline=None)
def test_a_constant_stays(value: float) -> None:
    assert set(weights_of(constant(value)).tolist()) == {value}


@given(weights, weights, st.integers(1, 2 * NUM_EPOCHS))
@settings(max_examples=40, deadline=None)
def test_linear_equals_interpolation(start: float, stop: float, num_epochs: int) -> None:
    expected = np.interp(np.arange(NUM_EPOCHS), [0, num_epochs], [start, stop])
    np.testing.assert_allclose(weights_of(linear(stop, num_epochs=num_epochs, start=start)), expected, atol=2e-5)


def test_linear_ends_exactly_at_its_stop() -> None:
    found = weights_of(linear(0.7, num_epochs=7, start=0.1))
    assert found[0] == np.float32(0.1)
    assert set(found[7:].tolist()) == {float(np.float32(0.7))}
    assert found[6] < np.float32(0.7)


@given(weights, st.integers(2, 90), st.integers(1, 6), st.integers(1, 8), weights)
@settings(max_examples=60, deadline=None)
def test_cyclic_equals_the_papers_formula(stop: float, total: int, cycles: int, eighths: int, start: float) -> None:
    cycles = min(cycles, total - 1)
    ratio = eighths / 8
    expected = []
    for t in range(1, NUM_EPOCHS + 1):
        tau = ((t - 1) % math.ceil(total / cycles)) / (total / cycles)
        expected.append(start + (stop - start) * (tau / ratio if tau <= ratio else 1.0))
    found = weights_of(cyclic(stop, num_epochs=total, num_cycles=cycles, proportion=ratio, start=start))
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_cyclic_by_hand() -> None:
    """Two cycles of four epochs, half of each for rising."""
    found = weights_of(cyclic(num_epochs=8, num_cycles=2))
    assert found[:10].tolist() == [0, 0.5, 1, 1, 0, 0.5, 1, 1, 0, 0.5]


def test_two_level_as_the_source_has_it() -> None:
    found = weights_of(two_level(), 450)
    low, high = float(np.float32(0.01)), float(np.float32(0.2))
    for first, last, level in ((1, 50, 0.0), (51, 100, low), (101, 200, high), (201, 300, low), (301, 400, high)):
        assert set(found[first - 1 : last].tolist()) == {level}
    assert found[400] == np.float32(0.01)


def test_two_level_literally_changes_where_the_released_code_does() -> None:
    """Executed, it changes in epochs 53, 102, 202, ..., counted from 1."""
    found = weights_of(two_level(literal=True), 450)
    changes = [
        (epoch + 1, round(float(found[epoch]), 6)) for epoch in range(1, 450) if found[epoch] != found[epoch - 1]
    ]
    assert found[0] == 0
    assert changes == [(53, 0.01), (102, 0.2), (202, 0.01), (302, 0.2), (402, 0.01)]


def test_two_level_literally_stays_once_beta_is_off() -> None:
    beta, weight = linear(4.0, num_epochs=300), two_level(literal=True)
    together = jax.jit(advancing(beta=beta.update, supervision=weight.update))
    control: dict[str, Any] = {"beta": beta.init(), "supervision": weight.init()}
    seen = []
    for _ in range(320):
        seen.append((float(control["beta"].value), float(control["supervision"].value)))
        control, _ = together(control, {"reconstruction": jnp.float32(3), "kl": jnp.float32(1)})
    of_beta, of_weight = np.array(seen).T
    reached = int(np.argmax(of_beta >= 2))  # 0-based, of the first such epoch
    assert 101 < reached < 201
    assert of_weight[101] == pytest.approx(0.2)
    assert set(of_weight[101:]) == {of_weight[101]}


@given(weights, weights, st.integers(0, 70), st.integers(1, 40))
@settings(max_examples=30, deadline=None)
def test_two_level_equals_a_loop(low: float, high: float, warmup: int, interval: int) -> None:
    expected, level, other = [], low, high
    for ended in range(NUM_EPOCHS):
        if ended > 0 and ended % interval == 0:
            level, other = other, level
        expected.append(0.0 if ended < warmup else level)
    assert weights_of(two_level(low, high, warmup=warmup, interval=interval)).tolist() == pytest.approx(expected)
