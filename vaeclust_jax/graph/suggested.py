"""Which samples' classes would help a clustering most: active learning on the micro-clusters of its tree."""

import numpy as np
from jaxtyping import Bool, Float, Int

from vaeclust_jax.errors import InputError
from vaeclust_jax.graph.tree import Tree, clusters_of

_SURE = 0.1
"""What a sample counts of which the clustering is quite sure; one that could be in any cluster counts 1.1."""


def suggested(
    tree: Tree,
    entropy: Float[np.ndarray, " n"],
    number: int,
    known: Bool[np.ndarray, " n"] | None = None,
) -> Int[np.ndarray, " s"]:
    """Samples to be labelled, the one that would help most first.

    The tree is cut into branches until as many as asked hold no sample that is known. A branch's label helps as much
    as it has samples, and as these are in doubt; so branches come in the order of the sum of both, and each is asked
    of once, by the sample in the middle of its largest micro-cluster that is surest. Density, doubt and diversity so
    have one place each: where a branch is large, where it is unsure, and that no branch is asked of twice.

    Args:
        tree: of the clustering.
        entropy: of each sample's assignment, in nats, at least 0.
        number: s, at most; fewer where there are no more micro-clusters.
        known: samples whose class is known already.

    Raises:
        InputError: fewer than one asked for, or every sample is known.
    """
    if number < 1:
        raise InputError(f"number must be at least 1, got {number}")
    n, m = len(entropy), len(tree.means)
    known = np.zeros(n, bool) if known is None else known
    if known.all():
        raise InputError("every sample has a hint already: there is nothing to suggest")
    groups = np.asarray(tree.merges.groups)
    doubt = _SURE + entropy / max(float(entropy.max(initial=0.0)), np.finfo(float).tiny)
    for count in range(min(number, m), m + 1):
        branch = clusters_of(np.asarray(tree.merges.pairs), count)[groups]
        open_to = np.bincount(branch, known, minlength=count) == 0
        if open_to.sum() >= min(number, m - len(np.unique(groups[known]))) or count == m:
            break
    worth = np.where(open_to, np.bincount(branch, doubt, minlength=count), -1.0)
    order = np.argsort(-worth, kind="stable")[: min(number, int(open_to.sum()))]
    sizes = np.bincount(groups, minlength=m)
    found = []
    for one in order.tolist():
        inside = np.flatnonzero(branch == one)
        largest = inside[sizes[groups[inside]] == sizes[groups[inside]].max()]
        found.append(int(largest[entropy[largest].argmin()]))
    return np.array(found, int)
