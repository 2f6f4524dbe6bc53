"""The mean over samples that need not all count the same."""

from jaxtyping import Array, Float


def average(values: Float[Array, "n ..."], weight: Float[Array, " n"] | None = None) -> Float[Array, "..."]:
    """sum_i w_i v_i / sum_i w_i over the first axis; without weights the plain mean."""
    if weight is None:
        return values.mean(axis=0)
    return (weight.reshape(-1, *(1,) * (values.ndim - 1)) * values).sum(axis=0) / weight.sum()
