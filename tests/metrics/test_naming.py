"""Names of clusters: against counting by hand, and against all one-to-one names there are."""

from itertools import permutations

import numpy as np
import pytest

from vaeclust_jax.errors import InputError
from vaeclust_jax.metrics import UNNAMED, classify, name_clusters

LABELS = np.array([0, 0, 0, 1, 1, 2, 2, 2])
Y = np.array([2, 2, 0, 2, 1, 0, 0, 2])


def test_majority_may_use_a_name_twice_and_takes_the_first_of_equals() -> None:
    names = name_clusters(LABELS, Y, num_clusters=4, num_classes=4)
    np.testing.assert_array_equal(names, [2, 1, 0, UNNAMED])


def test_one_label_names_one_cluster() -> None:
    for naming in ("majority", "hungarian"):
        names = name_clusters(np.array([2]), np.array([1]), 3, 3, naming)
        np.testing.assert_array_equal(names, [UNNAMED, UNNAMED, 1])


@pytest.mark.parametrize("seed", range(5))
def test_hungarian_agrees_as_often_as_any_one_to_one_names(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels, y = rng.integers(0, 5, 30), rng.integers(0, 5, 30)
    names = name_clusters(labels, y, 5, 5, "hungarian")
    best = max((np.array(names)[labels] == y).sum() for names in permutations(range(5)))
    assert (names[labels] == y).sum() == best
    used = names[names != UNNAMED]
    assert len(set(used.tolist())) == len(used)


def test_a_class_without_labels_names_nothing() -> None:
    known = Y != 1
    assert 1 not in name_clusters(LABELS[known], Y[known], 4, 3)
    assert 1 not in name_clusters(LABELS[known], Y[known], 4, 3, "hungarian")


def test_a_sample_is_called_as_its_most_probable_cluster_and_all_of_that_name_make_it_sure() -> None:
    q = np.array([[0.5, 0.2, 0.3], [0.1, 0.8, 0.1], [0.2, 0.3, 0.5]])
    predicted, probability = classify(q, np.array([1, UNNAMED, 1]))
    np.testing.assert_array_equal(predicted, [1, UNNAMED, 1])
    np.testing.assert_allclose(probability, [0.8, 0.8, 0.7])


@pytest.mark.parametrize(
    ("labels", "y", "naming", "message"),
    [
        ([], [], "majority", "labels must be one-dimensional and not empty"),
        ([0, 3], [0, 0], "majority", "labels must hold numbers from 0 to 2"),
        ([0, 1], [0, 3], "majority", "y must hold numbers from 0 to 2"),
        ([0, 1], [0], "majority", "y must have one entry per label"),
        ([0, 1], [0, 1], "vote", "naming must be majority or hungarian, got 'vote'"),
    ],
)
def test_mistakes_are_named(labels: list[int], y: list[int], naming: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        name_clusters(np.array(labels, int), np.array(y, int), 3, 3, naming)  # type: ignore[arg-type]
