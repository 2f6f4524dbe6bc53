"""Hints in the merge: constraints against enumeration, Ward under them against a search of all pairs, bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaeclust_jax.errors import InputError
from vaeclust_jax.graph.clusters import merged_clusters
from vaeclust_jax.graph.constraints import Constraints
from vaeclust_jax.graph.hints import Hints, check_clusters
from vaeclust_jax.graph.neighbours import Posterior, posterior_graph
from vaeclust_jax.graph.suggested import suggested
from vaeclust_jax.graph.tree import tree_of
from vaeclust_jax.graph.ward import ward
from vaeclust_jax.objectives.propagation import propagate

seeds = st.integers(0, 2**32 - 1)


def random_hints(rng: np.random.Generator, n: int, k: int) -> tuple[Hints, np.ndarray]:
    """Hints that are true of labels."""
    y = rng.integers(0, k, n)
    known = np.where(rng.random(n) < 0.2, y, -1)
    pairs = rng.integers(0, n, (8, 2))
    same = y[pairs[:, 0]] == y[pairs[:, 1]]
    known[0] = y[0]
    return Hints(known, pairs[same], pairs[~same]), y


@settings(deadline=None, max_examples=30)
@given(seeds)
def test_sets_are_those_of_the_hints_and_true_labels_keep_all(seed: int) -> None:
    rng = np.random.default_rng(seed)
    hints, y = random_hints(rng, 30, 4)
    found = hints.constraints(30)
    reach = np.eye(30, dtype=bool)  # by enumeration: a must_link, or one class
    for a, b in np.asarray(hints.must_link).reshape(-1, 2):
        reach[a, b] = reach[b, a] = True
    known = np.asarray(hints.partial_labels)
    reach |= (known[:, None] >= 0) & (known[:, None] == known)
    for _ in range(5):
        reach = (reach.astype(int) @ reach) > 0
    assert ((found.together[:, None] == found.together) == reach).all()
    assert (y[:, None] == y)[reach].all()
    for a, b in found.apart:
        assert y[found.together == a][0] != y[found.together == b][0]
    assert found.kept(y) == 1.0
    assert found.of_rows(np.arange(30)).apart.shape == found.apart.shape


def constrained_ward(points: np.ndarray, sizes: np.ndarray, k: int, apart: np.ndarray) -> np.ndarray:
    """All pairs at every step; those that stay apart only when there are no others."""
    clusters = [[one] for one in range(len(points))]
    while len(clusters) > k:
        best = (True, np.inf, 0, 0)
        for i, a in enumerate(clusters):
            for j in range(i):
                b = clusters[j]
                foes = any({p, q} == {x, y} for p, q in apart.tolist() for x in a for y in b)
                (s, t), (m, n) = (sizes[a].sum(), sizes[b].sum()), (
                    np.average(points[a], axis=0, weights=sizes[a]), np.average(points[b], axis=0, weights=sizes[b])
                )  # fmt: skip
                best = min(best, (foes, float(s * t / (s + t) * ((m - n) ** 2).sum()), i, j))
        _, _, i, j = best
        clusters[j] += clusters.pop(i)
    labels = np.zeros(len(points), int)
    for number, one in enumerate(clusters):
        labels[one] = number
    return labels


@settings(deadline=None, max_examples=15)
@given(seeds, st.integers(1, 7))
def test_ward_under_constraints_is_the_search_of_all_pairs(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    points, sizes = rng.normal(size=(12, 3)), rng.integers(1, 4, 12).astype(float)
    apart = np.array([(0, 1), (0, 2), (1, 2), (3, 4)])
    found, expected = ward(points, sizes, k, apart), constrained_ward(points, sizes, k, apart)
    assert ((found.labels[:, None] == found.labels) == (expected[:, None] == expected)).all()
    assert (np.diff(found.merges.heights) >= 0).all()
    tree_of(found.merges, points.astype(np.float32), np.arange(12)).check()


def moons(seed: int, n: int = 120) -> tuple[np.ndarray, np.ndarray]:
    """Three rows of points: the two outer halves of the third are nearer to the others than to each other."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 4
    z = np.array([[0.0, 0], [4, 0], [0, 3], [4, 3]])[y] + 0.4 * rng.normal(size=(n, 2))
    return z, np.array([0, 0, 1, 1])[y]


def graph_of(z: np.ndarray):
    return posterior_graph(Posterior(np.random.default_rng(0), z, np.full_like(z, -4.0)), 4)


def test_the_merge_keeps_the_hints_and_one_label_of_each_part_moves_all_of_it() -> None:
    z, y = moons(0)
    known = np.full(len(y), -1)
    known[:4] = y[:4]  # four blobs, two of each class
    graph, hints = graph_of(z), Hints(known).constraints(len(y))
    labels = merged_clusters(graph, 2, hints=hints).labels
    assert (labels == y).mean() == 1.0
    assert hints.kept(labels) == 1.0
    swapped = np.where(known < 0, -1, 1 - known)
    assert (merged_clusters(graph, 2, hints=Hints(swapped).constraints(len(y))).labels == 1 - y).all()
    alone = Hints(must_link=[(0, 1)], cannot_link=[(0, 2), (1, 3)]).constraints(len(y))
    assert alone.kept(merged_clusters(graph, 2, hints=alone).labels) == 1.0


@settings(deadline=None, max_examples=5)
@given(seeds)
def test_hints_at_odds_with_the_graph_are_kept_all_the_same(seed: int) -> None:
    rng = np.random.default_rng(seed)
    z, _ = moons(seed % 1000)
    y = rng.integers(0, 3, len(z))
    known = np.where(rng.random(len(z)) < 0.3, y, -1)
    known[:3] = 0, 1, 2
    hints = Hints(known).constraints(len(z))
    for k in (3, 5):
        labels = merged_clusters(graph_of(z), k, hints=hints).labels
        assert (labels[known >= 0] == known[known >= 0]).all()
        assert len(np.unique(labels)) == k


def test_every_row_hinted_gives_the_hints() -> None:
    z, y = moons(1)
    assert (merged_clusters(graph_of(z), 2, hints=Hints(y).constraints(len(y))).labels == y).all()


def test_few_groups_are_merged_under_a_ceiling() -> None:
    z, y = moons(2)
    hints = Hints(np.where(np.arange(len(y)) < 8, y, -1)).constraints(len(y))
    labels = merged_clusters(graph_of(z), 2, max_groups=12, hints=hints).labels
    assert hints.kept(labels) == 1.0


def test_held_rows_stay_while_the_others_are_spread() -> None:
    rng = np.random.default_rng(0)
    q, neighbours = rng.dirichlet(np.ones(3), 20), rng.integers(0, 20, (20, 4))
    weights, told = rng.dirichlet(np.ones(4), 20), np.where(np.arange(20) < 5, np.arange(20) % 3, -1)
    f = held = np.where(told[:, None] >= 0, np.eye(3)[told], q)
    for _ in range(7):
        f = 0.9 * np.einsum("nd,ndk->nk", weights, f[neighbours]) + 0.1 * held
        f = np.where(told[:, None] >= 0, np.eye(3)[told], f)
    found = propagate(*map(np.asarray, (q, neighbours, weights)), num_steps=7, told=told)  # type: ignore[arg-type]
    np.testing.assert_allclose(found, f, atol=1e-5)


@pytest.mark.parametrize(
    ("hints", "sentence"),
    [
        (Hints(), "hints must say something of some rows"),
        (Hints(np.full(6, -1)), "hints must say something of some rows"),
        (Hints([0, 1, -1, -1, -1, -1], [(0, 4), (4, 1)]), "row 0 and row 1 are to be together, and are class 0 and c"),
        (Hints([0, 1, -1, -1, -1, -1], [(0, 1)], names=("cat", "dog")), "are 'cat' and 'dog'"),
        (Hints(must_link=[(0, 1), (1, 2)], cannot_link=[(2, 0)]), "row 2 and row 0 are to be apart, and must_link joi"),
        (Hints([1, 1, 0, -1, -1, -1], cannot_link=[(0, 1)]), "are both class 1"),
        (Hints(cannot_link=[(3, 3)]), "row 3 and row 3 are to be apart, and they are one"),
        (Hints(must_link=[(0, 6)]), "must_link must name rows from 0 to 5, got 6"),
        (Hints(must_link=[(0, -1)]), "must_link must name rows from 0 to 5, got -1"),
        (Hints(cannot_link=[(0, 1, 2)]), "cannot_link must be pairs of rows"),
        (Hints(must_link=[(0, 1), (2,)]), "must_link must be pairs of rows"),
        (Hints([0.0] * 6), "partial_labels must be a class from 0 or -1"),
        (Hints([0] * 5), "partial_labels must be a class from 0 or -1"),
        (Hints([-2] * 6), "partial_labels must be a class from 0 or -1"),
    ],
)
def test_what_cannot_be_used_is_said(hints: Hints, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence.replace("(", r"\(")):
        hints.constraints(6)


def test_as_many_contradictions_are_named_as_can_be_read() -> None:
    with pytest.raises(InputError, match=r"; and 2 more$"):
        Hints([0, 1] * 5, [(one, one + 1) for one in range(0, 10, 2)]).constraints(10)


def test_clusters_must_be_as_many_as_classes_and_no_more_than_sets() -> None:
    with pytest.raises(InputError, match="hints name 4 classes, which need as many clusters, but num_clusters is 3"):
        check_clusters(Hints([3, 0, -1]).constraints(3), 3)
    with pytest.raises(InputError, match="join the training samples into 1 sets"):
        check_clusters(Hints([0, 0, 0]).constraints(3), 2)


def test_rows_that_are_not_trained_on_lose_their_hints() -> None:
    found = Hints([0, 1, -1, -1], [(0, 2)], [(3, 1)]).constraints(4).of_rows(np.array([0, 2, 3]))
    assert found.together.tolist() == [0, 0, 1]
    assert found.hinted.tolist() == [True, True, True]
    assert len(found.apart) == 0
    assert found.classes.tolist() == [0, -1]


@settings(deadline=None, max_examples=20)
@given(seeds)
def test_a_record_gives_the_hints_again(seed: int) -> None:
    hints, _ = random_hints(np.random.default_rng(seed), 20, 3)
    again = Hints.of(hints.record())
    assert again.digest == hints.digest
    for one, other in zip(again.constraints(20), hints.constraints(20), strict=True):
        np.testing.assert_array_equal(one, other)


def test_suggested_are_of_different_branches_and_none_that_is_known() -> None:
    z, _ = moons(3)
    merged = merged_clusters(graph_of(z), 2)
    tree, entropy = tree_of(merged.merges, z.astype(np.float32), np.arange(len(z))), np.linspace(0, 0.5, len(z))
    rows = suggested(tree, entropy, 4)
    assert len({*(np.arange(len(z)) % 4)[rows].tolist()}) == 4  # one of each blob
    assert len(np.unique(tree.cut(4)[rows])) == 4
    known = np.zeros(len(z), bool)
    known[rows] = True
    more = suggested(tree, entropy, 3, known)
    assert len(more) == 3
    assert not np.isin(tree.merges.groups[more], tree.merges.groups[rows]).any()
    assert len(suggested(tree, entropy, 10**6)) == len(tree.means)
    with pytest.raises(InputError, match="every sample has a hint already"):
        suggested(tree, entropy, 3, np.ones(len(z), bool))
    with pytest.raises(InputError, match="number must be at least 1, got 0"):
        suggested(tree, entropy, 0)


def test_numbers_of_classes_are_those_of_clusters() -> None:
    constraints = Constraints(np.arange(4), np.zeros((0, 2), int), np.array([2, -1, 0, -1]), np.array([1, 0, 1, 0]) > 0)
    assert constraints.numbered(np.array([0, 1, 2, 1]), 3).tolist() == [2, 1, 0, 1]
