"""Rules that end a stage early."""

from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array

from vaeclust_jax.types import Info, Params, State, Stopping

NEVER = Stopping(
    init=lambda state: (),
    update=lambda memory, state, info: (memory, jnp.zeros((), bool)),
    result=lambda memory, state: state,
)
"""All epochs, and the last state."""


class _Best(NamedTuple):
    params: Params
    loss: Array
    wait: Array


@lru_cache
def validation_patience(patience: int) -> Stopping:
    """Stop after `patience` epochs without a lower validation loss; hand on the best parameters."""

    def init(state: State) -> _Best:
        best = jax.tree.map(jnp.copy, state.params)  # a copy: the state itself is donated every epoch
        return _Best(best, jnp.asarray(jnp.inf, jnp.float32), jnp.zeros((), jnp.int32))

    def update(best: _Best, state: State, info: Info) -> tuple[_Best, Array]:
        loss = info["val_loss"]
        better = loss < best.loss
        params = jax.lax.cond(better, lambda: state.params, lambda: best.params)
        wait = jnp.where(better, 0, best.wait + 1)
        return _Best(params, jnp.minimum(loss, best.loss), wait), wait >= patience

    return Stopping(init, update, lambda best, state: state._replace(params=best.params))


@lru_cache
def assignment_change(tolerance: float) -> Stopping:
    """Stop once less than `tolerance` of the assignments changed between two target refreshes; keep the last state.

    The tolerance follows Xie, Girshick and Farhadi 2016, section 3.3 (0.1 %).
    """

    def update(memory: Any, state: State, info: Info) -> tuple[Any, Array]:
        return memory, info["changed"] < tolerance

    return Stopping(lambda state: (), update, lambda memory, state: state)
