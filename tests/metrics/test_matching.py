from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaeclust_jax.errors import InputError
from vaeclust_jax.metrics import accuracy, check_ids, contingency, match_clusters

paired = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), min_size=1, max_size=25)


def brute_force(y, labels):
    """Best agreement over all one-to-one maps, by trying them (5 clusters, the surplus ones to no class)."""
    targets = [0, 1, 2, 3, -1]
    return max(
        np.mean([order[label] == c for c, label in zip(y, labels, strict=True)]) for order in permutations(targets)
    )


@settings(max_examples=60, deadline=None)
@given(paired)
def test_accuracy_is_the_best_over_all_matches(pairs):
    y, labels = map(np.array, zip(*pairs, strict=True))
    assert accuracy(y, labels) == pytest.approx(brute_force(y, labels))


@settings(max_examples=40, deadline=None)
@given(paired, st.permutations(range(5)))
def test_relabelling_clusters_changes_nothing(pairs, order):
    y, labels = map(np.array, zip(*pairs, strict=True))
    assert accuracy(y, labels) == accuracy(y, np.array(order)[labels])


@settings(max_examples=40, deadline=None)
@given(paired)
def test_the_mapping_is_one_to_one_and_gives_the_accuracy(pairs):
    y, labels = map(np.array, zip(*pairs, strict=True))
    mapping = match_clusters(y, labels)
    classes = [c for c in mapping.values() if c != -1]
    assert len(classes) == len(set(classes)) == min(len(set(y)), len(set(labels)))
    assert set(mapping) == set(labels.tolist())
    assert np.mean([mapping[label] == c for c, label in zip(y, labels.tolist(), strict=True)]) == pytest.approx(
        accuracy(y, labels)
    )


def test_hand_computed_match():
    y = np.array([0, 0, 0, 1, 1, 2])
    labels = np.array([5, 5, 2, 2, 2, 7])
    assert match_clusters(y, labels) == {2: 1, 5: 0, 7: 2}
    assert accuracy(y, labels) == pytest.approx(5 / 6)
    np.testing.assert_array_equal(contingency(y, labels), [[1, 2, 0], [2, 0, 0], [0, 0, 1]])


def test_surplus_clusters_map_to_no_class():
    assert match_clusters([0, 0, 0, 1], [0, 0, 1, 2]) == {0: 0, 1: -1, 2: 1}
    assert accuracy([0, 0, 0, 1], [0, 0, 1, 2]) == 0.75


def test_fewer_clusters_than_classes():
    assert match_clusters([0, 1, 1, 2], [0, 0, 0, 0]) == {0: 1}
    assert accuracy([0, 1, 1, 2], [0, 0, 0, 0]) == 0.5


def test_perfect_and_single_sample():
    assert accuracy([3, 3, 8, 9], [1, 1, 0, 2]) == 1.0
    assert accuracy([4], [0]) == 1.0


@pytest.mark.parametrize(
    ("y", "labels", "message"),
    [
        ([0, 1], [0, 1, 1], "y must have one entry per label, 3; got 2"),
        ([0.0, 1.0], [0, 1], "y must hold whole numbers"),
        ([0, -1], [0, 1], "y must hold numbers from 0; got -1"),
        ([0, 1], [[0], [1]], r"labels must be one-dimensional and not empty; got shape \(2, 1\)"),
        ([], [], "not empty"),
    ],
)
def test_mistakes_are_named(y, labels, message):
    with pytest.raises(InputError, match=message):
        accuracy(y, labels)


def test_ids_at_the_limit():
    assert check_ids("labels", [0, 2], 3).tolist() == [0, 2]
    with pytest.raises(InputError, match="labels must hold numbers from 0 to 1; got 2"):
        check_ids("labels", [0, 2], 2)
