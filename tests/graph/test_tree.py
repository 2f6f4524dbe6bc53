"""The tree of a merge against scipy's linkage of the repeated points."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster import hierarchy
from scipy.spatial.distance import cdist
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from vaeclust_jax.errors import InputError
from vaeclust_jax.graph import ALPHA, LONG
from vaeclust_jax.graph.clusters import graph_clusters, merged_clusters, merges_inside
from vaeclust_jax.graph.hints import Hints
from vaeclust_jax.graph.neighbours import Posterior, connected, expected, faded_between, posterior_graph, self_tuning
from vaeclust_jax.graph.tree import Merges, Tree, cuttable, tree_of
from vaeclust_jax.graph.ward import ward
from vaeclust_jax.metrics import accuracy

M = 12
seeds = st.integers(0, 2**32 - 1)


def made(seed: int) -> tuple[np.ndarray, Tree]:
    """Points, each of one to four samples, and their tree."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(M, 3))
    groups = rng.permutation(np.repeat(np.arange(M), rng.integers(1, 5, M)))
    merges = ward(z, np.bincount(groups), 1).merges._replace(groups=groups)
    return z[groups], tree_of(merges, z[groups].astype(np.float32), np.arange(len(groups)))


def of_codes(seed: int, n: int = 90) -> tuple[np.ndarray, Merges, np.ndarray]:
    z = np.random.default_rng(seed).normal(size=(n, 2)) + 3 * (np.arange(n) % 3)[:, np.newaxis]
    graph = posterior_graph(Posterior(np.random.default_rng(0), z, np.full_like(z, -3.0)))
    return z, merged_clusters(graph, 3).merges, graph_clusters(graph, 3)


def same(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two labelings are one clustering."""
    return bool(((one[:, np.newaxis] == one) == (other[:, np.newaxis] == other)).all())


@given(seeds)
@settings(max_examples=30, deadline=None)
def test_it_is_scipys_linkage_of_the_samples(seed: int) -> None:
    z, tree = made(seed)
    of_samples = hierarchy.linkage(z, "ward")
    np.testing.assert_allclose(tree.linkage[:, 2], of_samples[-(M - 1) :, 2], rtol=1e-5)
    assert hierarchy.is_valid_linkage(tree)
    assert hierarchy.is_monotonic(tree)
    assert len(hierarchy.dendrogram(tree, no_plot=True)["leaves"]) == M
    for k in range(1, M + 1):
        assert same(tree.cut(k), hierarchy.fcluster(of_samples, k, "maxclust"))
        assert same(tree.cut_groups(k), hierarchy.fcluster(tree, k, "maxclust"))
    np.testing.assert_array_equal(np.asarray(tree, np.float32), tree.linkage.astype(np.float32))


@given(seeds)
@settings(max_examples=30, deadline=None)
def test_what_is_inside_a_part_is_merged_first(seed: int) -> None:
    z, rng = np.random.default_rng(seed).normal(size=(M, 3)), np.random.default_rng(seed)
    inside = rng.permutation(np.arange(M) % 6)
    tree = tree_of(ward(z, np.ones(M), 1, inside=inside).merges, z.astype(np.float32), np.arange(M))
    assert hierarchy.is_monotonic(tree)
    heights = [hierarchy.linkage(z[inside == part], "ward")[:, 2] for part in range(6)]
    np.testing.assert_allclose(tree.merges.heights[: M - 6], np.sort(np.concatenate(heights)), rtol=1e-6)
    means = [z[inside == part].mean(axis=0) for part in range(6)]  # of parts of one size
    above = hierarchy.linkage(means, "ward")
    for k in range(2, 7):
        assert same(tree.cut(k), hierarchy.fcluster(above, k, "maxclust")[inside])


@pytest.mark.parametrize("alpha", [ALPHA, LONG])
def test_clusters_found_without_the_graph_are_a_cut_of_their_tree(alpha: float) -> None:
    z = np.random.default_rng(0).normal(size=(300, 2))
    graph = posterior_graph(Posterior(np.random.default_rng(0), z, np.full_like(z, -3.0)))
    labels = (z[:, 0] > 0.3).astype(int) + (z[:, 1] > 0)  # across whatever the graph shows
    faded, merges = merges_inside(graph, labels, alpha)
    tree = tree_of(merges, z.astype(np.float32), np.arange(len(z)))
    assert accuracy(labels, tree.cut(3)) > 0.99
    np.testing.assert_array_equal(faded.toarray(), faded_between(graph, labels).toarray())


def test_the_tree_of_such_clusters_keeps_hints() -> None:
    z = np.random.default_rng(0).normal(size=(300, 2))
    graph = posterior_graph(Posterior(np.random.default_rng(0), z, np.full_like(z, -3.0)))
    labels, known = (z[:, 0] > 0).astype(int), np.full(300, -1)
    known[:40] = labels[:40] = np.random.default_rng(1).integers(0, 2, 40)  # at odds with all around
    hints = Hints(known).constraints(len(z))
    tree = tree_of(merges_inside(graph, labels, hints=hints)[1], z.astype(np.float32), np.arange(len(z)))
    assert hints.kept(hints.numbers(np.eye(2)[tree.cut(2)])[tree.cut(2)]) == 1.0
    alone = tree_of(merges_inside(graph, labels)[1], z.astype(np.float32), np.arange(len(z))).cut(2)
    assert hints.kept(hints.numbers(np.eye(2)[alone])[alone]) < 1.0


@given(seeds)
@settings(max_examples=30, deadline=None)
def test_cuts_are_nested(seed: int) -> None:
    tree = made(seed)[1]
    for k in range(2, M + 1):
        fine, coarse = tree.cut(k), tree.cut(k - 1)
        np.testing.assert_array_equal(np.unique(fine), np.arange(k))
        assert len({*zip(fine.tolist(), coarse.tolist(), strict=True)}) == k


@given(seeds)
@settings(max_examples=30, deadline=None)
def test_sizes_and_persistence_are_those_of_the_members(seed: int) -> None:
    z, tree = made(seed)
    members = [set(np.flatnonzero(tree.merges.groups == group).tolist()) for group in range(M)]
    for a, b in tree.linkage[:, :2].astype(int):
        members.append(members[a] | members[b])
    assert tree.sizes.tolist() == [len(one) for one in members]
    assert tree.linkage[:, 3].tolist() == [len(set(tree.merges.groups[sorted(one)])) for one in members[M:]]
    for number, one in enumerate(members[M:]):
        above = [height for height, other in zip(tree.linkage[:, 2], members[M:], strict=True) if one < other]
        own = tree.linkage[number, 2]
        expected = np.log(min(above) / own) if above else 0.0
        assert tree.persistence[number] == pytest.approx(expected, abs=1e-5)
    np.testing.assert_allclose(
        tree.means, [z[tree.merges.groups == group].mean(axis=0) for group in range(M)], rtol=1e-5
    )


@pytest.mark.parametrize("seed", range(3))
def test_the_cut_of_the_fit_has_the_graphs_own_clusters_by_number(seed: int) -> None:
    z, merges, labels = of_codes(seed)
    tree = tree_of(merges, z, np.arange(len(z)))
    np.testing.assert_array_equal(tree.cut(3), labels)
    tree.check()


def test_other_samples_go_with_the_nearest_micro_cluster() -> None:
    z, merges, _ = of_codes(0)
    rng = np.random.default_rng(1)
    merged, others = np.arange(60, 150), np.arange(60)
    everything = np.concatenate([rng.normal(size=(60, 2)), z])
    tree = tree_of(merges, everything, merged)
    np.testing.assert_array_equal(tree.merges.groups[merged], merges.groups)
    nearest = cdist(everything[others], tree.means).argmin(axis=1)
    np.testing.assert_array_equal(tree.cut(4)[others], tree.cut_groups(4)[nearest])
    np.testing.assert_array_equal(tree.cut(4, everything[others]), tree.cut_groups(4)[nearest])


def test_a_tree_of_one_and_equal_points() -> None:
    alone = tree_of(ward(np.zeros((1, 2)), np.ones(1), 1).merges, np.zeros((1, 2)), np.arange(1))
    assert alone.linkage.shape == (0, 4)
    assert alone.cut(1).tolist() == [0]
    alone.check()
    equal = np.repeat([[0.0, 0.0], [3.0, 4.0]], 4, axis=0)
    tree = tree_of(ward(equal, np.ones(8), 2).merges, equal, np.arange(8))
    assert same(tree.cut(2), equal[:, 0])
    assert np.isfinite(tree.persistence).all()
    assert hierarchy.is_valid_linkage(tree)
    with pytest.raises(InputError, match="num_clusters must lie in 1 to 2, the micro-clusters that differ, got 3"):
        tree.cut(3)


def graph_tree(z: np.ndarray) -> Tree:
    graph = connected(expected([self_tuning(z, 5)], 1), z)
    return tree_of(merged_clusters(graph, 1).merges, z, np.arange(len(z)))


@pytest.mark.parametrize("k", [2, 3, 4, 6])
def test_without_a_number_the_layer_that_lasts_longest_is_taken(k: int) -> None:
    z, y = make_blobs(240, centers=k, n_features=6, random_state=0)
    tree = graph_tree(z)
    assert adjusted_rand_score(y, tree.cut()) == 1
    heights = tree.linkage[::-1, 2]  # of the merges into 1, 2, ... clusters
    np.testing.assert_allclose(tree.layers, np.log(heights[:-1] / heights[1:]), rtol=1e-6)
    assert tree.layers[: 20 - 1].argmax() == k - 2


def test_of_equal_samples_no_more_are_taken_than_differ() -> None:
    for distinct in (1, 2, 3):
        tree = graph_tree(np.repeat(np.arange(distinct, dtype=float)[:, np.newaxis] * [[1.0, 3.0]], 8, axis=0))
        assert 1 <= len(np.unique(tree.cut())) <= distinct


@pytest.mark.parametrize("k", [0, -1, M + 1, 2.0, True, "3"])
def test_a_cut_beyond_the_tree_is_refused(k: object) -> None:
    with pytest.raises(InputError, match=f"num_clusters must lie in 1 to {M}, the micro-clusters that differ, got"):
        made(0)[1].cut(k)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="there is no tree to cut"):
        cuttable(None)


def changed(part: str, value: object) -> Tree:
    tree = made(0)[1]
    array = np.array(getattr(tree.merges, part))
    array[0] = value
    return Tree(tree.merges._replace(**{part: array}), tree.means)


@pytest.mark.parametrize(
    ("tree", "says"),
    [
        (changed("groups", M), "of the micro-clusters 0 to 11, each with a sample"),
        (changed("groups", -1), "of the micro-clusters 0 to 11, each with a sample"),
        (changed("pairs", (0, M)), "of the micro-clusters 0 to 11, each with a sample"),
        (changed("pairs", (-1, 0)), "of the micro-clusters 0 to 11, each with a sample"),
        (changed("pairs", (3, 3)), "each merge two that were apart"),
        (changed("heights", 99.0), "heights that rise"),
        (changed("heights", -1.0), "heights that rise"),
        (changed("heights", np.nan), "heights that rise"),
        (Tree(made(0)[1].merges, np.zeros((10_001, 3))), "of 1 to 10000 micro-clusters, got 10001"),
    ],
)
def test_what_is_no_tree_is_refused(tree: Tree, says: str) -> None:
    made(0)[1].check()
    with pytest.raises(InputError, match=says):
        tree.check()
