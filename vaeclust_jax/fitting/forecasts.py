"""What a model of numbers predicts, in the units of the data: of rows, and step by step of series."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from vaeclust_jax.checks import is_whole
from vaeclust_jax.data import Preparation, check_array
from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.config import Config
from vaeclust_jax.training.rows import by_chunk
from vaeclust_jax.types import Params

Regress = Callable[[Params, Array], Array]
"""`Heads.regress`."""


class _Row(NamedTuple):
    """How a row of F values is scaled, and how many of them are read."""

    offset: Float[np.ndarray, " f"]
    scale: Float[np.ndarray, " f"]
    seen: int


def following(
    regress: Regress, params: Params, config: Config, preparation: Preparation, x: Any
) -> Float[np.ndarray, "n l"]:
    """`Run.regress`.

    Raises:
        InputError: samples that the model cannot read.
    """
    offset, scale, seen = _row(config, preparation)
    x = check_array(x)
    if x.shape[1:] != (seen,):
        raise InputError(f"samples must have the {seen} values that the model reads, got shape {x.shape}")
    answer = by_chunk(regress, params, ((x - offset[:seen]) / scale[:seen]).astype(np.float32))
    return np.asarray(answer * scale[seen:] + offset[seen:])


def continued(
    regress: Regress, params: Params, config: Config, preparation: Preparation, past: Any, horizon: int
) -> Float[np.ndarray, "o h"]:
    """`Run.forecast`.

    Raises:
        InputError: too short a past, or a horizon below 1.
    """
    row = _row(config, preparation)
    if not is_whole(horizon) or horizon < 1:
        raise InputError(f"horizon must be a whole number of at least 1, got {horizon!r}")
    past = check_array(past, "past")
    if past.ndim != 2 or past.shape[1] < row.seen:
        raise InputError(
            f"past must be rows of at least the {row.seen} values that the model looks back, got shape {past.shape}"
        )
    # One unit for the whole row: float32 has seven digits, which a large offset would take.
    centre, unit = row.offset.mean(), row.scale.mean()
    values = (past[:, -row.seen :] - centre) / unit, (row.offset - centre) / unit, row.scale / unit
    last, offset, scale = (jnp.asarray(one, jnp.float32) for one in values)
    return np.asarray(_program(regress, row.seen, horizon)(params, last, offset, scale)) * unit + centre


def _row(config: Config, preparation: Preparation) -> _Row:
    if preparation.by_row:
        raise InputError("a row scaled by its own extremes cannot be predicted: fit with another scaling")
    size = preparation.output_shape[0]
    (seen,) = config.method.network_shape(preparation.output_shape, config.network.latent_dim)
    plain = np.zeros(size), np.ones(size)
    offset, scale = plain if preparation.offset is None else (preparation.offset, preparation.scale)
    assert scale is not None, "with its offset"
    return _Row(offset, scale, seen)


@lru_cache
def _program(regress: Regress, seen: int, horizon: int) -> Callable[..., Array]:
    @jax.jit
    def program(params: Params, last: Array, offset: Array, scale: Array) -> Array:
        def step(window: Array, _: None) -> tuple[Array, Array]:
            answer = regress(params, (window - offset[:seen]) / scale[:seen]) * scale[seen:] + offset[seen:]
            return jnp.concatenate([window, answer], axis=1)[:, -seen:], answer

        at_once = offset.shape[0] - seen
        _, answers = jax.lax.scan(step, last, length=-(-horizon // at_once))
        return jnp.swapaxes(answers, 0, 1).reshape(last.shape[0], -1)[:, :horizon]

    return program
