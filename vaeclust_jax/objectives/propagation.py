"""Assignments that neighbours agree on."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int


def propagate(
    q: Float[Array, "n k"],
    neighbours: Int[Array, "n d"],
    weights: Float[Array, "n d"],
    share: float = 0.9,
    num_steps: int = 30,
    told: Int[Array, " n"] | None = None,
) -> Float[Array, "n k"]:
    """F <- share D^-1 A F + (1 - share) Q, from F = Q: a walk on the graph that now and then asks q again.

    Source: Zhou et al., Learning with Local and Global Consistency, 2004, with the rows of the graph normalised.

    Args:
        q: assignments, rows sum to one; so do those of the answer.
        neighbours: of each point.
        weights: D^-1 A, rows sum to one.
        share: of the neighbours.
        num_steps: of the walk.
        told: of each point the cluster that it is held in throughout, -1 where none is known (Zhu and Ghahramani,
            Learning from Labeled and Unlabeled Data with Label Propagation, 2002).
    """

    def held(f: Array) -> Array:
        return f if told is None else jnp.where(told[:, None] >= 0, jax.nn.one_hot(told, q.shape[1]), f)

    def step(f: Array, _: None) -> tuple[Array, None]:
        return held(share * jnp.einsum("nd,ndk->nk", weights, f[neighbours]) + (1 - share) * q), None

    q = held(q)
    return jax.lax.scan(step, q, None, length=num_steps)[0]
