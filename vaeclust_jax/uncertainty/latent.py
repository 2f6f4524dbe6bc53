"""How sure a cluster assignment is when the code z is known only as the posterior q(z|x) = N(mean, exp(logvar)).

The encoder says where a sample lies and how sure it is of that; drawing codes from its answer and assigning each
turns this into the uncertainty of the assignment. Entropies are in nats.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import ArrayLike

from vaeclust_jax.checks import is_whole
from vaeclust_jax.errors import InputError
from vaeclust_jax.keys import PASSES, as_key
from vaeclust_jax.objectives.elbo import sample_posterior
from vaeclust_jax.training.rows import by_row
from vaeclust_jax.types import Heads, Key, Params


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
    key: Key | int, heads: Heads, params: Params, mean: ArrayLike, logvar: ArrayLike, num_passes: int = 100
) -> Uncertainty:
    """Assigns M codes z ~ N(mean, exp(logvar)) of every sample. The encoder runs in none of the passes.

    What is drawn for a row is a function of (key, row number) alone, so it depends neither on how many rows there
    are nor on how they are cut into blocks.

    Args:
        key: of `jax.random.key`, or a whole number, which stands for its key.
        heads: of a model with clusters; compiled once for it and M, for any number of rows.
        params: of the model.
        mean: (n, L), the posterior means, as `Heads.encode` returns them.
        logvar: (n, L), the posterior log-variances.
        num_passes: M, at least 2.

    Raises:
        InputError: the model has no clusters, M is below 2, or `mean` and `logvar` do not fit together.
    """
    mean, logvar = np.asarray(mean, dtype=float), np.asarray(logvar, dtype=float)
    if heads.assign is None:
        raise InputError("heads must have clusters, got none with assign.")
    if not is_whole(num_passes) or num_passes < 2:
        raise InputError(f"num_passes must be a whole number of at least 2, got {num_passes!r}.")
    if mean.ndim != 2 or mean.size == 0 or mean.shape != logvar.shape:
        raise InputError(
            "mean and logvar must have the same shape (samples, dimensions), not empty, "
            f"got {mean.shape} and {logvar.shape}."
        )
    return Uncertainty(*by_row(_passes_of_row(heads.assign, num_passes), as_key(key, PASSES), params, mean, logvar))


@lru_cache
def _passes_of_row(assign: Callable[..., Array], num_passes: int) -> Callable[..., tuple[Array | np.ndarray, ...]]:
    def passes(
        key: Key, params: Params, mean: Float[Array, " l"], logvar: Float[Array, " l"]
    ) -> tuple[Array | np.ndarray, ...]:
        z = sample_posterior(key, jnp.broadcast_to(mean, (num_passes, *mean.shape)), logvar)
        q = jnp.exp(assign(params, z))
        # The mean is a product, and one sum goes over both axes: XLA is slow at sums down short columns on a CPU.
        centred = z - jnp.matmul(jnp.full((1, num_passes), 1 / num_passes, z.dtype), z, precision="highest")
        return q.mean(axis=0), *decompose(q), jnp.square(centred).sum() / (num_passes - 1)

    return passes
