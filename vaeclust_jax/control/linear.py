"""A weight that goes from one value to another along a line: warm-up.

Source: Sønderby et al., Ladder Variational Autoencoders, 2016, section 2.3: beta rises linearly from 0 to 1 during
the first epochs, so that latent units are not switched off before they carry information.
"""

from typing import NamedTuple

import jax.numpy as jnp

from vaeclust_jax.control.controller import Count, Number, at_least, controller, not_negative
from vaeclust_jax.types import Controller, Info


class LinearState(NamedTuple):
    """The weight, the number of epochs that ended, and the line."""

    value: Number
    epochs: Count
    start: Number
    stop: Number
    num_epochs: Count


def linear(stop: float = 1.0, *, num_epochs: int, start: float = 0.0) -> Controller:
    """start + (stop - start) min(t / num_epochs, 1) after t epochs: the first epoch has `start`.

    Args:
        stop: the weight from epoch `num_epochs` + 1 on.
        num_epochs: how many epochs the way takes, at least 1.
        start: the weight of the first epoch; above `stop` the weight falls.

    Raises:
        InputError: a weight is negative or not finite, or `num_epochs` is below 1.
    """
    start, stop = not_negative("start", start), not_negative("stop", stop)
    return controller(LinearState(start, 0, start, stop, at_least(1, "num_epochs", num_epochs)), _update)


def _update(state: LinearState, losses: Info) -> tuple[LinearState, Info]:
    epochs = state.epochs + 1
    share = jnp.minimum(epochs / state.num_epochs, 1.0)
    value = (1.0 - share) * state.start + share * state.stop  # exactly `stop` at the end
    return state._replace(value=value, epochs=epochs), {}
