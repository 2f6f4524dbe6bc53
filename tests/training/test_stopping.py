"""Stopping rules against a plain Python account of what they promise."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaeclust_jax.training.stopping import NEVER, assignment_change, validation_patience
from vaeclust_jax.types import State


def state_of(number: float) -> State:
    return State({"w": jnp.asarray(number)}, (), {}, (), jnp.asarray(0))


@pytest.mark.long
@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=12), st.integers(1, 4))
def test_patience_keeps_the_first_best_and_stops_after_so_many_epochs_without_a_better_one(
    losses: list[int], patience: int
) -> None:
    rule = validation_patience(patience)
    memory = rule.init(state_of(-1))
    for epoch, loss in enumerate(losses):
        memory, stop = rule.update(memory, state_of(epoch), {"val_loss": jnp.asarray(float(loss))})
        best = int(np.argmin(losses[: epoch + 1]))
        assert bool(stop) == (epoch - best >= patience)
        assert float(rule.result(memory, state_of(99)).params["w"]) == best
        if stop:
            break


def test_assignments_stop_below_the_tolerance_and_keep_the_last_state() -> None:
    rule = assignment_change(0.001)
    memory = rule.init(state_of(0))
    for changed, stops in ((1.0, False), (0.001, False), (0.0009, True), (0.0, True)):
        memory, stop = rule.update(memory, state_of(0), {"changed": jnp.asarray(changed)})
        assert bool(stop) is stops
    assert float(rule.result(memory, state_of(7)).params["w"]) == 7


def test_never_stops() -> None:
    memory, stop = NEVER.update(NEVER.init(state_of(0)), state_of(1), {})
    assert not bool(stop)
    assert float(NEVER.result(memory, state_of(7)).params["w"]) == 7
