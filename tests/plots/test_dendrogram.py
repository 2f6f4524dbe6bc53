"""The picture of a tree: what it draws is what scipy's cut of the same tree says."""

from collections import Counter

import numpy as np
import pytest
from matplotlib.colors import to_hex
from scipy.cluster import hierarchy

from vaeclust_jax.errors import InputError
from vaeclust_jax.plots import dendrogram
from vaeclust_jax.plots.dendrogram import INK
from vaeclust_jax.plots.style import as_hex, categorical_colours


def tree_of(m: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A linkage, and samples in each node: two in each leaf."""
    linkage = hierarchy.linkage(np.random.default_rng(seed).normal(size=(m, 3)), "ward")
    return linkage, np.concatenate([np.full(m, 2), 2 * linkage[:, 3].astype(int)])


def cut(linkage: np.ndarray, k: int) -> np.ndarray:
    return hierarchy.fcluster(linkage, k, "maxclust") - 1


@pytest.mark.parametrize(("m", "k"), [(2, 1), (2, 2), (12, 4), (400, 3), (400, 20), (400, 45)])
def test_branches_have_the_colours_of_their_clusters(png, m: int, k: int) -> None:
    linkage, sizes = tree_of(m)
    figure = dendrogram(linkage, sizes, cut(linkage, k))
    axes = figure.axes[0]
    leaves = min(m, max(30, 2 * k))
    merges = Counter(to_hex(colour) for lines in axes.collections for colour in lines.get_colors())
    lines = sum(len(lines.get_segments()) for lines in axes.collections)
    assert lines == leaves - 1
    assert set(merges) <= {*as_hex(categorical_colours(k)), INK}
    grey = sum(len(some.get_segments()) for some in axes.collections if to_hex(some.get_colors()[0]) == INK)
    assert grey == k - 1
    if leaves <= 60:
        assert sum(int(text.get_text()) for text in axes.get_xticklabels()) == 2 * m
    dashed = [line.get_ydata()[0] for line in axes.get_lines()]
    assert [int((linkage[:, 2] > height).sum()) for height in dashed] == ([k - 1] if 1 < k < m else [])
    assert min(png(figure)) > 50


def test_colours_may_be_others() -> None:
    linkage, sizes = tree_of(12)
    figure = dendrogram(linkage, sizes, cut(linkage, 2), colours=categorical_colours(5)[[4, 3]])
    drawn = {to_hex(colour) for lines in figure.axes[0].collections for colour in lines.get_colors()}
    assert drawn <= {*as_hex(categorical_colours(5)[[4, 3]]), INK}


def test_a_tree_without_a_branch_is_refused() -> None:
    with pytest.raises(InputError, match="a dendrogram needs a tree of at least 2 leaves"):
        dendrogram(np.zeros((0, 4)), [3], [0])
    with pytest.raises(InputError, match="with 12 labels and 23 sizes, got 11 labels and 23 sizes"):
        dendrogram(*tree_of(12), [0] * 11)
