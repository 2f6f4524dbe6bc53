"""A linear layer whose weights start as flax's do, or as PyTorch's, with numbers that compile fast."""

from typing import Any

from flax import nnx
from jaxtyping import Array

from vaeclust_jax.random import truncated_normal, uniform
from vaeclust_jax.types import Key


def _lecun_normal(key: Key, shape: tuple[int, ...], *rest: Any) -> Array:
    """Variance 1 / inputs (LeCun et al., Efficient BackProp, 1998)."""
    return truncated_normal(key, shape, 1 / shape[0])


def linear(inputs: int, outputs: int, rngs: nnx.Rngs, start: str = "flax") -> nnx.Linear:
    """x -> x W + b.

    Args:
        inputs, outputs: sizes.
        rngs: of the weights.
        start: "flax": W normal with variance 1 / inputs, b 0; "torch": both uniform within 1 / sqrt(inputs) of 0.
    """
    if start == "flax":
        return nnx.Linear(inputs, outputs, kernel_init=_lecun_normal, rngs=rngs)

    def within(key: Key, shape: tuple[int, ...], *rest: Any) -> Array:
        return (2 * uniform(key, shape) - 1) / inputs**0.5

    return nnx.Linear(inputs, outputs, kernel_init=within, bias_init=within, rngs=rngs)
