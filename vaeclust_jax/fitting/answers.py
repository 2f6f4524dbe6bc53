"""What a fitted model says of prepared rows, and of their codes."""

import warnings
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from vaeclust_jax.data import Preparation, Rows
from vaeclust_jax.errors import InputWarning
from vaeclust_jax.training.rows import by_chunk, encode_rows
from vaeclust_jax.types import Heads, Params
from vaeclust_jax.uncertainty.outliers import latent_distance
from vaeclust_jax.uncertainty.temperature import scale


def warn_unlike(preparation: Preparation, x: Any, rows: Rows) -> None:
    """Says, of a method of `Run` that was asked about `x`, which rows are far outside the range of training."""
    odd = preparation.unlike(x, rows)
    if odd is not None and odd.sentence:
        warnings.warn(odd.sentence, InputWarning, stacklevel=3)


def probabilities(heads: Heads, params: Params, temperature: float, rows: Rows) -> Float[np.ndarray, "n k"]:
    """Of classes or clusters, of prepared rows; the model has the heads."""
    if heads.predict is not None:
        return np.exp(at_temperature(by_chunk(heads.predict, params, rows), temperature))
    assert heads.assign is not None
    z = encode_rows(heads, params, rows)[0]
    return np.exp(at_temperature(by_chunk(heads.assign, params, z), temperature))


def at_temperature(log_q: Float[np.ndarray, "n k"], temperature: float) -> Float[np.ndarray, "n k"]:
    """Log-probabilities as they are shown."""
    return log_q if temperature == 1 else scale(log_q, temperature)


def distances(
    z: Float[np.ndarray, "n l"], mean: Float[np.ndarray, "c l"], scales: Float[np.ndarray, "c l l"]
) -> Float[np.ndarray, " n"]:
    """How far codes are from the nearest cluster, see `latent_distance`; arguments: those of `Run`."""
    return np.asarray(latent_distance(jnp.asarray(z), jnp.asarray(mean), jnp.asarray(scales)))
