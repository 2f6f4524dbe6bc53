"""Attention: each query is answered by the mean of the values, weighted by how its product with their keys compares.

    softmax(Q K^T / sqrt(d_k)) V

Source: Vaswani et al., Attention is all you need, 2017, Eq. 1, Section 3.2.2 (heads) and 3.5 (positions).
Self-attention of N tokens of width d_e has Q = X W_Q and so on: (N, d_e) (d_e, d_k).
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float


class AttentionWeights(NamedTuple):
    """The maps of multi-head attention of tokens of width d; their columns go to the heads in turn."""

    query: Float[Array, "d d"]
    key: Float[Array, "d d"]
    value: Float[Array, "d d"]
    output: Float[Array, "d d"]
    output_bias: Float[Array, " d"]


def attention_shares(
    query: Float[Array, "... n k"], key: Float[Array, "... m k"], mask: Bool[Array, "... n m"] | None = None
) -> Float[Array, "... n m"]:
    """softmax(Q K^T / sqrt(d_k)): how much each query looks at each key; rows sum to one.

    Args:
        query, key: of one width d_k.
        mask: whether a query may look at a key; None: at all. A query that may look at none has shares of 0.
    """
    scores = query @ jnp.swapaxes(key, -1, -2) / query.shape[-1] ** 0.5
    if mask is None:
        return jax.nn.softmax(scores, axis=-1)
    shares = jax.nn.softmax(jnp.where(mask, scores, jnp.finfo(scores.dtype).min), axis=-1)
    return jnp.where(mask, shares, 0.0)


def attention(
    query: Float[Array, "... n k"],
    key: Float[Array, "... m k"],
    value: Float[Array, "... m v"],
    mask: Bool[Array, "... n m"] | None = None,
) -> Float[Array, "... n v"]:
    """softmax(Q K^T / sqrt(d_k)) V; a query that may look at no key is answered by 0."""
    return attention_shares(query, key, mask) @ value


def multi_head_attention(
    weights: AttentionWeights, x: Float[Array, "... n d"], heads: int, mask: Bool[Array, "... n n"] | None = None
) -> tuple[Float[Array, "... n d"], Float[Array, "... h n n"]]:
    """Self-attention by several heads at once, each on a part of the width, put side by side and mixed.

    Args:
        weights: of all heads; the columns of the first d / H are the first head's.
        x: tokens.
        heads: H, which divides d.
        mask: as for `attention`, the same for all heads.

    Returns:
        The tokens' answers, and the shares of each head.
    """

    def split(y: Float[Array, "... n d"]) -> Float[Array, "... h n k"]:
        return jnp.swapaxes(y.reshape(*y.shape[:-1], heads, -1), -2, -3)

    query, key, value = (split(of_tokens(x, one)) for one in (weights.query, weights.key, weights.value))
    shares = attention_shares(query, key, None if mask is None else mask[..., None, :, :])
    together = jnp.swapaxes(shares @ value, -2, -3).reshape(x.shape)
    return of_tokens(together, weights.output) + weights.output_bias, shares


def of_tokens(x: Float[Array, "... n d"], weights: Float[Array, "d e"]) -> Float[Array, "... n e"]:
    """x @ weights as one product of all tokens, whose gradient is faster on a CPU than that of a product of batches."""
    return (x.reshape(-1, x.shape[-1]) @ weights).reshape(*x.shape[:-1], -1)


def sinusoidal_positions(length: int, width: int) -> Float[Array, "n d"]:
    """sin(p / 10000^(2 i / d)) in column 2 i and its cosine in column 2 i + 1, of position p from 0.

    Args:
        length: positions.
        width: d, even.
    """
    rate = 10_000.0 ** (-jnp.arange(0, width, 2) / width)
    angle = jnp.arange(length)[:, None] * rate
    return jnp.stack([jnp.sin(angle), jnp.cos(angle)], axis=-1).reshape(length, width)


def grid_positions(rows: int, columns: int, width: int) -> Float[Array, "n d"]:
    """Positions in a grid, row by row: `sinusoidal_positions` of the row in one half of the width, of the column in the
    other; the width is a multiple of 4.
    """
    of_row, of_column = (sinusoidal_positions(count, width // 2) for count in (rows, columns))
    shape = (rows, columns, width // 2)
    both = jnp.broadcast_to(of_row[:, None], shape), jnp.broadcast_to(of_column[None], shape)
    return jnp.concatenate(both, axis=-1).reshape(rows * columns, width)
