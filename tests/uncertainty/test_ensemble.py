from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from sklearn.metrics import adjusted_rand_score

from vaeclust_jax.errors import InputError
from vaeclust_jax.uncertainty.ensemble import (
    align,
    cluster_stability,
    co_association,
    ensemble_probabilities,
    pairwise_agreement,
    seed_uncertainty,
    stability,
    vote_entropy,
    votes,
)

S, N, K = 4, 12, 4

weights = hnp.arrays(np.float64, (N, K), elements=st.floats(0, 1)).filter(lambda w: w.sum(axis=1).min() > 1e-3)
clusterings = hnp.arrays(np.int64, st.tuples(st.integers(2, 4), st.integers(1, 15)), elements=st.integers(0, 4))


def seeds(rng=0, concentration=0.3):
    """S unrelated soft assignments."""
    return np.random.default_rng(rng).dirichlet(np.full(K, concentration), (S, N))


# Alignment -------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(weights, st.lists(st.permutations(range(K)), min_size=S, max_size=S))
def test_align_undoes_any_renaming(w, orders):
    q = w / w.sum(axis=1, keepdims=True)
    aligned = align(np.stack([q[:, order] for order in orders]))
    np.testing.assert_allclose(aligned, np.broadcast_to(q[:, orders[0]], aligned.shape), atol=1e-6)
    np.testing.assert_allclose(align(aligned, q), np.broadcast_to(q, aligned.shape), atol=1e-6)


@pytest.mark.parametrize("rng", range(3))
def test_align_finds_the_best_of_all_permutations(rng):
    q = seeds(rng)
    aligned = align(q)
    np.testing.assert_array_equal(aligned[0], q[0])
    for seed, found in zip(q, aligned, strict=True):
        best = max(np.sum(q[0] * seed[:, order]) for order in permutations(range(K)))
        assert np.sum(q[0] * found) == pytest.approx(best)
        assert sorted(map(tuple, found.T)) == sorted(map(tuple, seed.T))


def test_a_split_cluster_keeps_its_larger_part():
    """The second seed splits cluster 0 (three to one) and leaves one of its columns empty."""
    first = np.eye(3)[[0, 0, 0, 0, 1, 1]]
    second = np.eye(3)[[2, 2, 2, 1, 0, 0]]
    np.testing.assert_array_equal(align([first, second])[1].argmax(axis=1), [0, 0, 0, 2, 1, 1])
    np.testing.assert_allclose(vote_entropy(align([first, second])), [0, 0, 0, np.log(2), 0, 0], atol=1e-12)


# Ensemble --------------------------------------------------------------------------------------------


def test_the_mean_assignment_and_its_uncertainty_equal_their_formulas():
    q = seeds()
    average = q.mean(axis=0)
    np.testing.assert_allclose(ensemble_probabilities(q), average)
    found = seed_uncertainty(q)
    expected = stats.entropy(q, axis=2).mean(axis=0)
    np.testing.assert_allclose(found.entropy, stats.entropy(average, axis=1), rtol=1e-5)
    np.testing.assert_allclose(found.expected_entropy, expected, rtol=1e-5)
    np.testing.assert_allclose(found.mutual_information, stats.entropy(average, axis=1) - expected, atol=2e-6)


def test_vote_entropy_counts_the_votes():
    q = seeds()
    votes = [np.bincount(column, minlength=K) for column in q.argmax(axis=2).T]
    np.testing.assert_allclose(vote_entropy(q), stats.entropy(votes, axis=1))
    assert len(np.unique(np.round(vote_entropy(q), 6))) > 2  # the comparison above says something


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(K)))
def test_one_renaming_of_all_seeds_changes_no_uncertainty(order):
    q = seeds()
    np.testing.assert_allclose(vote_entropy(q[..., order]), vote_entropy(q), atol=1e-12)
    np.testing.assert_allclose(seed_uncertainty(q[..., order]), seed_uncertainty(q), atol=2e-6)


# Company ---------------------------------------------------------------------------------------------


def companions(labels, i):
    return {j for j, label in enumerate(labels) if label == labels[i]}


def jaccard(a, b):
    return len(a & b) / len(a | b)


@settings(max_examples=40, deadline=None)
@given(clusterings)
def test_stability_and_co_association_by_brute_force(labels):
    n = labels.shape[1]
    pairs = list(combinations(labels.tolist(), 2))
    jaccards = [np.mean([jaccard(companions(a, i), companions(b, i)) for a, b in pairs]) for i in range(n)]
    found = stability(labels)
    np.testing.assert_allclose(found, jaccards, rtol=1e-12)
    assert np.all((found > 0) & (found <= 1))
    together = [[np.mean([seed[i] == seed[j] for seed in labels]) for j in range(n)] for i in range(n)]
    np.testing.assert_allclose(co_association(labels), together, rtol=1e-6)


@settings(max_examples=20, deadline=None)
@given(clusterings, st.permutations(range(0, 50, 10)))
def test_names_of_clusters_do_not_matter(labels, names):
    renamed = labels.copy()
    renamed[0] = np.array(names)[labels[0]]
    np.testing.assert_allclose(stability(renamed), stability(labels))
    np.testing.assert_array_equal(co_association(renamed), co_association(labels))
    assert pairwise_agreement(renamed) == pytest.approx(pairwise_agreement(labels))
    same = np.stack([labels[0], renamed[0]])
    np.testing.assert_array_equal(stability(same), 1)
    assert pairwise_agreement(same) == 1


def test_stability_by_hand():
    """One of three leaves its cluster: {0, 1, 2} and {0, 1} share 2 of 3, {0, 1, 2} and {2} 1 of 3."""
    np.testing.assert_allclose(stability([[0, 0, 0, 1], [0, 0, 2, 1]]), [2 / 3, 2 / 3, 1 / 3, 1])


def test_pairwise_agreement_is_the_mean_over_pairs():
    labels = np.random.default_rng(0).integers(0, 3, (3, 40))
    labels[1] = np.where(np.arange(40) < 30, labels[0], labels[1])
    pairs = [adjusted_rand_score(labels[a], labels[b]) for a, b in ((0, 1), (0, 2), (1, 2))]
    assert pairwise_agreement(labels) == pytest.approx(np.mean(pairs))
    assert max(pairs) - min(pairs) > 0.1  # the comparison above says something


# Limits ----------------------------------------------------------------------------------------------


def test_nothing_is_compared_for_one_seed():
    assert cluster_stability([[0, 1, 1]], 2) is None
    one = seeds()[:1]
    assert vote_entropy(one) is seed_uncertainty(one) is None
    assert stability([[0, 1, 1]]) is pairwise_agreement([[0, 1, 1]]) is None
    np.testing.assert_array_equal(align(one), one)
    np.testing.assert_array_equal(ensemble_probabilities(one), one[0])
    np.testing.assert_array_equal(co_association([[0, 1, 1]]), [[1, 0, 0], [0, 1, 1], [0, 1, 1]])


def test_a_matrix_too_large_is_refused_with_its_size():
    with pytest.raises(InputError, match=r"at most 20000 samples.* got 50000, which would need 10\.0 GB"):
        co_association(np.zeros((1, 50_000), int))


@pytest.mark.parametrize("function", [align, ensemble_probabilities, vote_entropy, seed_uncertainty])
def test_wrong_probabilities_are_named(function):
    with pytest.raises(InputError, match=r"probabilities must have shape .* got \(12, 4\)"):
        function(seeds()[0])
    with pytest.raises(InputError, match=r"probabilities must lie in \[0, 1\], got 2 values out of range"):
        function(np.array([[[1.5, 0.5]], [[np.nan, 0.0]]]))


def test_seeds_of_different_shapes_are_named():
    with pytest.raises(InputError, match=r"the same shape \(samples, clusters\), got \(3, 2\) and \(4, 2\)"):
        align([np.full((3, 2), 0.5), np.full((4, 2), 0.5)])


def test_a_reference_of_another_shape_is_named():
    with pytest.raises(InputError, match=r"reference must have shape \(12, 4\), as each seed, got \(12, 3\)"):
        align(seeds(), np.zeros((N, 3)))


@pytest.mark.parametrize("function", [co_association, stability, pairwise_agreement])
def test_wrong_labels_are_named(function):
    with pytest.raises(InputError, match=r"labels must have shape \(seeds, samples\), not empty, got \(3,\)"):
        function([0, 1, 2])
    with pytest.raises(InputError, match="labels must hold whole numbers"):
        function([[0.0, 1.0], [0.0, 1.0]])
    with pytest.raises(InputError, match="labels must hold numbers from 0"):
        function([[0, -1], [0, 1]])


# Of clusters -----------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(clusterings)
def test_the_stability_of_clusters_by_sets(labels):
    if len(labels) < 2:
        return
    found = cluster_stability(labels, 5)
    sets = [[{*np.flatnonzero(seed == cluster)} for cluster in range(5)] for seed in labels]
    for cluster, members in enumerate(sets[0]):
        each = (
            [max(len(members & other) / len(members | other) for other in seed if other) for seed in sets[1:]]
            if (members)
            else [0.0]
        )
        assert found[cluster] == pytest.approx(np.mean(each))


def test_votes_are_shares_of_the_seeds():
    q = seeds()
    found = votes(q)
    for sample in range(N):
        counts = np.bincount(q[:, sample].argmax(axis=1), minlength=K)
        np.testing.assert_allclose(found[sample], counts / S)
