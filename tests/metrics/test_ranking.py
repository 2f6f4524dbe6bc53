"""Ranks over datasets against counting, scipy and the published table of Nemenyi's test."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from vaeclust_jax.errors import InputError
from vaeclust_jax.metrics import average_ranks, critical_difference, friedman, groups_not_different

tables = hnp.arrays(
    np.int64, st.tuples(st.integers(2, 6), st.integers(3, 5)), elements=st.integers(0, 5)
)  # few values: many ties


@settings(max_examples=50, deadline=None)
@given(tables)
def test_ranks_count_the_better_methods(table):
    better = (table[:, None, :] > table[:, :, None]).sum(axis=2)
    equal = (table[:, None, :] == table[:, :, None]).sum(axis=2)
    found = average_ranks(table)
    assert found == pytest.approx((better + (equal + 1) / 2).mean(axis=0))
    assert found.sum() == pytest.approx(sum(range(1, table.shape[1] + 1)))


def test_ranks_by_hand():
    assert average_ranks([[0.9, 0.5, 0.7], [0.8, 0.8, 0.1]]).tolist() == [1.25, 2.25, 2.5]


@settings(max_examples=50, deadline=None)
@given(tables)
def test_friedman_by_formula(table):
    """Chi-squared without ties is 12 N / (k (k + 1)) * sum of (rank - (k + 1) / 2)^2; ties shrink the divisor."""
    num_datasets, k = table.shape
    found = friedman(table)
    ties = sum(int((np.unique(row, return_counts=True)[1] ** 3).sum()) - k for row in table)
    divisor = 1 - ties / (num_datasets * k * (k * k - 1))
    if divisor == 0:
        assert found is None
    else:
        spread = ((average_ranks(table) - (k + 1) / 2) ** 2).sum()
        expected = 12 * num_datasets / (k * (k + 1)) * spread / divisor
        assert found == pytest.approx((expected, stats.chi2.sf(expected, k - 1), k - 1))


def test_friedman_is_not_defined_for_a_pair_or_one_dataset():
    rng = np.random.default_rng(0)
    assert friedman(rng.random((8, 2))) is None
    assert friedman(rng.random((1, 4))) is None
    assert friedman(rng.random((2, 3))) is not None


def test_friedman_finds_few_differences_where_there_are_none():
    rng = np.random.default_rng(0)
    p = np.array([friedman(rng.random((15, 5))).p for _ in range(800)])
    assert 0.02 < np.mean(p < 0.05) < 0.075  # 0.05, standard error 0.008


@pytest.mark.parametrize(
    ("alpha", "table"),
    [
        (0.05, [1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164]),
        (0.10, [1.645, 2.052, 2.291, 2.459, 2.589, 2.693, 2.780, 2.855, 2.920]),
    ],
)
def test_critical_difference_has_the_published_quantiles(alpha, table):
    for k, q in enumerate(table, start=2):
        found = critical_difference(k, 14, alpha)
        assert found == pytest.approx(q * np.sqrt(k * (k + 1) / (6 * 14)), abs=1e-3)


def test_critical_difference_of_the_published_example():
    assert critical_difference(4, 14, 0.10) == pytest.approx(1.12, abs=5e-3)  # Demsar 2006, section 3.2.3


def test_no_pair_beyond_the_critical_difference_in_most_trials():
    rng = np.random.default_rng(0)
    cd = critical_difference(5, 20)
    beyond = [np.ptp(average_ranks(rng.random((20, 5)))) >= cd for _ in range(800)]
    assert 0.02 < np.mean(beyond) < 0.075


def by_trying(ranks, cd):
    """All sets of two or more whose ranks lie within cd, none of them part of another."""
    within = [
        set(chosen)
        for size in range(2, len(ranks) + 1)
        for chosen in combinations(range(len(ranks)), size)
        if max(ranks[i] for i in chosen) - min(ranks[i] for i in chosen) < cd
    ]
    return {frozenset(one) for one in within if not any(one < other for other in within)}


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(4, 24).map(lambda n: n / 4), max_size=7), st.sampled_from([0.25, 0.5, 1.0, 2.5, 9.0]))
def test_groups_are_the_largest_within_cd(ranks, cd):
    found = groups_not_different(ranks, cd)
    assert len(found) == len(set(found))
    assert {frozenset(group) for group in found} == by_trying(ranks, cd)
    for group in found:
        assert [ranks[i] for i in group] == sorted(ranks[i] for i in group)
    assert [ranks[group[0]] for group in found] == sorted(ranks[group[0]] for group in found)


def test_groups_by_hand():
    assert groups_not_different([3.0, 1.0, 2.0, 4.5], 1.5) == [(1, 2), (2, 0)]
    assert groups_not_different([1.0, 2.0], 1.0) == []  # differ by as much as cd: different
    assert groups_not_different([], 1.0) == []


def test_mistakes_are_named():
    for function in (average_ranks, friedman):
        with pytest.raises(InputError, match=r"scores must have shape \(datasets, methods\), not empty, got \(3,\)"):
            function([1, 2, 3])
        with pytest.raises(InputError, match="not empty"):
            function(np.zeros((0, 3)))
        with pytest.raises(InputError, match="scores must hold finite numbers only, got None, NaN or infinity"):
            function([[0.1, None, 0.3], [0.1, 0.2, 0.3]])
    with pytest.raises(InputError, match="num_methods must be at least 2"):
        critical_difference(1, 5)
    with pytest.raises(InputError, match="num_datasets at least 1, got 3 and 0"):
        critical_difference(3, 0)
    with pytest.raises(InputError, match="alpha must be in"):
        critical_difference(3, 5, alpha=5)
    with pytest.raises(InputError, match="ranks must be a sequence of finite numbers"):
        groups_not_different([1.0, float("nan")], 1.0)
    with pytest.raises(InputError, match="cd must be positive, got 0"):
        groups_not_different([1.0, 2.0], 0)
