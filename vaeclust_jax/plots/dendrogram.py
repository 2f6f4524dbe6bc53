"""The tree of a merge, its lowest branches folded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vaeclust_jax.errors import InputError
from vaeclust_jax.plots.style import GREY, SMALL, as_hex, axes_for, categorical_colours, figure_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#000000"  # turns light on a dark page
FEWEST_LEAVES, MOST_NUMBERED = 30, 60  # drawn, and with room for a number below each


def dendrogram(
    linkage: ArrayLike,
    sizes: ArrayLike,
    labels: ArrayLike,
    *,
    colours: NDArray[np.float64] | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Draw the upper part of a tree, the clusters of a cut in their colours.

    Args:
        linkage: shape (m - 1, 4), scipy's.
        sizes: shape (2m - 1,), samples in each of the m leaves, then in what each merge made.
        labels: shape (m,), the cluster of each leaf in a cut of the tree into K, from 0.
        colours: shape (K, 4), of the clusters; None for those of the palette.
        ax: to draw on; None for those of a new figure.

    Raises:
        InputError: a tree of a single leaf, or arguments that do not fit together.
    """
    from scipy.cluster import hierarchy

    tree, sizes, labels = np.asarray(linkage, float), np.asarray(sizes), np.asarray(labels)
    m = len(tree) + 1
    if m < 2 or len(sizes) != 2 * m - 1 or len(labels) != m:
        raise InputError(
            f"a dendrogram needs a tree of at least 2 leaves, with {m} labels and {2 * m - 1} sizes, got {len(labels)} "
            f"labels and {len(sizes)} sizes"
        )
    k = int(labels.max()) + 1
    palette = as_hex(categorical_colours(k) if colours is None else colours)
    leaf = list(range(m))  # one of those below each node
    for a in tree[:, 0].astype(int):
        leaf.append(leaf[a])
    leaves = min(m, max(FEWEST_LEAVES, 2 * k))
    axes = axes_for(ax, 7.0, 3.6)
    drawn = hierarchy.dendrogram(
        tree,
        p=leaves,
        truncate_mode="lastp",
        link_color_func=lambda node: palette[labels[leaf[node]]] if node < 2 * m - k else INK,
        leaf_label_func=lambda node: str(sizes[node]),
        leaf_rotation=90,
        leaf_font_size=SMALL,
        no_labels=leaves > MOST_NUMBERED,
        ax=axes,
    )
    assert drawn
    if 1 < k < m:
        axes.axhline(tree[m - k - 1 : m - k + 1, 2].mean(), color=GREY, ls="--", lw=1)
    axes.set_xlabel("samples below each branch" if leaves <= MOST_NUMBERED else "branches", fontsize=SMALL)
    axes.set_ylabel("height of the merge", fontsize=SMALL)
    axes.tick_params(axis="y", labelsize=SMALL)
    return figure_of(axes)
