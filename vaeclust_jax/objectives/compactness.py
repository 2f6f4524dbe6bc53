"""How far labelled samples lie from the centre of their class, against how far the centres lie apart.

    CR = (sum_k (n_k / n) (1 / n_k) sum_{i in k} |mu_i - c_k| + 1e-6) / ((1 / K) sum_k |c_k - mean(c)| + 1e-6)

over the K classes that have samples, with the class means c_k: the same for the same samples given twice.

"sum" is that of the source, Rydhmer and Selvan, Dynamic beta VAEs for quantifying biodiversity by clustering optically
recorded insect signals, 2021, as in the authors' released code. It lacks 1 / n_k, and so grows with the samples.
"""

from typing import Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

Compactness = Literal["mean", "sum"]

_TINY = 1e-6


def compactness_ratio(
    mean: Float[Array, "b l"], y: Int[Array, " b"], num_classes: int, form: Compactness = "mean"
) -> Float[Array, ""]:
    """CR of labelled codes; 0 where no sample has a label.

    Args:
        mean: codes, such as posterior means.
        y: classes from 0; a negative one is no label, and that sample does not count.
        num_classes: how many classes there may be.
        form: of the distances within a class, their mean or their sum.
    """
    member = jax.nn.one_hot(y, num_classes, dtype=mean.dtype)  # a row of zeros for no label
    counts = member.sum(axis=0)
    present = counts > 0
    centres = (member.T @ mean) / jnp.maximum(counts, 1)[:, None]
    share = (counts if form == "sum" else present) / jnp.maximum(counts.sum(), 1)
    within = jnp.sum((member @ share) * _norm(mean - member @ centres))
    num_present = jnp.maximum(present.sum(), 1)
    middle = centres.sum(axis=0) / num_present  # absent classes have the centre 0
    between = jnp.sum(jnp.where(present, _norm(centres - middle[None]), 0.0)) / num_present
    return jnp.where(present.any(), (within + _TINY) / (between + _TINY), 0.0)


def _norm(x: Float[Array, "... l"]) -> Float[Array, "..."]:
    """|x| with the gradient 0 at 0, where a sample is its class's only one."""
    squared = jnp.square(x).sum(axis=-1)
    return jnp.where(squared > 0, jnp.sqrt(jnp.where(squared > 0, squared, 1.0)), 0.0)
