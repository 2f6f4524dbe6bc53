"""How far labelled samples lie from the centre of their class, against how far the centres lie apart.

Source: Rydhmer and Selvan, Dynamic beta VAEs for quantifying biodiversity by clustering optically recorded insect
signals, 2021, as in the authors' released code:

    CR = (sum_k (n_k / n) sum_{i in k} |mu_i - c_k| + 1e-6) / ((1 / K) sum_k |c_k - mean(c)| + 1e-6)

over the K classes that have samples, with the class means c_k.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

_TINY = 1e-6


def compactness_ratio(mean: Float[Array, "b l"], y: Int[Array, " b"], num_classes: int) -> Float[Array, ""]:
    """CR of labelled codes; 0 where no sample has a label.

    Args:
        mean: codes, such as posterior means.
        y: classes from 0; a negative one is no label, and that sample does not count.
        num_classes: how many classes there may be.
    """
    member = jax.nn.one_hot(y, num_classes, dtype=mean.dtype)  # a row of zeros for no label
    counts = member.sum(axis=0)
    present = counts > 0
    centres = (member.T @ mean) / jnp.maximum(counts, 1)[:, None]
    share = counts / jnp.maximum(counts.sum(), 1)
    within = jnp.sum((member @ share) * _norm(mean - member @ centres))
    num_present = jnp.maximum(present.sum(), 1)
    middle = centres.sum(axis=0) / num_present  # absent classes have the centre 0
    between = jnp.sum(jnp.where(present, _norm(centres - middle[None]), 0.0)) / num_present
    return jnp.where(present.any(), (within + _TINY) / (between + _TINY), 0.0)


def _norm(x: Float[Array, "... l"]) -> Float[Array, "..."]:
    """|x| with the gradient 0 at 0, where a sample is its class's only one."""
    squared = jnp.square(x).sum(axis=-1)
    return jnp.where(squared > 0, jnp.sqrt(jnp.where(squared > 0, squared, 1.0)), 0.0)
