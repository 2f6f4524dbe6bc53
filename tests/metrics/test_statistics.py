"""Tests and intervals against scipy, the definitions written out, and simulation."""

from itertools import product
from math import inf, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from vaeclust_jax.errors import InputError
from vaeclust_jax.metrics import (
    Comparison,
    compare,
    hedges_g,
    holm,
    paired_effect,
    paired_t,
    sign_flip,
    t_interval,
    welch,
    welch_from_summary,
    why_no_spread,
)

A = [0.85, 0.83, 0.88, 0.81, 0.86]
B = [0.75, 0.79, 0.78, 0.80, 0.72]

a_sample = st.lists(st.integers(-50, 50).map(lambda n: n / 10), min_size=2, max_size=8)
pairs = st.lists(st.tuples(st.integers(-30, 30), st.integers(-30, 30)), min_size=2, max_size=7)
a_p = st.none() | st.floats(0, 1) | st.sampled_from([0.0, 0.01, 0.02, 1.0])


# welch


@pytest.mark.parametrize(
    ("ours", "theirs", "statistic"),
    [
        ((0.85, 0.02), (0.75, 0.03), 6.2),
        ((0.88, 0.015), (0.78, 0.025), 7.7),
        ((0.82, 0.018), (0.72, 0.028), 6.7),
        ((0.45, 0.01), (0.35, 0.015), 12.4),
    ],
)
def test_welch_of_published_figures(ours, theirs, statistic):
    found = welch_from_summary(*ours, 5, *theirs, 5)
    assert round(found.statistic, 1) == statistic
    assert round(found.df) == 7
    assert found.p == pytest.approx(stats.ttest_ind_from_stats(*ours, 5, *theirs, 5, equal_var=False).pvalue)
    assert found.p < 0.001


@settings(max_examples=60, deadline=None)
@given(a_sample, a_sample)
def test_welch_agrees_with_scipy(a, b):
    found = welch(a, b)
    if len(set(a)) == len(set(b)) == 1:
        assert found is None
    else:
        expected = stats.ttest_ind(a, b, equal_var=False)
        assert found == pytest.approx((expected.statistic, expected.pvalue, expected.df), abs=1e-12)
        assert all(type(value) is float for value in found)


@pytest.mark.parametrize(("sizes", "scales"), [((5, 5), (1, 1)), ((5, 15), (3, 1))])
def test_welch_finds_few_differences_where_there_are_none(sizes, scales):
    rng = np.random.default_rng(0)
    trials = [
        welch(*(rng.normal(0, scale, size).tolist() for size, scale in zip(sizes, scales, strict=True))).p
        for _ in range(2000)
    ]
    assert 0.03 < np.mean(np.array(trials) < 0.05) < 0.065  # 0.05, standard error 0.005; below it for 5 and 5


def test_welch_takes_one_sample_without_spread_and_tiny_ones():
    assert welch([0.1, 0.1, 0.1], [0.3, 0.4, 0.5]).df == pytest.approx(2)
    assert welch_from_summary(1e-170, 1e-170, 5, 0, 1e-170, 5).df == pytest.approx(8)


# paired tests


@settings(max_examples=60, deadline=None)
@given(pairs)
def test_paired_t_agrees_with_scipy(values):
    a, b = (np.array(column) / 10 for column in zip(*values, strict=True))
    found = paired_t(a, b)
    if len({first - second for first, second in values}) == 1:
        assert found is None
        assert paired_effect(a, b) is None
    else:
        expected = stats.ttest_rel(a, b)
        assert found == pytest.approx((expected.statistic, expected.pvalue, expected.df), abs=1e-9)
        assert paired_effect(a, b) * np.sqrt(len(a)) == pytest.approx(expected.statistic, abs=1e-9)


def by_enumeration(differences):
    """Two-sided p of all sign flips, in whole numbers so that ties are ties."""
    observed = abs(sum(differences))
    flips = [
        abs(sum(sign * d for sign, d in zip(signs, differences, strict=True)))
        for signs in product((-1, 1), repeat=len(differences))
    ]
    return np.mean([flip >= observed for flip in flips])


@settings(max_examples=60, deadline=None)
@given(pairs)
def test_sign_flip_enumerates_all_signs(values):
    a, b = (np.array(column) / 10 for column in zip(*values, strict=True))  # tenths: sums of them are rounded
    found = sign_flip(a, b)
    assert found.p == pytest.approx(by_enumeration([first - second for first, second in values]))
    assert found.statistic == pytest.approx(np.mean(a - b), abs=1e-12)
    assert found.df is None


@pytest.mark.parametrize("sevenths", [[17, 2, 0, -19, -19], [-10, 4, 11, 18, 6], [10, 17, -27, -10]])
def test_sign_flip_counts_ties_that_rounding_would_break(sevenths):
    assert sign_flip(np.array(sevenths) / 7, [0.0] * len(sevenths)).p == by_enumeration(sevenths)


@pytest.mark.parametrize(("num_pairs", "smallest"), [(5, 2 / 2**5), (6, 2 / 2**6), (13, 2 / 2**13)])
def test_sign_flip_has_a_smallest_p(num_pairs, smallest):
    assert sign_flip([1.0] * num_pairs, np.linspace(0, 0.5, num_pairs)).p == pytest.approx(smallest)


def test_sign_flip_of_many_pairs_draws_signs():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.3, 1, 30), rng.normal(0, 1, 30)
    found = sign_flip(a, b)
    assert found == sign_flip(a, b)
    assert found.p == pytest.approx(stats.ttest_rel(a, b).pvalue, abs=0.03)
    assert sign_flip([1.0] * 30, [0.0] * 30).p == pytest.approx(2 / 10000)  # never 0


def test_sign_flip_without_any_difference():
    assert sign_flip([0.5, 0.6], [0.5, 0.6]) == (0.0, 1.0, None)


def test_rounding_is_no_difference():
    a, b = [0.8, 0.9, 0.4], [0.7, 0.8, 0.3]
    assert len(set(np.subtract(a, b))) == 3  # none of them 0.1
    assert paired_t(a, b) is None
    assert paired_effect(a, b) is None
    assert compare(a, b) == Comparison(0.1, hedges_g=hedges_g(a, b), reason="all values are equal")
    assert np.std([0.1, 0.1, 0.1]) > 0
    assert welch([0.1] * 3, [0.7] * 3) is None
    assert hedges_g([0.1] * 3, [0.7] * 3) is None


# effect sizes


def test_hedges_g_by_hand():
    # pooled variance 1; J(4) = Gamma(2) / (sqrt(2) Gamma(1.5)) = sqrt(2 / pi)
    assert hedges_g([3, 4, 5], [1, 2, 3]) == pytest.approx(2 * np.sqrt(2 / np.pi))
    # variances 1 and 25, pooled (2 * 1 + 1 * 25) / 3 = 9; J(3) = Gamma(1.5) / (sqrt(1.5) Gamma(1))
    b = [-np.sqrt(12.5), np.sqrt(12.5)]
    assert hedges_g([5, 6, 7], b) == pytest.approx(6 / 3 * np.sqrt(np.pi) / 2 / np.sqrt(1.5))


def test_hedges_g_is_near_the_usual_approximation():
    d = (np.mean(A) - np.mean(B)) / np.sqrt((np.var(A, ddof=1) + np.var(B, ddof=1)) / 2)
    assert hedges_g(A, B) == pytest.approx(d * (1 - 3 / (4 * 8 - 1)), rel=2e-3)


def test_hedges_g_has_no_bias_with_three_seeds():
    rng = np.random.default_rng(0)
    found = [hedges_g(rng.normal(1.5, 1, 3).tolist(), rng.normal(0, 1, 3).tolist()) for _ in range(6000)]
    assert np.mean(found) == pytest.approx(1.5, abs=4 * np.std(found) / np.sqrt(6000))
    assert 4 * np.std(found) / np.sqrt(6000) < 0.1  # without the factor the mean would be 1.88


# intervals


@settings(max_examples=60, deadline=None)
@given(a_sample, st.sampled_from([0.5, 0.9, 0.95, 0.999]))
def test_t_interval_agrees_with_scipy(values, confidence):
    found = t_interval(values, confidence=confidence)
    if len(set(values)) == 1:
        assert found is None
    else:
        assert found == pytest.approx(tuple(stats.ttest_1samp(values, 0.0).confidence_interval(confidence)), abs=1e-9)


def test_t_interval_stays_within_the_range_of_the_score():
    low, high = stats.ttest_1samp([0.9, 1.0, 0.8], 0.0).confidence_interval()
    assert high > 1
    assert t_interval([0.9, 1.0, 0.8], limits=(0.0, 1.0)) == pytest.approx((low, 1.0))
    assert t_interval([0.1, 0.0, 0.2], limits=(0.0, 1.0)) == pytest.approx((0.0, 1 - low))


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([], "a score is not defined"),
        ([0.5, None], "a score is not defined"),
        ([0.5], "a single value"),
        ([1.0, 1.0, 1.0], "all values are equal"),
        ([0.1, 0.1, 0.1], "all values are equal"),  # whose deviation is rounding
        ([0.1, 0.2], None),
    ],
)
def test_an_interval_that_is_not_defined_has_a_reason(values, reason):
    assert why_no_spread(values) == reason
    assert (t_interval(values) is None) == (reason is not None)


# holm


def by_definition(p_values):
    """Smallest alpha at which the step-down procedure rejects, tried over all that could matter."""
    known = sorted(p for p in p_values if p is not None)
    m = len(known)

    def rejected(p, alpha):
        for rank, other in enumerate(known):
            if other * (m - rank) > alpha:
                return False
            if other == p:
                return True

    levels = sorted({min(1.0, p * (m - rank)) for rank, p in enumerate(known)} | {1.0})
    return [None if p is None else next((alpha for alpha in levels if rejected(p, alpha)), 1.0) for p in p_values]


@settings(max_examples=100, deadline=None)
@given(st.lists(a_p, max_size=8))
def test_holm_is_the_step_down_procedure(p_values):
    found = holm(p_values)
    assert found == by_definition(p_values)
    both = [(p, q) for p, q in zip(p_values, found, strict=True) if p is not None]
    assert all(p <= q <= min(1, p * len(both)) for p, q in both)  # never below p, never above Bonferroni
    adjusted = [q for _, q in sorted(both)]
    assert adjusted == sorted(adjusted)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.04, None, 0.01, nan]) == [0.04, None, 0.02, None]
    assert holm([0.3]) == [0.3]
    assert holm([]) == []


# compare


def test_pairs_have_paired_tests_alone():
    differences = np.round(np.subtract(A, B), 9).tolist()
    assert compare(A, B) == Comparison(
        difference=pytest.approx(np.mean(A) - np.mean(B)),
        interval=t_interval(differences),
        paired=paired_t(A, B),
        hedges_g=hedges_g(A, B),
        paired_effect=paired_effect(A, B),
    )


def test_independent_samples_have_welch_s_test_alone():
    interval = stats.ttest_ind(A, B[:3], equal_var=False).confidence_interval()
    assert compare(A, B[:3], paired=False) == Comparison(
        difference=pytest.approx(np.mean(A) - np.mean(B[:3])),
        interval=pytest.approx(tuple(interval)),
        welch=welch(A, B[:3]),
        hedges_g=hedges_g(A, B[:3]),
    )


@settings(max_examples=20, deadline=None)
@given(pairs)
def test_swapping_the_methods_turns_the_signs(values):
    a, b = (np.array(column) / 10 for column in zip(*values, strict=True))
    there, back = compare(a, b), compare(b, a)
    assert there.difference == -back.difference
    assert there.reason == back.reason
    assert there.paired is None or there.paired.p == pytest.approx(back.paired.p)
    for name in ("hedges_g", "paired_effect"):
        assert getattr(there, name) is None or getattr(there, name) == pytest.approx(-getattr(back, name), abs=1e-9)


def test_one_seed_allows_no_more_than_the_difference():
    for paired in (True, False):
        assert compare([0.75], [0.5], paired=paired) == Comparison(0.25, reason="a single value")


@pytest.mark.parametrize("paired", [True, False])
def test_equal_scores_are_not_tested(paired):
    assert compare([1.0] * 3, [1.0] * 3, paired=paired) == Comparison(0.0, reason="all values are equal")
    assert compare([1.0] * 3, [0.5] * 3, paired=paired) == Comparison(0.5, reason="all values are equal")


def test_one_method_against_itself_is_not_tested():
    assert compare(A, A) == Comparison(0.0, hedges_g=0.0, reason="all values are equal")


@pytest.mark.parametrize("missing", [None, nan, inf])
def test_a_score_not_defined_leaves_nothing_defined(missing):
    for paired in (True, False):
        assert compare(A, [*B[:4], missing], paired=paired) == Comparison(None, reason="a score is not defined")
        assert compare([*A[:4], missing], B, paired=paired) == Comparison(None, reason="a score is not defined")
    assert t_interval([*A, missing]) is None
    assert welch_from_summary(missing, 0.1, 5, 0.2, 0.1, 5) is None


def test_too_few_values():
    assert compare([], []) == Comparison(None, reason="a score is not defined")
    assert welch(A, [0.5]) is None
    assert hedges_g([0.5], B) is None
    assert welch_from_summary(0.5, None, 1, 0.4, 0.1, 5) is None
    assert welch_from_summary(0.5, 0.1, 1, 0.4, 0.1, 5) is None


@pytest.mark.parametrize("function", [compare, paired_t, sign_flip, paired_effect])
def test_pairs_need_equal_lengths(function):
    with pytest.raises(InputError, match="must have the same length to be paired, got 5 and 4"):
        function(A, B[:4])
    with pytest.raises(InputError, match="same length"):
        function(A, [None] * 4)


def test_mistakes_are_named():
    with pytest.raises(InputError, match=r"confidence must be in \(0, 1\), got 95"):
        t_interval(A, confidence=95)
    with pytest.raises(InputError, match=r"p_values must be in \[0, 1\]"):
        holm([0.5, 1.2])
    with pytest.raises(InputError, match="standard deviations must be at least 0"):
        welch_from_summary(0.5, -0.1, 5, 0.5, 0.1, 5)
    with pytest.raises(InputError, match="b must be a sequence of numbers or None, got 'high'"):
        welch(A, "high")
    with pytest.raises(InputError, match=r"a must be a sequence of numbers or None, got 0\.5"):
        paired_t(0.5, B)
    with pytest.raises(InputError, match=r"values must be one-dimensional, got shape \(2, 5\)"):
        t_interval([A, B])
