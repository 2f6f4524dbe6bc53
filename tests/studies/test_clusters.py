"""What is said of each cluster, of answers whose sizes, stabilities and purities are known."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from tests.studies.made_assignments import made_answer, made_dataset, soft
from vaeclust_jax.folder.records.clusters import FeatureRecord
from vaeclust_jax.studies.assignments import Answer
from vaeclust_jax.studies.clusters import agreed_share, agreeing, alike, clusters_of

K = 4
Y = np.repeat([0, 1, 2], 10)
MIXED = np.r_[np.repeat([0, 1], 10), np.tile([2, 1], 5)]  # cluster 3 is empty, half of class 2 lies with class 1
DATA = made_dataset(np.zeros((30, 4)), Y, class_names=("zero", "one", "two"))
UNLABELLED = made_dataset(np.zeros((30, 4)), None)


def answer(labels: np.ndarray, confidence: float = 0.9) -> Answer:
    return made_answer(soft(labels, confidence, K))


def test_sizes_probabilities_and_classes_by_hand() -> None:
    found = clusters_of([answer(MIXED)], DATA)
    assert [one.cluster for one in found] == [0, 1, 2, 3]
    assert [one.samples for one in found] == [10, 15, 5, 0]
    assert [one.class_ for one in found] == ["zero", "one", "two", None]
    assert [one.purity for one in found] == [1.0, pytest.approx(2 / 3), 1.0, None]
    assert [one.probability for one in found] == [pytest.approx(0.9)] * 3 + [None]
    assert [one.stability for one in found] == [None] * 4
    assert [one.doubts for one in found] == [(), (), (), ("no samples",)]


def test_a_sure_but_mixed_cluster_is_doubted() -> None:
    labels = np.r_[np.zeros(20, int), np.ones(10, int)]
    first = clusters_of([answer(labels, 0.95)], DATA)[0]
    assert first.purity == 0.5
    assert first.doubts == ("only 50 % are of one class (zero), at a mean probability of 0.95",)


def test_a_cluster_that_other_seeds_do_not_find_is_doubted_without_labels() -> None:
    halves = np.r_[np.repeat([0, 1], 10), np.tile([2, 3], 5)]
    found = clusters_of([answer(Y), answer(halves), answer(Y)], UNLABELLED)
    assert [one.stability for one in found] == [1.0, 1.0, pytest.approx((0.5 + 1) / 2), None]
    assert not any(one.doubts for one in found[:3])
    found = clusters_of([answer(Y), answer(halves)], UNLABELLED)
    assert found[2].doubts == ("other seeds do not find it again (Jaccard index 0.50)",)
    assert {one.class_ for one in found} == {None}


def test_four_in_five_seeds_rounded_up() -> None:
    assert [agreeing(seeds) for seeds in (2, 3, 4, 5, 6, 10, 11)] == [2, 3, 4, 4, 5, 8, 9]


@pytest.mark.parametrize(("dissenting", "expected"), [(0, 1.0), (1, 1.0), (2, 0.9)])
def test_the_share_that_seeds_agree_on(dissenting: int, expected: float) -> None:
    other = Y.copy()
    other[:3] = 1
    aligned = np.stack([soft(other if seed < dissenting else Y, 0.9, K) for seed in range(5)])
    assert agreed_share(aligned) == pytest.approx(expected)


def test_one_seed_agrees_with_nobody() -> None:
    assert agreed_share(soft(Y, 0.9, K)[None]) is None


def test_likeness_is_the_mean_index_over_seeds_of_both() -> None:
    ours, theirs = [answer(Y), answer(MIXED)], [Answer(MIXED, K), Answer(Y[::-1].copy(), K)]
    expected = np.mean([adjusted_rand_score(a.labels, b.labels) for a in ours for b in theirs])
    assert alike(ours, {"k-means": theirs, "ward": theirs[:1]})["k-means"] == pytest.approx(expected)


def test_what_a_cluster_is_taken_for_next_and_how_a_shallow_method_cuts_it() -> None:
    q = soft(Y, 0.8, 3)
    q[:10] = [0.7, 0.1, 0.2]
    q[10:20] = [0.2, 0.75, 0.05]
    shallow = [Answer(MIXED, K), Answer(np.zeros(30, int), 1)]
    first, second, third = clusters_of([made_answer(q)], DATA, shallow)
    assert (first.nearest, first.nearest_probability) == (2, pytest.approx(0.2))
    assert (second.nearest, second.nearest_probability) == (0, pytest.approx(0.2))
    assert [one.alike for one in (first, second, third)] == [1.0, pytest.approx(10 / 15), pytest.approx(0.5)]
    assert {one.alike for one in clusters_of([answer(MIXED)], DATA)} == {None}


def test_features_that_set_a_cluster_apart_by_the_textbook() -> None:
    rng = np.random.default_rng(0)
    x = np.c_[rng.normal(1e6 + 5 * (Y == 1), 1), rng.normal(size=30), Y == 2, np.full(30, 0.1), rng.normal(Y, 0.1)]
    found = clusters_of([answer(Y)], made_dataset(x, None))
    for cluster, one in enumerate(found[:3]):
        assert one.features is not None
        expected = {}
        for number, column in enumerate(x.T):
            inside, outside = column[cluster == Y], column[cluster != Y]
            spread = np.sqrt(((inside.var() * 10) + (outside.var() * 20)) / 28)
            if number != 3:
                expected[f"feature {number}"] = (inside.mean() - outside.mean()) / spread if spread > 1e-9 else None
        assert {each.name for each in one.features} == set(expected)
        for each in one.features:
            assert each.difference == (expected[each.name] and pytest.approx(expected[each.name], rel=1e-6))
        sizes = [np.inf if each.difference is None else abs(each.difference) for each in one.features]
        assert sizes == sorted(sizes, reverse=True)
    assert found[2].features[0] == FeatureRecord(
        name="feature 2", mean=pytest.approx(1), rest=pytest.approx(0), difference=None
    )
    assert found[3].features == ()
    pictures = made_dataset(np.zeros((30, 2, 2, 1)), None)
    assert clusters_of([answer(Y)], pictures)[0].features is None
