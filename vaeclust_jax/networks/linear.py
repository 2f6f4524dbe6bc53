"""A linear layer whose weights start as flax's do, with numbers that compile fast."""

from typing import Any

from flax import nnx
from jaxtyping import Array

from vaeclust_jax.draws import truncated_normal
from vaeclust_jax.types import Key


def _lecun_normal(key: Key, shape: tuple[int, ...], *rest: Any) -> Array:
    """Variance 1 / inputs (LeCun et al., Efficient BackProp, 1998)."""
    return truncated_normal(key, shape, 1 / shape[0])


def linear(inputs: int, outputs: int, rngs: nnx.Rngs) -> nnx.Linear:
    """x -> x W + b."""
    return nnx.Linear(inputs, outputs, kernel_init=_lecun_normal, rngs=rngs)
