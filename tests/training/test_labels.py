"""Labels go with their rows, to every step and to what judges held-out rows; against a classifier in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array

from tests.training.counting import rows_of
from vaeclust_jax.methods.starts import from_scratch
from vaeclust_jax.training.epoch import Data
from vaeclust_jax.training.loop import History, train
from vaeclust_jax.training.stopping import NEVER
from vaeclust_jax.types import Batch, Info, Key, Learner, Params, Stage, State

N, M, F, C, RATE = 11, 7, 2, 3, 0.5
RNG = np.random.default_rng(0)
X, HELD_OUT = (RNG.normal(size=(rows, F)).astype(np.float32) for rows in (N, M))
Y, HELD_OUT_Y = np.arange(N) % C, np.arange(M)[::-1] % C
VALIDATION = Data(jnp.asarray(HELD_OUT), jnp.asarray(HELD_OUT_Y))
WHOLE = 16  # one batch, with padding in training and in validation


def supervised(traces: list[str]) -> Learner:
    """Softmax regression by plain descent; `seen` counts which label each row came with, `traces` what is compiled.

    Padding is a copy of the first row: with weights left out, the loss and the counts would be others.
    """

    def init(key: Key) -> State:
        w = jax.random.normal(key, (F, C))
        return State({"w": w, "first": w, "seen": jnp.zeros((N, C))}, (), {}, (), jnp.zeros((), jnp.int32))

    def loss(w: Array, batch: Batch) -> Array:
        assert batch.y is not None
        nll = -jnp.take_along_axis(jax.nn.log_softmax(batch.x @ w), batch.y[:, None], axis=1)[:, 0]
        return jnp.sum(nll * batch.weight) / jnp.sum(batch.weight)

    def step(key: Key, state: State, batch: Batch) -> tuple[State, Info]:
        traces.append("step")
        w, seen = state.params["w"], state.params["seen"]
        value, slope = jax.value_and_grad(loss)(w, batch)
        params = {**state.params, "w": w - RATE * slope, "seen": seen.at[batch.index, batch.y].add(batch.weight)}
        return state._replace(params=params, step=state.step + 1), {"loss": value}

    def evaluate(key: Key, state: State, batch: Batch) -> Info:
        traces.append("evaluate")
        return {"loss": loss(state.params["w"], batch)}

    return Learner(init, step, evaluate)


LEARNER = supervised([])  # one for all tests: equal shapes share their programs


def loss_of(w: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """The mean cross-entropy and its gradient, in float64."""
    p = np.exp(x.astype(np.float64) @ w)
    p /= p.sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(len(y)), y]).mean(), x.T @ (p - np.eye(C)[y]) / len(y)


def fit(learner: Learner, seeds: int, batch_size: int, y: np.ndarray = Y) -> tuple[list[Params], History]:
    stage = Stage("only", learner, 3, from_scratch(learner), NEVER)
    keys = jax.vmap(jax.random.key)(jnp.arange(seeds))
    rows = rows_of(jnp.asarray(X), jnp.asarray(y))
    states, history = train([stage], keys, rows, VALIDATION, batch_size=batch_size, names=range(seeds))
    return [state.params for state in states[0]], history


@pytest.mark.long
@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("batch_size", [4, WHOLE])
def test_every_row_comes_with_its_own_label_once_an_epoch(batch_size: int, seeds: int) -> None:
    for params in fit(LEARNER, seeds, batch_size)[0]:
        np.testing.assert_array_equal(params["seen"], 3 * np.eye(C)[Y])


@pytest.mark.parametrize("seeds", [1, 3])
def test_steps_and_losses_of_both_parts_are_those_of_the_labels(seeds: int) -> None:
    found, history = fit(LEARNER, seeds, WHOLE)
    for seed, params in enumerate(found):
        w = np.asarray(params["first"], np.float64)
        for row in (row for row in history if row["seed"] == seed):
            loss, slope = loss_of(w, X, Y)
            w = w - RATE * slope
            assert row["loss"] == pytest.approx(loss, rel=1e-5)
            assert row["val_loss"] == pytest.approx(loss_of(w, HELD_OUT, HELD_OUT_Y)[0], rel=1e-5)
        np.testing.assert_allclose(params["w"], w, rtol=1e-4, atol=1e-6)
    assert len({float(params["first"][0, 0]) for params in found}) == seeds


def test_held_out_losses_are_means_over_rows_however_they_are_cut() -> None:
    still = LEARNER._replace(step=lambda key, state, batch: (state, {"loss": jnp.zeros(())}))
    [params], history = fit(still, 1, 4)  # two batches, the second padded
    expected = loss_of(np.asarray(params["first"], np.float64), HELD_OUT, HELD_OUT_Y)[0]
    assert [row["val_loss"] for row in history] == pytest.approx([expected] * 3, rel=1e-5)


def test_all_seeds_and_any_labels_are_one_program() -> None:
    traces: list[str] = []
    learner = supervised(traces)
    first, _ = fit(learner, 3, 4)
    compiled = list(traces)
    assert {*compiled} == {"step", "evaluate"}
    other = (Y + 1) % C
    second, _ = fit(learner, 3, 4, other)
    assert traces == compiled
    for one, two in zip(first, second, strict=True):
        np.testing.assert_array_equal(two["seen"], 3 * np.eye(C)[other])
        assert (one["w"] != two["w"]).any()


def test_a_method_that_reads_no_label_gets_none() -> None:
    got = []

    def step(key: Key, state: State, batch: Batch) -> tuple[State, Info]:
        got.append(batch.y)
        return state, {"loss": jnp.zeros(())}

    def evaluate(key: Key, state: State, batch: Batch) -> Info:
        got.append(batch.y)
        return {"loss": jnp.zeros(())}

    learner = LEARNER._replace(step=step, evaluate=evaluate)
    stage = Stage("only", learner, 1, from_scratch(learner), NEVER)
    keys = jax.random.key(0)[None]
    train([stage], keys, rows_of(jnp.asarray(X)), Data(VALIDATION.x), batch_size=4, names=[0])
    assert got
    assert all(y is None for y in got)
