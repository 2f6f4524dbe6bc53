"""A learner that records what the loop does with it: its parameters are counts, its losses known numbers."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from vaeclust_jax.control.constant import constant
from vaeclust_jax.training.encodings import Encodings, TrainingRows
from vaeclust_jax.types import Batch, Info, Key, Learner, State


def rows_of(x: Array, y: Array | None = None) -> TrainingRows:
    """Rows as `train` takes them."""
    return TrainingRows(x, y, np.arange(len(x)), Encodings(np.asarray(x)))


def counting_learner(n: int, poison_step: int = -1, cured_after: int = 100) -> Learner:
    """`seen` counts how often each row was visited with weight 1; the loss is the mean of x over the batch.

    Args:
        n: training rows.
        poison_step: the step whose loss and parameters turn NaN, for the seed whose `w` is above one half.
        cured_after: the number of halvings of the learning rate after which it no longer does.
    """

    def init(key: Key) -> State:
        params = {"seen": jnp.zeros(n), "w": jax.random.uniform(key), "noise": jnp.zeros(())}
        return State(params, jnp.ones(()), {"beta": constant(1.0).init()}, (), jnp.zeros((), jnp.int32))

    def step(key: Key, state: State, batch: Batch) -> tuple[State, Info]:
        bad = (state.step == poison_step) & (state.params["w"] > 0.5)
        bad &= state.opt_state > 0.5**cured_after  # the learning rate
        loss = jnp.sum(batch.x[:, 0] * batch.weight) / jnp.sum(batch.weight)
        params = {
            "seen": state.params["seen"].at[batch.index].add(batch.weight),
            "w": jnp.where(bad, jnp.nan, state.params["w"]),
            "noise": state.params["noise"] + jax.random.normal(key),
        }
        loss = jnp.where(bad, jnp.nan, loss)
        return state._replace(params=params, step=state.step + 1), {"loss": loss, "reconstruction": loss}

    def end_epoch(state: State, x: Array, epoch: Array, losses: Info) -> tuple[State, Info]:
        return state, {"changed": jnp.where(epoch >= 2, state.params["w"], 1.0), "rows": jnp.asarray(x.shape[0] * 1.0)}

    def evaluate(key: Key, state: State, batch: Batch) -> Info:
        draw = jax.random.normal(key)
        return {"loss": jnp.sum(batch.x[:, 0] * batch.weight) / jnp.sum(batch.weight), "draw": draw}

    def gentler(state: State) -> State:
        return state._replace(opt_state=state.opt_state / 2)

    return Learner(init, step, evaluate, end_epoch, gentler=gentler)
