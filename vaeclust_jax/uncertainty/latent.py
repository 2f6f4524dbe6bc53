"""How sure a cluster assignment is when the code z is known only as the posterior q(z|x) = N(mean, exp(logvar)).

The encoder says where a sample lies and how sure it is of that; drawing codes from its answer and assigning each
turns this into the uncertainty of the assignment. Entropies are in nats.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import ArrayLike

from vaeclust_jax.checks import is_whole
from vaeclust_jax.errors import InputError
from vaeclust_jax.objectives.elbo import sample_posterior
from vaeclust_jax.types import Key, Learner, Params

ROWS_AT_ONCE = 64  # a block of rows holds all its passes: with 100 of them and K = 20 half a megabyte


class Decomposition(NamedTuple):
    """The entropy of an average and its two parts, nats."""

    entropy: Float[Array | np.ndarray, "..."]
    """H[mean_m q_m]: total."""
    expected_entropy: Float[Array | np.ndarray, "..."]
    """mean_m H[q_m]: what remains when it is known which q_m holds (aleatoric)."""
    mutual_information: Float[Array | np.ndarray, "..."]
    """entropy - expected_entropy: how much the q_m disagree (epistemic); at least 0."""


class Uncertainty(NamedTuple):
    """What M draws of the code say about the assignment of each sample; entropies in nats.

    "Epistemic" means here that the code z is not known: the weights are held fixed. What the training left open
    shows between seeds, see `ensemble.seed_uncertainty`.
    """

    probabilities: Float[np.ndarray, "n k"]
    """mean_m q(z_m): the assignment averaged over the posterior of the code; rows sum to one."""
    entropy: Float[np.ndarray, " n"]
    """H[mean_m q(z_m)], 0 to log K: all that is open."""
    expected_entropy: Float[np.ndarray, " n"]
    """mean_m H[q(z_m)]: open even when the code is known, as between two centroids (aleatoric)."""
    mutual_information: Float[np.ndarray, " n"]
    """entropy - expected_entropy, at least 0: open because the code is not known (epistemic)."""
    latent_variance: Float[np.ndarray, " n"]
    """sum_l Var_m z_ml, with M - 1 in the denominator; estimates `latent_variance` of the log-variances."""


def decompose(probabilities: Float[Array | np.ndarray, "m ... k"]) -> Decomposition:
    """Total entropy = expected entropy + mutual information, over the first axis.

    Source: Houlsby et al., Bayesian Active Learning for Classification and Preference Learning, 2011, Eq. 2.

    Args:
        probabilities: q_m of M equally likely cases (draws of the code, or seeds); the last axis sums to one.
    """
    probabilities = jnp.asarray(probabilities)
    entropy = jax.scipy.special.entr(probabilities.mean(axis=0)).sum(axis=-1)
    expected = jax.scipy.special.entr(probabilities).sum(axis=-1).mean(axis=0)
    # Never negative (Jensen), but for rounding.
    return Decomposition(entropy, expected, jnp.maximum(entropy - expected, 0.0))


def latent_variance(logvar: Float[Array, "... l"]) -> Float[Array, "..."]:
    """sum_l exp(logvar_l): the total variance of q(z|x), what `Uncertainty.latent_variance` estimates."""
    return jnp.exp(logvar).sum(axis=-1)


def stochastic_passes(
    key: Key, learner: Learner, params: Params, mean: ArrayLike, logvar: ArrayLike, num_passes: int = 100
) -> Uncertainty:
    """Assigns M codes z ~ N(mean, exp(logvar)) of every sample. The encoder runs in none of the passes.

    What is drawn for a row is a function of (key, row number) alone, so it depends neither on how many rows there
    are nor on how they are cut into blocks.

    Args:
        key: of `jax.random.key`.
        learner: with clusters; compiled once for it and M, for any number of rows.
        params: of the learner.
        mean: (n, L), the posterior means, as `Learner.encode` returns them.
        logvar: (n, L), the posterior log-variances.
        num_passes: M, at least 2.

    Raises:
        InputError: the learner has no clusters, M is below 2, or `mean` and `logvar` do not fit together.
    """
    mean, logvar = np.asarray(mean, dtype=float), np.asarray(logvar, dtype=float)
    if learner.log_assign is None:
        raise InputError("learner must have clusters, got one without log_assign.")
    if not is_whole(num_passes) or num_passes < 2:
        raise InputError(f"num_passes must be a whole number of at least 2, got {num_passes!r}.")
    if mean.ndim != 2 or mean.size == 0 or mean.shape != logvar.shape:
        raise InputError(
            "mean and logvar must have the same shape (samples, dimensions), not empty, "
            f"got {mean.shape} and {logvar.shape}."
        )
    return Uncertainty(*by_row(_passes_of_row(learner.log_assign, num_passes), key, params, mean, logvar))


@lru_cache
def _passes_of_row(log_assign: Callable[..., Array], num_passes: int) -> Callable[..., tuple[Array | np.ndarray, ...]]:
    def passes(
        key: Key, params: Params, mean: Float[Array, " l"], logvar: Float[Array, " l"]
    ) -> tuple[Array | np.ndarray, ...]:
        z = sample_posterior(key, jnp.broadcast_to(mean, (num_passes, *mean.shape)), logvar)
        q = jnp.exp(log_assign(params, z))
        return q.mean(axis=0), *decompose(q), z.var(axis=0, ddof=1).sum()

    return passes


def by_row(function: Callable[..., Any], key: Key, params: Params, *rows: np.ndarray, common_key: bool = False) -> Any:
    """`function(key of the row, params, *row)` of every row, stacked: a pytree of NumPy arrays.

    With `common_key` every row gets the key itself. Blocks of one shape, the last one padded, so that any number of
    rows, at least one, compiles once.
    """
    program, n = _blocks(function, common_key), len(rows[0])
    results = []
    for start in range(0, n, ROWS_AT_ONCE):
        block = [array[start : start + ROWS_AT_ONCE] for array in rows]
        padded = [np.pad(part, [(0, ROWS_AT_ONCE - len(part))] + [(0, 0)] * (part.ndim - 1)) for part in block]
        results.append(program(key, np.arange(start, start + ROWS_AT_ONCE, dtype=np.uint32), params, *padded))
    return jax.tree.map(lambda *parts: np.concatenate([np.asarray(part) for part in parts])[:n], *results)


@lru_cache
def _blocks(function: Callable[..., Any], common_key: bool) -> Callable[..., Any]:
    def block(key: Key, numbers: Array, params: Params, *rows: Array) -> Any:
        keys = key if common_key else jax.vmap(lambda number: jax.random.fold_in(key, number))(numbers)
        in_axes = (None if common_key else 0, None, *(0 for _ in rows))
        return jax.vmap(function, in_axes)(keys, params, *rows)

    return jax.jit(block)
