"""Annealed importance sampling of a restricted Boltzmann machine's partition function, forwards and backwards.

Sources: Neal, Annealed importance sampling, 2001; Salakhutdinov and Murray, On the quantitative analysis of deep belief
networks, 2008, whose chains begin at the base rates of the data; Grosse, Ghahramani and Adams, Sandwiching the marginal
likelihood using bidirectional Monte Carlo, 2015, for the way back. At inverse temperature b the machine has the weights
b W and the biases (1 - b) a0 + b a and b c: at 0 the units are independent and log Z is known, at 1 it is the machine.
"""

from functools import partial
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from vaeclust_jax.errors import InputError
from vaeclust_jax.objectives.rbm import RBMParams, bernoulli, hidden_logits
from vaeclust_jax.random import as_numbers
from vaeclust_jax.types import Key

Spacing = Literal["uniform", "log"]
_RATIO = 100.0  # of the first step of a log-spaced schedule to its last
_CLIP = 1e-3  # base rates stay this far from 0 and 1


class LogPartition(NamedTuple):
    """An estimate of log Z.

    Attributes:
        value: nats.
        deviation: its standard error, nats, from the spread of the chains' weights.
        effective: chains that the weights are worth, from 1 to all.
    """

    value: float
    deviation: float
    effective: float


def schedule(num_temperatures: int, spacing: Spacing = "uniform") -> Float[np.ndarray, " t"]:
    """Inverse temperatures from 0 to 1; log: ever denser towards the model, the last step a hundredth of the first.

    Raises:
        InputError: fewer than two.
    """
    if num_temperatures < 2:
        raise InputError(f"num_temperatures must be at least 2, got {num_temperatures}")
    betas = np.linspace(0, 1, num_temperatures)
    if spacing == "log":
        betas = np.log1p(betas * (_RATIO - 1)) / np.log(_RATIO)
        betas[-1] = 1
    return betas


def base_rates(mean: Float[Array, " v"]) -> Float[Array, " v"]:
    """Biases of independent units with these means: where the chains begin, a0."""
    return jax.scipy.special.logit(jnp.clip(mean, _CLIP, 1 - _CLIP))


def forward_ais(
    key: Key, params: RBMParams, base: Float[Array, " v"], betas: Float[np.ndarray, " t"], num_chains: int = 100
) -> LogPartition:
    """log Z by chains from the base rates to the model: in expectation of Z exact, and of log Z from below.

    Args:
        key: of all draws.
        params: of the machine.
        base: a0, of `base_rates`.
        betas: of `schedule`.
        num_chains: independent chains.
    """
    weights = _forward(key, params, base, jnp.asarray(betas, jnp.float32), num_chains)
    return _estimate(weights, _log_base(params, base), 1)


def reverse_ais(
    key: Key, params: RBMParams, base: Float[Array, " v"], betas: Float[np.ndarray, " t"], visible: Float[Array, "n v"]
) -> LogPartition:
    """log Z by chains from samples of the model to the base rates: of log Z from above, if they are such samples.

    Args:
        key: of all draws.
        params: of the machine.
        base: a0, of `base_rates`.
        betas: of `schedule`.
        visible: samples of the model, one a chain. Of a machine without known samples: the ends of long Gibbs chains,
            and the bound is then as good as they are.
    """
    weights = _reverse(key, params, base, jnp.asarray(betas, jnp.float32), visible)
    return _estimate(weights, _log_base(params, base), -1)


def _log_base(params: RBMParams, base: Float[Array, " v"]) -> float:
    """log Z at inverse temperature 0."""
    return float(jax.nn.softplus(base).sum() + len(params.hidden) * np.log(2))


def _estimate(log_weights: Float[Array, " n"], log_base: float, sign: int) -> LogPartition:
    logs = np.asarray(log_weights, np.float64)
    weights = np.exp(logs - logs.max())
    mean = weights.mean()
    deviation = weights.std(ddof=1) / np.sqrt(len(weights)) / mean if len(weights) > 1 else np.inf
    value = log_base + sign * (logs.max() + np.log(mean))
    return LogPartition(float(value), float(deviation), float(weights.sum() ** 2 / (weights**2).sum()))


def _gained(
    params: RBMParams, base: Float[Array, " v"], visible: Float[Array, "n v"], before: Array, after: Array
) -> Float[Array, " n"]:
    """F at one inverse temperature less F at the next: small, so each unit's share is taken before they are summed."""
    logits = hidden_logits(params, visible)
    of_hidden = jax.nn.softplus(after * logits) - jax.nn.softplus(before * logits)
    return (after - before) * (visible @ (params.visible - base)) + of_hidden.sum(axis=1)


def _move(
    key: Key, params: RBMParams, base: Float[Array, " v"], visible: Float[Array, "n v"], beta: Array
) -> Float[Array, "n v"]:
    """A Gibbs step at an inverse temperature. It is its own reverse, so that both directions take it."""
    hidden_key, visible_key = jax.random.split(key)
    hidden = bernoulli(hidden_key, beta * hidden_logits(params, visible))
    return bernoulli(visible_key, (1 - beta) * base + beta * (params.visible + hidden @ params.weights.T))


@partial(jax.jit, static_argnames="num_chains")
def _forward(key: Key, params: RBMParams, base: Array, betas: Array, num_chains: int) -> Float[Array, " n"]:
    start_key, steps_key = jax.random.split(key)
    visible = bernoulli(start_key, jnp.broadcast_to(base, (num_chains, len(base))))
    numbers, again = as_numbers(steps_key)

    def step(carried: tuple[Array, Array], inputs: tuple[Array, Array, Array]) -> tuple[tuple[Array, Array], None]:
        (visible, total), (number, before, after) = carried, inputs
        total = total + _gained(params, base, visible, before, after)
        return (_move(jax.random.fold_in(again(numbers), number), params, base, visible, after), total), None

    inputs = (jnp.arange(len(betas) - 1), betas[:-1], betas[1:])
    return jax.lax.scan(step, (visible, jnp.zeros(num_chains)), inputs)[0][1]


@jax.jit
def _reverse(key: Key, params: RBMParams, base: Array, betas: Array, visible: Array) -> Float[Array, " n"]:
    numbers, again = as_numbers(key)

    def step(carried: tuple[Array, Array], inputs: tuple[Array, Array, Array]) -> tuple[tuple[Array, Array], None]:
        (visible, total), (number, after, before) = carried, inputs
        visible = _move(jax.random.fold_in(again(numbers), number), params, base, visible, before)
        return (visible, total + _gained(params, base, visible, before, after)), None

    inputs = (jnp.arange(len(betas) - 1), betas[:-1], betas[1:])
    return jax.lax.scan(step, (visible, jnp.zeros(len(visible))), inputs, reverse=True)[0][1]
