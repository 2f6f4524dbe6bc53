"""What learners with clusters do with all training rows at the end of an epoch."""

import math
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from vaeclust_jax.objectives.average import average
from vaeclust_jax.streamed import Streamed
from vaeclust_jax.training.layout import LaidRows

# Small enough that a convolution's arrays stay in a CPU's cache: 1440 images of 32 x 32 take 107 ms at 120 a time, 200
# at once.
_ROWS_AT_ONCE = 128


class Assigned(NamedTuple):
    """The clusters of all training rows when they were last looked at."""

    assignment: Int[Array, " n"]
    changed: Float[Array, ""]
    """Share of assignments that differ from the look before; 1 before the second one."""


def share_changed(before: Assigned, log_q: Float[Array, "n k"], weight: Float[Array, " n"] | None = None) -> Assigned:
    """The most probable clusters, and how many of them are others than before; rows count by weight."""
    assignment = jnp.argmax(log_q, axis=-1).astype(jnp.int32)
    return Assigned(assignment, average(assignment != before.assignment, weight))


def map_chunks(function: Callable[[Array], Array], x: Float[Array, "n ..."]) -> Float[Array, "n k"]:
    """`function` of all rows, in chunks of one size; the last one overlaps the one before, so that x is not copied.

    Of `LaidRows`, what they are filled up with has a value, too: it counts 0.
    """
    if isinstance(x, LaidRows):
        return x.map_chunks(function, _ROWS_AT_ONCE)
    n = x.shape[0]
    size = math.ceil(n / math.ceil(n / _ROWS_AT_ONCE))
    starts = jnp.minimum(jnp.arange(0, n, size), n - size)
    answer = jax.eval_shape(function, jax.ShapeDtypeStruct((size, *x.shape[1:]), x.dtype))

    def visit(found: Array, start: Array) -> tuple[Array, None]:
        streamed = isinstance(x, Streamed)
        rows = x[start + jnp.arange(size)] if streamed else jax.lax.dynamic_slice_in_dim(x, start, size)
        return jax.lax.dynamic_update_slice_in_dim(found, function(rows), start, axis=0), None

    return jax.lax.scan(visit, jnp.zeros((n, *answer.shape[1:]), answer.dtype), starts)[0]
