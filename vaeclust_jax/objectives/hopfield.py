"""Associative memories: the classical Hopfield net, one with saturating units, and the modern one.

Each writes patterns into its parameters in closed form, recalls by repeating one step, and has an energy that no step
raises. Steps and energies are pure functions of the parameters and of states (n, F), a row a state.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int
from numpy.typing import ArrayLike

from vaeclust_jax.errors import InputError

Step = Callable[[Float[Array, "n f"]], Float[Array, "n f"]]


def check_patterns(patterns: ArrayLike) -> Float[np.ndarray, "p f"]:
    """Patterns of two-valued units.

    Raises:
        InputError: no rows of units, or values that are neither -1 nor 1.
    """
    found = np.asarray(patterns)
    if found.ndim != 2 or not found.size:
        raise InputError(f"patterns must be rows of units, at least one of each, got shape {found.shape}")
    if (wrong := ~np.isin(found, (-1, 1))).any():
        raise InputError(f"patterns must hold -1 and 1 alone, got {found[wrong][0]:.6g}: write the sign of each value")
    return found.astype(np.float32)


def settle(
    step: Step, state: Float[Array, "n f"], most: int | Array, tolerance: float | Array = 1e-6
) -> tuple[Float[Array, "n f"], Int[Array, " n"], Bool[Array, " n"]]:
    """Repeats a step until no unit of a row moves by more than the tolerance.

    Args:
        step: of all rows at once, each by itself.
        state: where recall begins.
        most: steps.
        tolerance: in units of the state.

    Returns:
        The states reached, how many steps moved each, and whether it came to rest.
    """

    def going(carry: tuple[Array, Array, Array, Array]) -> Array:
        _, _, moving, number = carry
        return moving.any() & (number < most)

    def once(carry: tuple[Array, Array, Array, Array]) -> tuple[Array, Array, Array, Array]:
        state, count, moving, number = carry
        after = step(state)
        moved = moving & (jnp.abs(after - state).max(axis=1) > tolerance)
        return jnp.where(moved[:, None], after, state), count + moved, moved, number + 1

    zero = jnp.zeros(len(state), jnp.int32)
    first = (state, zero, jnp.ones(len(state), bool), jnp.zeros((), jnp.int32))
    state, count, moving, _ = jax.lax.while_loop(going, once, first)
    return state, count, ~moving


# The classical net: Hopfield 1982, Neural networks and physical systems with emergent collective computational
# abilities.


def hebbian_weights(patterns: Float[Array, "p f"], counted: Bool[Array, " p"] | None = None) -> Float[Array, "f f"]:
    """W = 1/F sum_p x_p x_p^T without its diagonal: Hebb's rule (Hopfield 1982, Eq. 2).

    Args:
        patterns: of -1 and 1.
        counted: the rows that are written; None: all.
    """
    written = patterns if counted is None else patterns * counted[:, None]
    weights = written.T @ patterns / patterns.shape[1]
    return weights * (1 - jnp.eye(len(weights)))


def classical_step(weights: Float[Array, "f f"], state: Float[Array, "n f"]) -> Float[Array, "n f"]:
    """One sweep: unit after unit takes the sign of its field, or stays where the field is 0."""

    def unit(number: Array, state: Array) -> Array:
        field = state @ weights[number]
        return state.at[:, number].set(jnp.where(field == 0, state[:, number], jnp.sign(field)))

    return jax.lax.fori_loop(0, state.shape[1], unit, state)


def classical_energy(weights: Float[Array, "f f"], state: Float[Array, "n f"]) -> Float[Array, " n"]:
    """E = -1/2 s^T W s, which no unit raises, because W is symmetric without a diagonal."""
    return -0.5 * ((state @ weights) * state).sum(axis=1)


# The net with saturating units: Li, Michel and Porod 1989, Analysis and synthesis of a class of neural networks.


def saturating_weights(
    patterns: Float[Array, "p f"], tau: float = 10.0, h: float = 0.15, counted: Bool[Array, " p"] | None = None
) -> tuple[Float[Array, "f f"], Float[Array, " f"]]:
    """W and b of a <- satlins(W a + b), the design of Li, Michel and Porod.

    With the projections P onto the span of the patterns' differences and Q = I - P onto what is orthogonal to it, the
    continuous system da/dt = (P - tau Q) a + (1 + tau) Q x grows along the patterns' plane and decays towards it. Over
    a time h that is

        W = e^h P + e^(-tau h) Q,    b = (1 - e^(-tau h)) (1 + tau) / tau Q x,

    for any pattern x, because all have the same Q x.

    Args:
        patterns: of -1 and 1.
        tau: rate of the decay towards the plane, beside a growth of rate 1 in it.
        h: time of one step.
        counted: the rows that are written, the first among them; None: all.
    """
    differences = patterns[1:] - patterns[:1]
    if counted is not None:
        differences = differences * counted[1:, None]
    f = patterns.shape[1]
    if len(differences) == 0:
        plane = jnp.zeros((f, f))
    else:
        _, sizes, rows = jnp.linalg.svd(differences, full_matrices=False)
        spans = sizes > jnp.maximum(sizes.max(), 1.0) * max(differences.shape) * jnp.finfo(sizes.dtype).eps
        plane = (rows.T * spans) @ rows
    across, decay = jnp.eye(f) - plane, jnp.exp(-tau * h)
    weights = jnp.exp(h) * plane + decay * across
    return weights, (1 - decay) * (1 + tau) / tau * (across @ patterns[0])


def saturating_step(
    weights: Float[Array, "f f"], bias: Float[Array, " f"], state: Float[Array, "n f"]
) -> Float[Array, "n f"]:
    """a <- satlins(W a + b): all units at once, cut off at -1 and 1."""
    return jnp.clip(state @ weights + bias[None], -1.0, 1.0)


def saturating_energy(
    weights: Float[Array, "f f"], bias: Float[Array, " f"], state: Float[Array, "n f"]
) -> Float[Array, " n"]:
    """E = 1/2 a^T (I - W) a - b^T a of states in [-1, 1].

    A step minimises 1/2 a^T a - (W a_t + b)^T a over the cube. This is an upper bound of E up to a constant, tight at
    a_t, because W is positive definite: E never rises.
    """
    return 0.5 * ((state - state @ weights) * state).sum(axis=1) - state @ bias


# The modern net: Ramsauer et al. 2020, Hopfield Networks is All You Need.


def attention(
    memories: Float[Array, "p f"], beta: float | Array, bias: Float[Array, " p"] | None, state: Float[Array, "n f"]
) -> Float[Array, "n p"]:
    """log softmax(beta X s + c): how much each state takes of each memory."""
    return jax.nn.log_softmax(_scores(memories, beta, bias, state), axis=1)


def modern_step(
    memories: Float[Array, "p f"], beta: float | Array, bias: Float[Array, " p"] | None, state: Float[Array, "n f"]
) -> Float[Array, "n f"]:
    """s <- X^T softmax(beta X s + c) (Ramsauer et al. 2020, Eq. 3, which has c = 0).

    With c = -beta/2 |x|^2 of each memory it is mean shift with a Gaussian kernel of variance 1/beta (Fukunaga and
    Hostetler 1975): a soft assignment to the memories, followed by their mean.
    """
    return jnp.exp(attention(memories, beta, bias, state)) @ memories


def modern_energy(
    memories: Float[Array, "p f"], beta: float | Array, bias: Float[Array, " p"] | None, state: Float[Array, "n f"]
) -> Float[Array, " n"]:
    """E = -1/beta log sum_p exp(beta x_p^T s + c_p) + 1/2 s^T s (Ramsauer et al. 2020, Eq. 2, less its constants)."""
    total = jax.nn.logsumexp(_scores(memories, beta, bias, state), axis=1)
    return 0.5 * jnp.square(state).sum(axis=1) - total / beta


def distance_bias(memories: Float[Array, "p f"], beta: float | Array) -> Float[Array, " p"]:
    """c = -beta/2 |x|^2: the memory that is nearest to a state attracts it most, whatever the memories' lengths."""
    return -0.5 * beta * jnp.square(memories).sum(axis=1)


def _scores(memories: Array, beta: float | Array, bias: Array | None, state: Array) -> Array:
    scores = beta * (state @ memories.T)
    return scores if bias is None else scores + bias[None]
