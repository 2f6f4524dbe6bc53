"""A weight that waits at 0 and then alternates between two levels: gamma of the semi-supervised dynamic beta-VAE.

Source: Rydhmer and Selvan, Dynamic beta VAEs for quantifying biodiversity by clustering optically recorded insect
signals, 2021 (weights 0.01 and 0.2 in turns of 100 epochs), and the authors' released code (0 to epoch 50, 0.01 to
epoch 100, then 0.2 first). When executed, that code changes the weight a little later, and never once the rule of its
beta is off: `literal`.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array

from vaeclust_jax.control.controller import Count, Flag, Number, at_least, controller, flag, not_negative
from vaeclust_jax.types import Controller, Info

_OFF = 2.0
"""The beta from which on the released code changes nothing."""


class TwoLevelState(NamedTuple):
    """The weight, the number of epochs that ended, the levels and their times."""

    value: Number
    epochs: Count
    low: Number
    high: Number
    warmup: Count
    interval: Count
    literal: Flag


def two_level(
    low: float = 0.01, high: float = 0.2, *, warmup: int = 50, interval: int = 100, literal: bool = False
) -> Controller:
    """After t epochs 0 while t < warmup, then `low` where floor(t / interval) is even and `high` where it is odd.

    With the defaults: epochs 1 to 50 have 0, 51 to 100 `low`, 101 to 200 `high`, 201 to 300 `low`, and so on.

    Args:
        low: the first level.
        high: the second level; not necessarily the larger one.
        warmup: epochs with weight 0.
        interval: epochs of a turn, counted from the start of training.
        literal: as the released code is executed: `low` from epoch `warmup` + 3 on, the other level from epochs
            `interval` + 2, 2 `interval` + 2 and so on (53, 102, 202, ...), and no change once beta has reached 2.

    Raises:
        InputError: a level is negative or not finite, `warmup` is negative, or `interval` is below 1.
    """
    low, high = not_negative("low", low), not_negative("high", high)
    warmup, interval = at_least(0, "warmup", warmup), at_least(1, "interval", interval)
    first = 0.0 if flag("literal", literal) or warmup else low
    return controller(TwoLevelState(first, 0, low, high, warmup, interval, literal), _update)


def _update(state: TwoLevelState, losses: Info) -> tuple[TwoLevelState, Info]:
    epochs = jnp.asarray(state.epochs + 1)
    level = jnp.where((epochs // state.interval) % 2 == 1, state.high, state.low)
    value = jnp.where(epochs < state.warmup, 0.0, level)
    return state._replace(value=jnp.where(state.literal, _released(state, epochs, losses), value), epochs=epochs), {}


def _released(state: TwoLevelState, epochs: Array, losses: Info) -> Array:
    begins = epochs == state.warmup + 2
    turns = (epochs > state.warmup + 2) & ((epochs - 1) % state.interval == 0)
    other = jnp.where(begins | (state.value != state.low), state.low, state.high)
    on = jnp.asarray(losses.get("beta", 0.0)) < _OFF
    return jnp.where(on & (begins | turns), other, state.value)
