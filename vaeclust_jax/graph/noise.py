"""Noise: micro-clusters that no dense part of the latents holds for long."""

import warnings
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from vaeclust_jax.errors import InputError, InputWarning

LEAST = 10
"""Micro-clusters that make a dense part: some 35 samples."""
_NEIGHBOURS = 3


class Dense(NamedTuple):
    """The dense parts of micro-clusters.

    Attributes:
        part: (m,) of each, -1 where it is noise.
        reach: (m,) the largest distance to its second nearest that a micro-cluster of the same part has; 0 of noise.
    """

    part: Int[np.ndarray, " m"]
    reach: Float[np.ndarray, " m"]

    def noise(self, nearest: Int[np.ndarray, " n"], distance: Float[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
        """Whether samples are noise, from the micro-cluster that is nearest to each and the distance to its mean."""
        return (self.part[nearest] < 0) | (distance > self.reach[nearest])


def dense_parts(means: Float[np.ndarray, "m l"]) -> Dense:
    """Those parts of the tree by density that last longest, and what falls out of it before they begin.

    The merge of the graph cannot tell: its edges are in units of the distance between neighbours, which noise has too,
    only longer. So this is HDBSCAN's tree (Campello, Moulavi and Sander 2013) of the micro-clusters' means. There are
    two parts or more, or none.

    Args:
        means: of the latents of each micro-cluster.

    Raises:
        InputError: fewer micro-clusters than make a part.
    """
    from sklearn.cluster import HDBSCAN  # takes long to import
    from sklearn.neighbors import NearestNeighbors

    if len(means) < LEAST:
        raise InputError(f"noise can be told among {LEAST} micro-clusters or more, but the tree has {len(means)}")
    found = HDBSCAN(LEAST, min_samples=_NEIGHBOURS, copy=True).fit_predict(means)
    part = np.maximum(found, -1)
    if (part < 0).all():
        none = f"the latents have no two dense parts of {LEAST} micro-clusters or more"
        warnings.warn(f"all samples are noise: {none}; ask without noise", InputWarning, stacklevel=2)
    core = NearestNeighbors(n_neighbors=_NEIGHBOURS).fit(means).kneighbors(means)[0][:, -1]
    reach = np.zeros(len(means))
    for one in np.unique(part[part >= 0]):
        reach[part == one] = core[part == one].max()
    return Dense(part, reach)
