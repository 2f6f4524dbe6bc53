"""Votes of several clusterings against votes counted by hand, over all ways to match clusters."""

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaeclust_jax.errors import InputError
from vaeclust_jax.metrics import accuracy, agreement, consensus


@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_consensus_undoes_names_and_outvotes_mistakes_that_are_not_shared(seed: int, voters: int) -> None:
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(4), 10)
    wrong = rng.permutation(40)[: 2 * voters].reshape(voters, 2)  # nobody's mistakes are another's
    said = np.tile(truth, (voters, 1))
    for one, places in zip(said, wrong, strict=True):
        one[places] = (one[places] + rng.integers(1, 4, 2)) % 4
    named = np.stack([rng.permutation(4)[one] for one in said])
    expected = said if voters < 3 else truth[None]
    assert max(accuracy(one, consensus(named)) for one in expected) == 1.0


def test_consensus_leaves_no_cluster_empty() -> None:
    # Each has a cluster of one, another one each: matched, every such sample is outvoted.
    said = np.zeros((3, 30), int)
    for place, one in enumerate(said):
        one[15:] = 1
        one[place * 15 % 30] = 2
    assert len(np.unique(consensus(said))) == 3


def test_consensus_of_one_is_itself_and_of_different_numbers_the_best_known() -> None:
    np.testing.assert_array_equal(consensus([[2, 0, 1]]), [2, 0, 1])
    assert consensus([[0, 0, 1, 1], [0, 0, 1, 1], [0, 1, 2, 3]]).tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ([[-2, 0]], "labels must hold numbers from 0, or -1 for samples left out; got -2"),
        ([0, 1], r"got \(2,\)"),
        ([[]], r"got \(1, 0\)"),
        ([[0.5, 1]], "labels must hold whole numbers of an integer type; got float64"),
    ],
)
def test_what_are_no_ids_is_named(bad: list[Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        consensus(bad)
    with pytest.raises(InputError, match=says):
        agreement(bad, [0, 0])


clusterings = st.integers(1, 12).flatmap(
    lambda n: st.tuples(
        st.lists(st.lists(st.integers(-1, 3), min_size=n, max_size=n), min_size=1, max_size=4),
        st.lists(st.integers(-1, 3), min_size=n, max_size=n),
    )
)


@given(clusterings)
@settings(max_examples=60, deadline=None)
def test_agreement_is_that_of_the_best_match_and_noise_is_itself(said: tuple[list[list[int]], list[int]]) -> None:
    labels, reference = said
    share = agreement(labels, reference)
    each = np.array([agreement([one], reference) for one in labels])
    np.testing.assert_allclose(share, each.mean(axis=0))
    for one, agrees in zip(labels, each, strict=True):
        best = max(
            sum(names[a] == b >= 0 for a, b in zip(one, reference, strict=True) if a >= 0)
            for names in permutations(range(4))
        )
        both_left_out = np.array([a == b == -1 for a, b in zip(one, reference, strict=True)])
        assert agrees.sum() == best + both_left_out.sum()
        assert set(agrees) <= {0.0, 1.0}
        assert (agrees[both_left_out] == 1).all()
        one_left_out = (np.array(one) == -1) != (np.array(reference) == -1)
        assert (agrees[one_left_out] == 0).all()


def test_samples_that_most_leave_out_are_left_out() -> None:
    said = [[0, 0, 1, 1, -1, -1], [1, 1, 0, 0, -1, 0], [0, 0, 1, 1, 1, -1]]
    assert consensus(said).tolist() == [0, 0, 1, 1, -1, -1]
    assert agreement(said, [0, 0, 1, 1, -1, -1]).tolist() == [1, 1, 1, 1, 2 / 3, 2 / 3]
    assert consensus([[-1, -1], [-1, -1]]).tolist() == [-1, -1]


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_noise_of_a_minority_changes_no_cluster(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(3), 8)
    said = np.stack([rng.permutation(3)[truth] for _ in range(3)])
    said[rng.integers(3, size=5), rng.permutation(24)[:5]] = -1  # of each sample, by one at most
    assert accuracy(truth, consensus(said)) == 1.0
