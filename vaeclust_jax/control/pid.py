"""A beta that holds the KL term at a target: the non-linear PI controller of ControlVAE.

Source: Shao et al., ControlVAE: Controllable Variational Autoencoder, 2020, Algorithm 1. With the error
e(t) = target - KL(t),

    beta(t) = Kp / (1 + exp(e(t))) - Ki sum_{j <= t} e(j) + beta_min,

kept within [beta_min, beta_max]. (There is no derivative term: the source leaves it out of its PID, because the KL
of a mini-batch is noisy.)

Two things are chosen here. The source updates after every gradient step with Ki = 1e-4; here an update is an epoch
of some twenty steps or more, hence the default 2e-3. And it stops the integral while beta is out of its bounds; but
one error may carry the integral far beyond a bound, from where it would take long to return. Here the integral is
taken back to what the bounded beta implies (back-calculation, the other usual anti-windup), so that it cannot wind
up at all. Within the bounds both are the formula above.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from vaeclust_jax.control.controller import Number, controller, loss_of, not_negative, positive
from vaeclust_jax.errors import InputError
from vaeclust_jax.types import Controller, Info


class PidState(NamedTuple):
    """The weight, the integral term -Ki sum e, and the numbers of the rule."""

    value: Number
    integral: Number
    target_kl: Number
    kp: Number
    ki: Number
    low: Number
    high: Number


def pid(target_kl: float, *, kp: float = 0.01, ki: float = 2e-3, low: float = 0.0, high: float = 1.0) -> Controller:
    """beta rises while the KL term is above its target and falls while it is below.

    Its info: "error", target - KL in nats.

    Args:
        target_kl: nats per sample, summed over latent dimensions.
        kp: Kp, weight of the present error, which is squashed into (0, 1).
        ki: Ki, weight of the sum of errors, per nat and epoch.
        low: beta_min, also the beta of the first epoch.
        high: beta_max, above `low`.

    Raises:
        InputError: a number is out of its range.
    """
    low, high = not_negative("low", low), positive("high", high)
    if not low < high:
        raise InputError(f"high must be above low, got high {high} and low {low}")
    numbers = (positive("target_kl", target_kl), positive("kp", kp), positive("ki", ki))
    return controller(PidState(low, 0.0, *numbers, low, high), _update)


def _update(state: PidState, losses: Info) -> tuple[PidState, Info]:
    error = state.target_kl - loss_of(losses, "kl")
    proportional = state.kp * jax.nn.sigmoid(-error)
    value = jnp.clip(proportional + state.integral - state.ki * error + state.low, state.low, state.high)
    return state._replace(value=value, integral=value - proportional - state.low), {"error": error}
