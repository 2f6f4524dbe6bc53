"""The restricted Boltzmann machine as pure functions: energies, conditionals, Gibbs sampling, likelihoods.

Sources: Smolensky 1986; Hinton, Training products of experts by minimizing contrastive divergence, 2002. Units are 0
or 1,

    p(v, h) = exp(-E(v, h)) / Z,  E(v, h) = -a.v - c.h - v.W.h

and the hidden units can be summed out: p(v) = exp(-F(v)) / Z. All values are in nats.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from vaeclust_jax.errors import InputError
from vaeclust_jax.random import as_numbers, uniform
from vaeclust_jax.types import Key

MOST_ENUMERATED = 24
"""Units whose states are summed over one by one, at most."""
_BLOCK = 12  # of them as one array


class RBMParams(NamedTuple):
    """A machine of V visible and H hidden units; a pytree."""

    weights: Float[Array, "v h"]
    visible: Float[Array, " v"]
    """Biases a."""
    hidden: Float[Array, " h"]
    """Biases c."""


class Offsets(NamedTuple):
    """What the units are centred by."""

    visible: Float[Array, " v"]
    hidden: Float[Array, " h"]


class Phase(NamedTuple):
    """Rows of both layers under the data or under the model, states or means, each counted by its weight."""

    visible: Float[Array, "n v"]
    hidden: Float[Array, "n h"]
    weight: Float[Array, " n"]
    """They sum to one."""


class Chain(NamedTuple):
    """Where Gibbs chains are: the states of the visible units, and the probabilities that these were drawn by."""

    visible: Float[Array, "n v"]
    mean: Float[Array, "n v"]


def hidden_logits(params: RBMParams, visible: Float[Array, "n v"]) -> Float[Array, "n h"]:
    """Logits of p(h_j = 1 | v)."""
    return params.hidden[None] + visible @ params.weights


def visible_logits(params: RBMParams, hidden: Float[Array, "n h"]) -> Float[Array, "n v"]:
    """Logits of p(v_i = 1 | h)."""
    return params.visible[None] + hidden @ params.weights.T


def free_energy(params: RBMParams, visible: Float[Array, "n v"]) -> Float[Array, " n"]:
    """F(v) = -a.v - sum_j softplus(c_j + (v W)_j), so that log p(v) = -F(v) - log Z."""
    return -visible @ params.visible - jax.nn.softplus(hidden_logits(params, visible)).sum(axis=1)


def bernoulli(key: Key, logits: Float[Array, "n u"]) -> Float[Array, "n u"]:
    """States of units, 0.0 or 1.0."""
    return jnp.asarray(uniform(key, logits.shape) < jax.nn.sigmoid(logits), jnp.float32)


def flipped(params: RBMParams) -> RBMParams:
    """The same machine with its layers exchanged."""
    return RBMParams(params.weights.T, params.hidden, params.visible)


# Sampling ---------------------------------------------------------------------------------------------------


def gibbs_step(key: Key, params: RBMParams, visible: Float[Array, "n v"], down: RBMParams | None = None) -> Chain:
    """All hidden units given the visible ones, then all visible units given these, by `down` where that differs."""
    hidden_key, visible_key = jax.random.split(key)
    hidden = bernoulli(hidden_key, hidden_logits(params, visible))
    logits = visible_logits(params if down is None else down, hidden)
    return Chain(bernoulli(visible_key, logits), jax.nn.sigmoid(logits))


@jax.jit  # any number of steps is one program, here and below
def gibbs(key: Key, params: RBMParams, visible: Float[Array, "n v"], steps: int) -> Chain:
    """Chains after so many steps, at least one."""
    return clamped_gibbs(key, params, visible, jnp.zeros(visible.shape, bool), steps)


@jax.jit
def clamped_gibbs(
    key: Key, params: RBMParams, visible: Float[Array, "n v"], known: Bool[Array, "n v"], steps: int
) -> Chain:
    """Chains whose known units keep their values: draws of p(v_unknown | v_known) in the end.

    Args:
        key: of all steps.
        params: of the machine.
        visible: where the chains begin; known units must have their values.
        known: which units are held.
        steps: at least one.
    """
    return _walk(key, params, visible, known, steps)[0]


@jax.jit
def restored(
    key: Key, params: RBMParams, visible: Float[Array, "n v"], known: Bool[Array, "n v"], steps: int
) -> Float[Array, "n v"]:
    """E[v | v_known], estimated: the mean of the conditional means over the later half of clamped chains."""
    return _walk(key, params, visible, known, steps)[1]


def _walk(
    key: Key, params: RBMParams, visible: Float[Array, "n v"], known: Bool[Array, "n v"], steps: int
) -> tuple[Chain, Float[Array, "n v"]]:
    first = steps // 2
    numbers, again = as_numbers(key)

    def step(number: Array, carried: tuple[Chain, Array]) -> tuple[Chain, Array]:
        chain, total = carried
        moved = gibbs_step(jax.random.fold_in(again(numbers), number), params, chain.visible)
        chain = Chain(*(jnp.where(known, visible, now) for now in moved))
        return chain, total + jnp.where(number >= first, chain.mean, 0.0)

    start = (Chain(visible, visible), jnp.zeros_like(visible))
    chain, total = jax.lax.fori_loop(0, steps, step, start)
    return chain, total / (steps - first)


# Likelihoods ------------------------------------------------------------------------------------------------


def _of_unit(logits: Float[Array, "n h"], value: Float[Array, " n"], weights: Array, bias: Array) -> Float[Array, " n"]:
    """log p(v_i | all others), from the free energy of the row with unit i turned over."""
    turn = 1 - 2 * value
    gained = turn * bias + (jax.nn.softplus(logits + turn[:, np.newaxis] * weights) - jax.nn.softplus(logits)).sum(
        axis=1
    )
    return jax.nn.log_sigmoid(-gained)


def pseudo_log_likelihood(params: RBMParams, visible: Float[Array, "n v"]) -> Float[Array, " n"]:
    """sum_i log p(v_i | all others) (Besag 1975), exactly: the cost is V H a row."""
    logits = hidden_logits(params, visible)

    def add(total: Array, unit: tuple[Array, Array, Array]) -> tuple[Array, None]:
        value, weights, bias = unit
        return total + _of_unit(logits, value, weights[None], bias), None

    units = (visible.T, params.weights, params.visible)
    return jax.lax.scan(add, jnp.zeros(len(visible)), units)[0]


def stochastic_pseudo_log_likelihood(key: Key, params: RBMParams, visible: Float[Array, "n v"]) -> Float[Array, " n"]:
    """V log p(v_i | all others) of one random unit i a row: its expectation is `pseudo_log_likelihood`."""
    rows, units = visible.shape
    unit = jax.random.randint(key, (rows,), 0, units)
    value = visible[jnp.arange(rows), unit]
    logits = hidden_logits(params, visible)
    return units * _of_unit(logits, value, params.weights[unit], params.visible[unit])


def states(number: int) -> Float[Array, "m u"]:
    """All 2^u states of so many units, the first unit in the highest place."""
    return jnp.asarray((jnp.arange(2**number)[:, np.newaxis] >> jnp.arange(number)[::-1]) & 1, jnp.float32)


def check_enumerable(units: int) -> None:
    """One sentence where an exact sum would take too long.

    Args:
        units: of the smaller layer.

    Raises:
        InputError: more than are summed over.
    """
    if units > MOST_ENUMERATED:
        raise InputError(
            f"an exact partition function needs a layer of at most {MOST_ENUMERATED} units, got {units}: estimate it "
            "by annealed importance sampling"
        )


@jax.jit
def log_partition(params: RBMParams) -> Float[Array, ""]:
    """log Z, exactly: a sum over all states of the smaller layer.

    Raises:
        InputError: both layers are too large.
    """
    few = params if len(params.visible) <= len(params.hidden) else flipped(params)
    units = len(few.visible)
    check_enumerable(units)
    low = min(units, _BLOCK)
    block = states(low)

    def of_block(high: Float[Array, " u"]) -> Float[Array, ""]:
        rows = jnp.concatenate([jnp.broadcast_to(high, (len(block), units - low)), block], axis=1)
        return jax.scipy.special.logsumexp(-free_energy(few, rows))

    return jax.scipy.special.logsumexp(jax.lax.map(of_block, states(units - low)))


# Learning ---------------------------------------------------------------------------------------------------


def likelihood_gradient(data: Phase, model: Phase, offsets: Offsets) -> RBMParams:
    """The gradient of the mean log-likelihood: statistics of the data less those of the model.

    Of all states of the model, and offsets of 0, it is the gradient itself. Samples of the model estimate it. Other
    offsets give the centred gradient (Montavon and Müller 2012; Melchior, Fischer and Wiskott 2016, equations 10 to
    12), another direction of ascent that does not depend on what is coded as 1.
    """

    def products(phase: Phase) -> Float[Array, "v h"]:
        seen = (phase.visible - offsets.visible[None]) * phase.weight[:, None]
        return seen.T @ (phase.hidden - offsets.hidden[None])

    weights = products(data) - products(model)
    visible = data.weight @ data.visible - model.weight @ model.visible - weights @ offsets.hidden
    hidden = data.weight @ data.hidden - model.weight @ model.hidden - offsets.visible @ weights
    return RBMParams(weights, visible, hidden)
