"""What a fitted model says of prepared rows, and of their codes."""

import warnings
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from vaeclust_jax.data import Preparation, Rows
from vaeclust_jax.errors import InputError, InputWarning
from vaeclust_jax.training.rows import by_chunk, encode_rows
from vaeclust_jax.types import Heads, Params
from vaeclust_jax.uncertainty.outliers import latent_distance
from vaeclust_jax.uncertainty.temperature import scale

_QUESTIONS = {
    "encode": ("embed",), "assign": ("predict",), "predict": ("predict",), "regress": ("regress", "forecast"),
    "recall": ("recall",), "decode": ("decode",), "sample": ("sample",),
}  # fmt: skip
"""By head, the methods of `Run` that ask it."""


def questions(heads: Heads) -> str:
    """What a model can be asked, in words."""
    asked = [name for head, names in _QUESTIONS.items() if getattr(heads, head) is not None for name in names]
    return ", ".join(f"run.{name}" for name in dict.fromkeys(asked)) or "its parameters alone"


def familiar_rows(preparation: Preparation, x: Any) -> Rows:
    """The prepared rows of what a method of `Run` was asked about, which says how they are unlike those of training."""
    rows = preparation.rows(x)
    odd = preparation.unlike(x, rows)
    if odd is not None and odd.sentence:
        warnings.warn(odd.sentence, InputWarning, stacklevel=3)
    return rows


def probabilities(heads: Heads, params: Params, temperature: float, rows: Rows) -> Float[np.ndarray, "n k"]:
    """Of classes or clusters, of prepared rows; the model has the heads."""
    if heads.predict is not None:
        return np.exp(at_temperature(by_chunk(heads.predict, params, rows), temperature))
    assert heads.assign is not None
    z = encode_rows(heads, params, rows)[0]
    return np.exp(at_temperature(by_chunk(heads.assign, params, z), temperature))


def of_codes(head: Any, heads: Heads, params: Params, preparation: Preparation, z: Any) -> Float[np.ndarray, "n ..."]:
    """What one of a model's heads answers to codes (n, L) that a person hands in.

    Raises:
        InputError: no numbers, another shape, or none.
    """
    one = jax.ShapeDtypeStruct((1, *preparation.output_shape), jnp.float32)
    assert heads.encode is not None
    size = jax.eval_shape(heads.encode, params, one)[0].shape[1]  # not every method has the latents of its network
    try:
        codes = np.asarray(z, np.float32)
    except (TypeError, ValueError) as error:
        raise InputError(f"z must be numbers: {error}") from error
    if codes.ndim != 2 or len(codes) == 0 or codes.shape[1] != size:
        raise InputError(f"z must be codes (n, {size}), at least one, got shape {codes.shape}")
    return by_chunk(head, params, codes)


def at_temperature(log_q: Float[np.ndarray, "n k"], temperature: float) -> Float[np.ndarray, "n k"]:
    """Log-probabilities as they are shown."""
    return log_q if temperature == 1 else scale(log_q, temperature)


def distances(
    z: Float[np.ndarray, "n l"], mean: Float[np.ndarray, "c l"], scales: Float[np.ndarray, "c l l"]
) -> Float[np.ndarray, " n"]:
    """How far codes are from the nearest cluster, see `latent_distance`; arguments: those of `Run`."""
    return np.asarray(latent_distance(jnp.asarray(z), jnp.asarray(mean), jnp.asarray(scales)))
