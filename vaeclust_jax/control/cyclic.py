"""A weight that rises again and again.

Source: Fu et al., Cyclical Annealing Schedule: A Simple Approach to Mitigating KL Vanishing, 2019: in epoch t of T,
with M cycles and a proportion R of each for rising, beta = f(tau) if tau <= R and 1 otherwise, where
tau = mod(t - 1, ceil(T / M)) / (T / M) and here f(tau) = tau / R, the source's linear choice.
"""

from typing import NamedTuple

import jax.numpy as jnp

from vaeclust_jax.control.controller import Count, Number, at_least, controller, not_negative, positive
from vaeclust_jax.errors import InputError
from vaeclust_jax.types import Controller, Info


class CyclicState(NamedTuple):
    """The weight, the number of epochs that ended, and the shape of a cycle."""

    value: Number
    epochs: Count
    start: Number
    stop: Number
    period: Count
    """ceil(T / M), epochs from one start to the next."""
    rise: Number
    """R T / M, epochs until `stop` is reached."""


def cyclic(
    stop: float = 1.0, *, num_epochs: int, num_cycles: int = 4, proportion: float = 0.5, start: float = 0.0
) -> Controller:
    """`num_cycles` times from `start` along a line to `stop`, then at `stop` until the cycle ends.

    Args:
        stop: the weight at the end of each cycle.
        num_epochs: T, the epochs that the cycles share; training for longer begins another cycle.
        num_cycles: M, below `num_epochs`, because a cycle of one epoch would stay at `start`.
        proportion: R in (0, 1], the part of a cycle in which the weight rises.
        start: the weight in the first epoch of each cycle.

    Raises:
        InputError: a number is out of its range.
    """
    start, stop = not_negative("start", start), not_negative("stop", stop)
    num_epochs, num_cycles = at_least(1, "num_epochs", num_epochs), at_least(1, "num_cycles", num_cycles)
    if num_cycles >= num_epochs:
        raise InputError(f"num_cycles must be below num_epochs, got {num_cycles} cycles in {num_epochs} epochs")
    if positive("proportion", proportion) > 1:
        raise InputError(f"proportion must lie in (0, 1], got {proportion}")
    period, rise = -(-num_epochs // num_cycles), float(proportion) * num_epochs / num_cycles
    return controller(CyclicState(start, 0, start, stop, period, rise), _update)


def _update(state: CyclicState, losses: Info) -> tuple[CyclicState, Info]:
    epochs = state.epochs + 1
    share = jnp.minimum((epochs % state.period) / state.rise, 1.0)
    value = (1.0 - share) * state.start + share * state.stop
    return state._replace(value=value, epochs=epochs), {}
