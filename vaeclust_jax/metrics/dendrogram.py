"""How well a tree of clusters keeps classes together, whatever number of clusters it is cut into."""

import numpy as np
from numpy.typing import ArrayLike

from vaeclust_jax.errors import InputError
from vaeclust_jax.metrics.matching import check_ids


def dendrogram_purity(linkage: ArrayLike, y: ArrayLike, leaves: ArrayLike | None = None) -> float | None:
    """Dendrogram purity (Heller and Ghahramani 2005): whether rows of one class meet before others join them.

    The mean over all pairs of rows of one class, of the share of that class under the pair's lowest common ancestor.
    Two rows of one leaf meet in the leaf. It takes O(m K) time and memory, for m leaves and K classes.

    Args:
        linkage: shape (m - 1, 4), scipy's linkage matrix, or a run's `tree_`; only its first two columns are read.
        y: shape (n,), class numbers.
        leaves: shape (n,), the leaf of each row, from 0 to m - 1, as `tree_.merges.groups`; None: row i is leaf i.

    Returns:
        From above 0 to 1, which is a tree that holds each class in a branch of its own. None where no two rows are of
        one class.

    Raises:
        InputError: `linkage` is not a linkage matrix, or an argument has the wrong shape or type.

    Example:
        >>> from vaeclust_jax.metrics import dendrogram_purity
        >>> linkage = [[0, 1, 0.1, 2], [2, 3, 0.2, 2], [4, 5, 1.0, 4]]
        >>> dendrogram_purity(linkage, [0, 0, 1, 1]), dendrogram_purity(linkage, [0, 1, 0, 1])
        (1.0, 0.5)
    """
    children = _children(linkage)
    m = len(children) + 1
    y = check_ids("y", y)
    leaves = check_ids("leaves", np.arange(len(y)) if leaves is None else leaves, m)
    if len(leaves) != len(y):
        raise InputError(f"leaves must have one entry per row of y, {len(y)}; got {len(leaves)}.")
    classes, codes = np.unique(y, return_inverse=True)
    counts = np.zeros((2 * m - 1, len(classes)))
    np.add.at(counts, (leaves, codes), 1)
    pairs = counts * (counts - 1) / 2
    for node, (a, b) in enumerate(children, start=m):
        counts[node] = counts[a] + counts[b]
        pairs[node] = counts[a] * counts[b]
    if not pairs.any():
        return None
    purity = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return float((pairs * purity).sum() / pairs.sum())


def _children(linkage: ArrayLike) -> np.ndarray:
    """(m - 1, 2) the two nodes of each merge: each node is merged once, after it was made."""
    found = np.asarray(linkage, dtype=float)
    if found.ndim != 2 or found.shape[1] != 4:
        raise InputError(f"linkage must be scipy's linkage matrix, of shape (m - 1, 4); got shape {found.shape}.")
    children, m = found[:, :2], len(found) + 1
    made = m + np.arange(m - 1)[:, None]
    whole = np.array_equal(np.sort(children, axis=None), np.arange(2 * m - 2))
    if not whole or (children >= made).any():
        raise InputError("linkage must merge every node exactly once, after it was made; got another list of merges.")
    return children.astype(int)
