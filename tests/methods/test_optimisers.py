"""Optimisers by name, and their steps against oracles."""

import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy.optimize import minimize, rosen, rosen_der

import vaeclust_jax as vc
from vaeclust_jax.methods.optimisers import Loss, check_optimiser, gentler_of, start_of, step_of

BATCH = vc.Batch(jnp.zeros((1, 1)), None, jnp.zeros(1, int), jnp.ones(1))
KEY = jax.random.key(0)


def bowl(key: Any, params: Any, state: Any, batch: Any) -> tuple[jax.Array, dict[str, jax.Array]]:
    value = jnp.sum(jnp.array([1.0, 10.0]) * params**2)
    return value, {"loss": value}


def valley(key: Any, w: Any, state: Any, batch: Any) -> tuple[jax.Array, dict[str, jax.Array]]:
    value = (100 * (w[1:] - w[:-1] ** 2) ** 2 + (1 - w[:-1]) ** 2).sum()
    return value, {"loss": value}


def path(optimiser: vc.Optax | vc.LBFGS, loss: Loss, start: list[float], rate: float, steps: int) -> np.ndarray:
    state = start_of(optimiser, jnp.array(start), rate)
    step, places = jax.jit(step_of(optimiser, loss)), []
    for _ in range(steps):
        state, _ = step(KEY, state, BATCH)
        places.append(np.asarray(state.params))
    return np.array(places)


def test_gradient_descent_and_momentum_are_those_of_the_formulas() -> None:
    w, velocity, expected = np.array([1.0, -1.0]), np.zeros(2), []
    for _ in range(5):
        velocity = 0.9 * velocity + 2 * np.array([1.0, 10.0]) * w
        w = w - 0.01 * velocity
        expected.append(w)
    found = path(vc.Optax("sgd", ("momentum=0.9",)), bowl, [1.0, -1.0], 0.01, 5)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    np.testing.assert_allclose(path(vc.Optax("sgd"), bowl, [1.0, -1.0], 0.01, 1), [[0.98, -0.8]], rtol=1e-6)


def test_adadelta_is_that_of_zeiler_2012() -> None:
    w, squares, changes, expected = np.array([1.0, -1.0]), np.zeros(2), np.zeros(2), []
    for _ in range(6):
        gradient = 2 * np.array([1.0, 10.0]) * w
        squares = 0.9 * squares + 0.1 * gradient**2
        change = -np.sqrt(changes + 1e-6) / np.sqrt(squares + 1e-6) * gradient
        changes = 0.9 * changes + 0.1 * change**2
        w = w + 0.7 * change
        expected.append(w)
    settings = ("rho=0.9", "eps=1e-6")
    np.testing.assert_allclose(path(vc.Optax("adadelta", settings), bowl, [1.0, -1.0], 0.7, 6), expected, rtol=1e-4)


def test_l_bfgs_goes_where_scipys_does() -> None:
    start = [-1.2, 1.0, 0.5]
    theirs = minimize(rosen, start, jac=rosen_der, method="L-BFGS-B")
    with jax.enable_x64():
        found = path(vc.LBFGS(), valley, start, 1.0, 60)
    np.testing.assert_allclose(found[-1], theirs.x, atol=1e-4)
    assert np.all(np.diff([rosen(w) for w in found]) <= 1e-9), "a line search never climbs"


def test_the_first_step_of_l_bfgs_is_down_the_gradient() -> None:
    first = path(vc.LBFGS(), bowl, [1.0, -1.0], 1.0, 1)[0] - np.array([1.0, -1.0])
    gradient = np.array([2.0, -20.0])
    assert first @ gradient == pytest.approx(-np.linalg.norm(first) * np.linalg.norm(gradient), rel=1e-5)


USUAL = ("sgd", "adamw", "adadelta", "rmsprop", "lion", "adagrad", "nadam", "lamb", "radam", "rprop", "sm3")
RULES = sorted(
    name
    for name, one in vars(optax).items()
    if name.islower() and callable(one) and "learning_rate" in inspect.signature(one).parameters
    if name != "lbfgs" and not name.startswith(("_", "scale_by_"))
)


@pytest.mark.parametrize("rule", [pytest.param(one, marks=() if one in USUAL else pytest.mark.long) for one in RULES])
def test_every_rule_goes_down(rule: str) -> None:
    places = path(vc.Optax(rule), bowl, [1.0, -1.0], 0.01, 6)
    assert np.all(np.abs(places[-1]) < 1)


def test_a_rate_that_falls_is_half_a_cosine_and_ends_at_nothing() -> None:
    state = start_of(vc.Optax("sgd"), jnp.array([1.0, -1.0]), 0.02)
    step, w = jax.jit(step_of(vc.Optax("sgd"), bowl, 4)), np.array([1.0, -1.0])
    for number in range(4):
        state, _ = step(KEY, state, BATCH)
        w = w - 0.02 * (1 + np.cos(np.pi * number / 4)) / 2 * 2 * np.array([1.0, 10.0]) * w
        np.testing.assert_allclose(state.params, w, rtol=1e-5)
    np.testing.assert_array_equal(step(KEY, state, BATCH)[0].params, state.params)


def test_the_learning_rate_is_data_in_the_state() -> None:
    step = jax.jit(step_of(vc.Optax(), bowl))
    for rate in (0.1, 0.01):
        step(KEY, start_of(vc.Optax(), jnp.ones(2), rate), BATCH)
    assert step._cache_size() == 1
    state = gentler_of(vc.Optax())(start_of(vc.Optax("rmsprop"), jnp.ones(2), 0.5))
    assert state.opt_state.hyperparams["learning_rate"] == 0.25


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: vc.Optax("adm"), "rule must be an optimiser of optax, such as sgd, adam or adadelta, got 'adm'"),
        (lambda: vc.Optax("chain"), "rule must be an optimiser"),
        (lambda: vc.Optax("scale_by_rprop"), "rule must be an optimiser"),
        (lambda: vc.Optax("dpsgd"), "rule must be an optimiser"),
        (lambda: vc.Optax("lbfgs"), "write LBFGS"),
        (lambda: vc.Optax("sgd", ("momentun=0.9",)), "rule_settings of sgd must be among .*momentum.*, got 'momentun'"),
        (lambda: vc.Optax("sgd", ("momentum",)), "must be name=number"),
        (lambda: vc.Optax("sgd", ("momentum=abc",)), "must be name=number"),
        (lambda: vc.Optax("sgd", ("learning_rate=1",)), "not the learning rate"),
        (lambda: vc.Optax("adam", ("b1=none",)), r"rule_settings .* do not suit adam: "),
        (lambda: vc.LBFGS(memory=0), "memory must be at least 1, got 0"),
        (lambda: check_optimiser(vc.LBFGS(), 100, 64), r"got batch_size 64: set batch_size \(--batch-size\) to 100"),
    ],
)
def test_what_is_no_optimiser_is_one_sentence(make: Callable[[], object], sentence: str) -> None:
    with pytest.raises(vc.InputError, match=sentence):
        make()
