"""Each step of the graph against an independent oracle on small cases."""

from itertools import pairwise

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from vaeclust_jax.errors import InputError
from vaeclust_jax.graph.clusters import graph_clusters, groups_of, merged_clusters, walked
from vaeclust_jax.graph.kernel import walk_embedding
from vaeclust_jax.graph.micro import between, micro_clusters
from vaeclust_jax.graph.neighbours import (
    LISTED,
    Posterior,
    connected,
    expected,
    faded_between,
    mean_graph,
    nearest,
    posterior_graph,
    self_tuning,
    strongest,
)
from vaeclust_jax.graph.ward import ward
from vaeclust_jax.metrics import scores

seeds = st.integers(0, 2**32 - 1)


def points(seed: int, n: int = 30, num_features: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, num_features))


def rings(n: int = 72, noise: float = 0.02) -> tuple[np.ndarray, np.ndarray]:
    """Two rings, one through the other, which no centroid can hold: views of two things that turn."""
    rng = np.random.default_rng(0)
    angle = np.tile(np.linspace(0, 2 * np.pi, n, endpoint=False), (2, 1))
    flat, zero = np.stack([np.cos(angle), np.sin(angle)], axis=-1), np.zeros(n)
    one = np.column_stack([flat[0], zero])
    other = np.column_stack([flat[1][:, 0] + 1, zero, flat[1][:, 1]])
    z = np.concatenate([one, other])
    return z + noise * rng.normal(size=z.shape), np.repeat([0, 1], n)


def asked(z: np.ndarray, logvar: np.ndarray | None = None, seed: int = 0) -> Posterior:
    """Codes that are known, or as sure as said."""
    return Posterior(np.random.default_rng(seed), z, np.full_like(z, -100.0) if logvar is None else logvar)


def random_graph(seed: int, n: int = 12) -> sparse.csr_array:
    rng = np.random.default_rng(seed)
    half = np.triu(rng.uniform(size=(n, n)) * (rng.uniform(size=(n, n)) < 0.3), 1)
    return sparse.csr_array(half + half.T)


@given(seeds)
@settings(max_examples=20, deadline=None)
def test_the_nearest_are_those_of_all_distances(seed: int) -> None:
    z = points(seed)
    distances, numbers = nearest(z, 4)
    all_distances = cdist(z, z)
    np.fill_diagonal(all_distances, np.inf)
    np.testing.assert_allclose(distances, np.sort(all_distances, axis=1)[:, :4], atol=1e-9)
    np.testing.assert_array_equal(np.take_along_axis(all_distances, numbers, axis=1).argsort(axis=1)[:, 0], 0)


@given(seeds)
@settings(max_examples=20, deadline=None)
def test_the_weights_equal_their_formula(seed: int) -> None:
    z, m = points(seed, 15), 3
    found = self_tuning(z, m).toarray()
    d = cdist(z, z)
    np.fill_diagonal(d, np.inf)
    scale = np.sort(d, axis=1)[:, m - 1]
    wanted = np.zeros((15, 15))
    for i in range(15):
        for j in np.argsort(d[i])[:m]:
            wanted[i, j] += 0.5 * np.exp(-2 * d[i, j] ** 2 / (scale[i] * scale[j]))
            wanted[j, i] += 0.5 * np.exp(-2 * d[i, j] ** 2 / (scale[i] * scale[j]))
    np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_draws_are_averaged_before_squaring_and_known_codes_need_none() -> None:
    graphs = [random_graph(seed) for seed in range(3)]
    wanted = np.mean([graph.toarray() for graph in graphs], axis=0) ** 2
    np.testing.assert_allclose(expected(iter(graphs), 3).toarray(), wanted)
    beside = random_graph(7)
    wanted = (0.75 * np.sqrt(wanted) + 0.25 * beside.toarray()) ** 2
    np.testing.assert_allclose(expected(iter(graphs), 3, beside, 0.25).toarray(), wanted)
    z = points(0)
    sure = posterior_graph(asked(z), num_draws=3)
    np.testing.assert_allclose(sure.toarray(), self_tuning(z, 5).toarray() ** 2, atol=1e-12)
    unsure = posterior_graph(asked(z, np.zeros_like(z)), num_draws=16)
    assert unsure.nnz > 2 * sure.nnz
    assert unsure.max() < sure.max()


@pytest.mark.parametrize("temperature", [0.5, 1.0])
def test_draws_have_the_posteriors_mean_and_a_share_of_its_deviation(temperature: float) -> None:
    many = 20_000
    mean, logvar = points(0, 4), points(1, 4)
    z = np.stack(list(asked(mean, logvar).draws(many, temperature)))
    sigma = temperature * np.sqrt(np.exp(logvar))
    assert (np.abs(z.mean(axis=0) - mean) < 5 * sigma / np.sqrt(many)).all()
    np.testing.assert_allclose(z.std(axis=0), sigma, rtol=5 / np.sqrt(2 * many))
    independent = np.corrcoef(z.reshape(many, -1).T)
    np.testing.assert_allclose(independent, np.eye(mean.size), atol=5 / np.sqrt(many))
    assert np.abs(np.corrcoef(z[:-1, 0, 0], z[1:, 0, 0])[0, 1]) < 5 / np.sqrt(many)


def test_edges_of_seeds_are_averaged() -> None:
    graphs = [random_graph(seed) for seed in range(3)]
    edges = [strongest(graph, 4) for graph in graphs]
    wanted = np.zeros((3, *graphs[0].shape))
    for dense, (numbers, weights) in zip(wanted, edges, strict=True):
        np.add.at(dense, (np.arange(len(dense))[:, np.newaxis], numbers), weights)
    found = mean_graph(edges)
    np.testing.assert_allclose(found.toarray(), wanted.mean(axis=0), atol=1e-12)
    assert (found.data > 0).all()


@pytest.mark.parametrize(("n", "draws"), [(20, 64), (4000, 40), (20_000, 16)])
def test_few_points_are_drawn_more_often(n: int, draws: int) -> None:
    drawn = []

    def seen(number: int) -> tuple[np.ndarray, np.ndarray]:
        drawn.append(number)
        return z, np.full_like(z, -9.0)

    z = points(0, n)
    posterior_graph(asked(z)._replace(view=seen))
    assert drawn == list(range(draws))


@given(seeds, st.integers(1, 12))
@settings(max_examples=30, deadline=None)
def test_micro_clusters_are_chains_of_strongest_neighbours(seed: int, at_least: int) -> None:
    graph = random_graph(seed)
    dense = graph.toarray()
    root = list(range(len(dense)))

    def find(i: int) -> int:
        return i if root[i] == i else find(root[i])

    edges = [(float(row.max()), i, int(row.argmax())) for i, row in enumerate(dense) if row.any()]
    for _, i, j in sorted(edges, reverse=True):
        if len({find(point) for point in root}) > at_least:
            root[find(i)] = find(j)
    found = micro_clusters(graph, at_least)
    same = np.array([[find(i) == find(j) for j in range(len(dense))] for i in range(len(dense))])
    np.testing.assert_array_equal(found[:, None] == found, same)


@given(seeds)
@settings(max_examples=20, deadline=None)
def test_edges_between_groups_are_summed(seed: int) -> None:
    graph, groups = random_graph(seed), np.random.default_rng(seed).permutation(np.arange(12) % 4)
    member = np.eye(4)[groups]
    wanted = member.T @ graph.toarray() @ member
    np.fill_diagonal(wanted, 0)
    wanted[np.diag_indices(4)] = wanted.sum(axis=1) == 0
    np.testing.assert_allclose(between(graph, groups).toarray(), wanted)


@given(seeds, st.sampled_from([0.0, 0.5, 0.99]))
@settings(max_examples=20, deadline=None)
def test_the_walk_is_the_dense_inverse(seed: int, alpha: float) -> None:
    graph = between(random_graph(seed), np.arange(12))
    b = graph.toarray()
    degree = b.sum(axis=1)
    walk = np.linalg.inv(np.eye(12) - alpha * b / np.sqrt(np.outer(degree, degree)))
    root = np.real(scipy.linalg.sqrtm(walk))
    unit = root / np.linalg.norm(root, axis=1, keepdims=True)
    found = walk_embedding(graph, alpha)
    np.testing.assert_allclose(found @ found.T, unit @ unit.T, atol=1e-8)


@given(seeds, st.integers(1, 12))
@settings(max_examples=30, deadline=None)
def test_ward_is_scipys_on_repeated_points(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    z, sizes = rng.normal(size=(12, 3)), rng.integers(1, 5, 12)
    found, gap, _ = ward(z, sizes, k)
    repeated = fcluster(linkage(np.repeat(z, sizes, axis=0), "ward"), k, "maxclust")
    first = repeated[np.concatenate([[0], np.cumsum(sizes)[:-1]])]
    np.testing.assert_array_equal(found[:, None] == found, first[:, None] == first)
    np.testing.assert_array_equal(np.unique(found), np.arange(k))
    heights = linkage(np.repeat(z, sizes, axis=0), "ward")[:, 2] ** 2  # twice the growth of the sum of squares
    assert gap == pytest.approx(np.log(heights[-k + 1] / heights[-k]) if 1 < k < 12 else 0.0, abs=1e-6)


def test_a_gap_shows_how_many_clusters_there_are() -> None:
    z, y = rings()
    graph = posterior_graph(asked(np.concatenate([z, z + 10]), np.full((2 * len(z), 3), 2 * np.log(0.02))))
    gaps = {k: merged_clusters(graph, k).gap for k in range(2, 9)}
    assert max(gaps, key=lambda k: gaps[k]) == 2 * len(np.unique(y))


def test_rings_that_no_centroid_can_hold() -> None:
    z, y = rings()
    logvar = np.full_like(z, 2 * np.log(0.02))
    labels = graph_clusters(posterior_graph(asked(z, logvar)), 2)
    assert scores(y, labels, z)["acc"] == 1.0


def test_many_micro_clusters_are_joined_again_and_give_the_same_rings() -> None:
    pair, of_pair = rings()
    z = np.concatenate([pair + np.array([10 * number, 0, 0]) for number in range(4)])
    y = np.concatenate([of_pair + 2 * number for number in range(4)])
    graph = posterior_graph(asked(z, np.full_like(z, 2 * np.log(0.02))), num_draws=4)
    levels = [groups_of(graph, 8, limit) for limit in (6000, 100, 40)]
    counts = [int(groups.max()) + 1 for groups in levels]
    assert counts[0] > 100
    assert counts[1:] == [100, 40]  # no fewer than can be merged
    for fine, coarse in pairwise(levels):  # each group lies in one of the next level
        assert len({*zip(fine.tolist(), coarse.tolist(), strict=True)}) == fine.max() + 1
    for limit in (6000, 100, 40):
        assert scores(y, graph_clusters(graph, 8, max_groups=limit), z)["acc"] > 0.99


def test_more_clusters_than_can_be_compared_are_refused() -> None:
    graph = posterior_graph(asked(points(0, 200)))
    assert micro_clusters(graph).max() + 1 < 150
    for k, limit in ((40, 200), (150, 200), (150, 160), (150, 150)):
        assert len(np.unique(graph_clusters(graph, k, max_groups=limit))) == k
    with pytest.raises(InputError, match="num_clusters 40 is out of reach: the graph joins 200 samples into"):
        graph_clusters(graph, 40, max_groups=39)
    with pytest.raises(InputError, match="num_clusters 3 is out of reach: the graph joins 30 samples into 30 groups"):
        graph_clusters(sparse.csr_array((30, 30)), 3, max_groups=20)


def test_edges_between_clusters_fade_and_those_inside_stay() -> None:
    graph, labels = self_tuning(points(0), 5), np.random.default_rng(1).integers(0, 3, 30)
    expected_weights = np.where(labels[:, None] == labels, 1, 0.05) * graph.toarray()
    np.testing.assert_allclose(faded_between(graph, labels).toarray(), expected_weights, rtol=1e-12)


def test_the_strongest_edges_as_arrays() -> None:
    graph = sparse.csr_array(np.array([[0, 3, 1, 2], [3, 0, 0, 0], [1, 0, 0, 0], [2, 0, 0, 0.0]]))
    numbers, weights = strongest(graph, 2)
    np.testing.assert_array_equal(numbers, [[1, 3], [0, 1], [0, 2], [0, 3]])
    np.testing.assert_allclose(weights, [[0.6, 0.4], [1, 0], [1, 0], [1, 0]])
    numbers, weights = strongest(sparse.csr_array((2, 2)), 3)
    np.testing.assert_array_equal(numbers, [[0, 0, 0], [1, 1, 1]])
    np.testing.assert_allclose(weights, [[1, 0, 0], [1, 0, 0]])


@pytest.mark.parametrize(
    "z",
    [np.ones((20, 2)), np.repeat(points(0, 4), 6, axis=0), np.r_[points(1, 20), [[1e6] * 3]]],
    ids=["all equal", "duplicates", "a far one"],
)
def test_degenerate_points_give_a_finite_graph_and_all_clusters(z: np.ndarray) -> None:
    graph = posterior_graph(asked(z))
    assert np.isfinite(graph.data).all()
    for k in (1, 3, len(z)):
        labels = graph_clusters(graph, k)
        np.testing.assert_array_equal(np.unique(labels), np.arange(k))


def test_a_graph_without_edges_and_one_in_parts() -> None:
    assert len(np.unique(graph_clusters(sparse.csr_array((6, 6)), 3))) == 3
    parts = sparse.block_diag([sparse.csr_array(np.ones((3, 3)) - np.eye(3))] * 4, format="csr")
    labels = graph_clusters(parts, 4)
    np.testing.assert_array_equal(labels[:, None] == labels, np.kron(np.eye(4), np.ones((3, 3))) > 0)


def test_parts_without_an_edge_between_them_are_merged_with_the_nearest() -> None:
    centres = np.array([[0, 0], [10, 0], [100, 0], [110, 0], [50, 50.0]])
    z = np.repeat(centres, 20, axis=0) + 0.5 * points(0, 100, 2)
    graph = posterior_graph(asked(z))
    labels = graph_clusters(graph, 3)
    first = [np.bincount(part).argmax() for part in np.split(labels, 5)]
    assert first[0] == first[1] != first[2] == first[3]
    assert len(set(first)) == 3
    assert (labels == np.repeat(first, 20)).mean() > 0.9


SIZES = (1, 1, 2, 9, LISTED + 1, 2 * LISTED, 2 * LISTED)


@given(seeds, st.sampled_from([0.0, 1.0, 5.0, 100.0]))
@settings(max_examples=20, deadline=None)
def test_parts_are_joined_by_a_minimum_spanning_tree(seed: int, apart: float) -> None:
    """Parts that lie in each other, next to each other and far away; points of one part have numbers all over."""
    rng = np.random.default_rng(seed)
    part = rng.permutation(np.repeat(np.arange(len(SIZES)), SIZES))
    z = apart * rng.normal(size=(len(SIZES), 3))[part] + rng.normal(size=(len(part), 3))
    before = np.where(part[:, np.newaxis] == part, rng.uniform(size=(len(part), 1)), 0)
    before = np.maximum(before, before.T) * (1 - np.eye(len(part)))
    d = cdist(z, z)
    gaps = np.array([[d[np.ix_(part == a, part == b)].min() for b in range(len(SIZES))] for a in range(len(SIZES))])
    tree = minimum_spanning_tree(gaps).data
    edges = np.isin(d, tree)
    assert edges.sum() == 2 * (len(SIZES) - 1)
    found = connected(sparse.csr_array(before), z).toarray()
    weak = 0.05 * before[before > 0].mean() * tree.min() / np.where(edges, d, np.inf)
    np.testing.assert_allclose(found, before + weak, rtol=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_clusters_that_stand_apart_are_found(seed: int) -> None:
    z, y = make_blobs(300, centers=4, n_features=6, random_state=seed)
    graph = connected(expected([self_tuning(z, 5)], 1), z)
    assert adjusted_rand_score(y, graph_clusters(graph, 4)) == 1


def test_duplicates_in_parts_of_their_own_are_joined_once() -> None:
    z = np.repeat(points(0, 12), 7, axis=0)
    graph = self_tuning(z, 5)
    found = connected(graph, z)
    assert sparse.csgraph.connected_components(graph)[0] == 12
    assert sparse.csgraph.connected_components(found)[0] == 1
    assert found.nnz == graph.nnz + 2 * 11


def test_mistakes_are_named() -> None:
    with pytest.raises(InputError, match="num_neighbours must lie in 1 to 2 for 3 samples, got 5"):
        self_tuning(points(0, 3), 5)
    with pytest.raises(InputError, match="num_clusters must lie in 1 to 3, the number of micro-clusters, got 4"):
        ward(points(0, 3), np.ones(3), 4)


# Points that stand for several -----------------------------------------------------------------------------------


def with_twins(graph: sparse.csr_array, counts: np.ndarray) -> sparse.csr_array:
    """Each point as often as it counts, every one with the edges of the first and none among themselves."""
    again = np.repeat(np.arange(len(counts)), counts)
    return sparse.csr_array(graph[again][:, again])


@pytest.mark.parametrize("max_groups", [2000, 12])
@pytest.mark.parametrize("seed", range(3))
def test_a_point_of_weight_two_is_two_with_the_same_edges(seed: int, max_groups: int) -> None:
    z, _ = make_blobs(90, 2, centers=4, cluster_std=1.5, random_state=seed)
    graph = posterior_graph(asked(z), num_draws=1)
    counts = np.random.default_rng(seed).integers(1, 5, len(z))
    again = np.repeat(np.arange(len(z)), counts)
    found = merged_clusters(graph, 4, max_groups=max_groups, weight=counts.astype(float))
    twins = merged_clusters(with_twins(graph, counts), 4, max_groups=max_groups)
    assert adjusted_rand_score(found.labels[again], twins.labels) == 1
    assert found.gap == pytest.approx(twins.gap, rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_where_micro_clusters_were_joined_points_move_along_the_graph(seed: int) -> None:
    z, _ = make_blobs(400, 3, centers=4, cluster_std=2.0, random_state=seed)
    graph = posterior_graph(asked(z), num_draws=4)
    groups = groups_of(graph, 4, 40)
    embedding = walk_embedding(between(graph, groups))
    merged = ward(embedding, np.bincount(groups), 4).labels[groups]
    dense = graph.toarray()
    ends = np.linalg.matrix_power(dense / dense.sum(axis=1, keepdims=True), 10) @ np.eye(4)[merged]
    found = merged_clusters(graph, 4, max_groups=40).labels
    np.testing.assert_array_equal(found, ends.argmax(axis=1))
    np.testing.assert_array_equal(merged_clusters(graph, 4, max_groups=400).labels, graph_clusters(graph, 4))


def test_a_walk_brings_back_points_on_the_wrong_side() -> None:
    z, y = make_blobs(400, 3, centers=4, cluster_std=0.7, random_state=0)
    wrong = np.where(np.random.default_rng(0).random(400) < 0.3, (y + 1) % 4, y)
    graph = posterior_graph(asked(z), num_draws=4)
    assert (walked(graph, wrong, 4) == y).mean() > 0.95


def test_a_walk_empties_no_cluster_and_leaves_points_without_edges() -> None:
    path = sparse.csr_array(np.diag(np.ones(4), 1) + np.diag(np.ones(4), -1))
    labels = np.array([0, 0, 1, 0, 0])
    np.testing.assert_array_equal(walked(path, labels, 2), labels)
    alone = sparse.csr_array(sparse.block_diag([path, np.zeros((1, 1))]))
    labels = np.array([0, 0, 0, 0, 1, 1])
    assert walked(alone, labels, 2).tolist() == [0, 0, 0, 0, 0, 1]


def test_weights_move_the_clusters() -> None:
    z, _ = make_blobs(90, 2, centers=4, cluster_std=1.5, random_state=0)
    graph = posterior_graph(asked(z), num_draws=1)
    weight = np.where(z[:, 0] > np.median(z[:, 0]), 100.0, 1.0)
    assert adjusted_rand_score(graph_clusters(graph, 4), graph_clusters(graph, 4, weight=weight)) < 1


@given(seeds)
@settings(max_examples=10, deadline=None)
def test_the_strongest_edges_of_points_that_stand_for_several(seed: int) -> None:
    graph = random_graph(seed)
    counts = np.random.default_rng(seed).integers(1, 4, graph.shape[0])
    n, twins = graph.shape[0], with_twins(graph, counts)
    q = np.random.default_rng(seed).dirichlet(np.ones(3), n)

    def mean_of_neighbours(graph: sparse.csr_array, q: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
        numbers, weights = strongest(graph, graph.shape[0], weight)
        return np.einsum("nd,ndk->nk", weights, q[numbers])

    again = np.repeat(np.arange(n), counts)
    found = mean_of_neighbours(graph, q, counts.astype(float))
    alone = np.asarray(graph.sum(axis=1)).ravel() == 0
    np.testing.assert_allclose(found[again], mean_of_neighbours(twins, q[again]), atol=1e-12)
    np.testing.assert_allclose(found[alone], q[alone])
