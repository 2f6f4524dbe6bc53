"""Dendrogram purity against the sum over all pairs, by its definition."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import linkage

from vaeclust_jax.errors import InputError
from vaeclust_jax.metrics import dendrogram_purity


def brute_force(tree, y, leaves):
    m = len(tree) + 1
    members = [{i for i, leaf in enumerate(leaves) if leaf == node} for node in range(m)]
    for a, b in tree[:, :2].astype(int):
        members.append(members[a] | members[b])
    shares = []
    for i, j in combinations(range(len(y)), 2):
        if y[i] == y[j]:
            under = min((node for node in members if {i, j} <= node), key=len)
            shares.append(sum(y[row] == y[i] for row in under) / len(under))
    return float(np.mean(shares)) if shares else None


@given(st.integers(0, 2**32 - 1), st.integers(2, 8), st.integers(1, 14), st.sampled_from(["single", "average", "ward"]))
def test_it_is_the_mean_over_all_pairs_of_one_class_whatever_the_order_of_rows(seed, m, n, method):
    rng = np.random.default_rng(seed)
    tree = linkage(rng.normal(size=(m, 2)), method)
    y, leaves = rng.integers(0, 3, n), rng.integers(0, m, n)
    purity, order = dendrogram_purity(tree, y, leaves), rng.permutation(n)
    assert purity == pytest.approx(brute_force(tree, y, leaves))
    assert dendrogram_purity(tree, y[order], leaves[order]) == pytest.approx(purity)


def test_it_is_one_where_each_class_has_a_branch_of_its_own():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], 10)
    x = rng.normal(size=(30, 2)) + 100 * y[:, None]
    assert dendrogram_purity(linkage(x, "ward"), y) == 1.0
    assert dendrogram_purity(linkage(x, "ward"), rng.permutation(y)) < 0.8


def test_it_is_not_defined_where_no_two_rows_are_of_one_class():
    assert dendrogram_purity([[0, 1, 1.0, 2]], [0, 1]) is None


@pytest.mark.parametrize(
    ("tree", "y", "leaves", "said"),
    [
        ([[0, 1, 1.0]], [0, 0], None, "of shape"),
        ([[0, 2, 1.0, 2], [1, 3, 2.0, 3]], [0, 0, 1], [0, 1], "one entry per row"),
        ([[0, 0, 1.0, 2]], [0, 0], None, "exactly once"),
        ([[0, 3, 1.0, 2], [1, 2, 2.0, 3]], [0, 0, 1], None, "after it was made"),
        ([[0, 1, 1.0, 2]], [0, 0, 1], None, "leaves"),
    ],
)
def test_what_is_no_tree_of_these_rows_is_refused(tree, y, leaves, said):
    with pytest.raises(InputError, match=said):
        dendrogram_purity(tree, y, leaves)
