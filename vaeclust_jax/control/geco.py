"""A beta that holds the reconstruction at a target: GECO, a constraint with a Lagrange multiplier.

Source: Rezende and Viola, Taming VAEs, 2018, Algorithm 1. It minimises KL + lambda C with the constraint
C = reconstruction - target <= 0 and lambda <- lambda exp(rate C_ma), where C_ma <- decay C_ma + (1 - decay) C is a
moving average that starts at the first C. The losses here are reconstruction + beta KL, the same function divided
by lambda, so that beta = 1 / lambda <- beta exp(-rate C_ma): a reconstruction that is better than its target lets
beta rise until it is no better.

Three things are chosen here: the source updates after every gradient step with decay 0.99, which over the some twenty
steps of an epoch is about the default 0.8; beta is bounded, since a target that cannot be met would drive it to 0; and
the target may be left to the run, for it is in the data's own nats: what a fixed beta reached in its first epochs.
"""

from typing import NamedTuple

import jax.numpy as jnp

from vaeclust_jax.control.controller import (
    Count,
    Flag,
    Number,
    at_least,
    controller,
    finite,
    loss_of,
    not_negative,
    positive,
)
from vaeclust_jax.errors import InputError
from vaeclust_jax.types import Controller, Info


class GecoState(NamedTuple):
    """The weight, the moving average of the constraint, and the numbers of the rule."""

    value: Number
    average: Number
    started: Flag
    """Whether an epoch has ended, so that there is an average."""
    target: Number
    epochs: Count
    warmup: Count
    """Epochs whose reconstruction becomes the target, the last one's; 0 where the target is given."""
    decay: Number
    rate: Number
    low: Number
    high: Number


def geco(
    target_reconstruction: float | None = None,
    *,
    warmup: int = 10,
    start: float = 1.0,
    decay: float = 0.8,
    rate: float = 0.01,
    low: float = 1e-3,
    high: float = 1e3,
) -> Controller:
    """beta rises while the reconstruction is better than its target and falls while it is worse.

    Its info: "constraint", the moving average of reconstruction - target, in the reconstruction's units.

    Args:
        target_reconstruction: the mean reconstruction loss per sample, summed over features (nats; negative ones
            are possible for densities). None: that of epoch `warmup`, up to which beta stays at `start`.
        warmup: epochs at `start` that set the target, at least 1; without meaning where it is given.
        start: beta of the first epoch.
        decay: of the moving average, in [0, 1); 0 is no average.
        rate: change of log beta per epoch and nat.
        low: the least beta, above 0.
        high: the largest beta.

    Raises:
        InputError: a number is out of its range.
    """
    if not_negative("decay", decay) >= 1:
        raise InputError(f"decay must lie in [0, 1), got {decay}")
    low, start, high = positive("low", low), positive("start", start), positive("high", high)
    if not low <= start <= high or not low < high:
        raise InputError(f"low, start and high must be in this order, got {low}, {start} and {high}")
    warmup = at_least(1, "warmup", warmup)
    if target_reconstruction is None:
        target = (0.0, 0, warmup)
    else:
        target = (finite("target_reconstruction", target_reconstruction), 0, 0)
    return controller(GecoState(start, 0.0, False, *target, float(decay), positive("rate", rate), low, high), _update)


def _update(state: GecoState, losses: Info) -> tuple[GecoState, Info]:
    reconstruction, epochs = loss_of(losses, "reconstruction"), state.epochs + 1
    target = jnp.where(epochs <= state.warmup, reconstruction, state.target)
    constraint = reconstruction - target
    moving = state.decay * state.average + (1.0 - state.decay) * constraint
    average = jnp.where(state.started, moving, constraint)
    value = jnp.clip(state.value * jnp.exp(-state.rate * average), state.low, state.high)
    started = jnp.ones_like(state.started)
    state = state._replace(value=value, average=average, started=started, target=target, epochs=epochs)
    return state, {"constraint": average}
