"""Rejection, risk and coverage, and the association of uncertainty with errors."""

import math
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from vaeclust_jax.errors import InputError
from vaeclust_jax.uncertainty.selective import (
    compare_groups,
    correctness,
    error_auroc,
    point_biserial,
    reject,
    risk_at,
    risk_coverage,
    spearman,
)

FEW = settings(max_examples=40, deadline=None)
SCORED = st.lists(st.tuples(st.booleans(), st.integers(-8, 8)), min_size=1, max_size=40)
ALL = [risk_coverage, error_auroc, point_biserial, spearman, compare_groups]


def test_correctness_is_that_of_the_best_match() -> None:
    y, labels = np.array([0, 0, 0, 1, 1, 2]), np.array([7, 7, 4, 4, 4, 9])
    best = max(sum(name[one] == true for one, true in zip(labels, y, strict=True)) for name in all_names(labels, 3))
    np.testing.assert_array_equal(correctness(y, labels), [True, True, False, True, True, True])
    assert correctness(y, labels).sum() == best
    np.testing.assert_array_equal(correctness([0, 0, 0], [1, 1, 2]), [True, True, False])  # a cluster left over
    with pytest.raises(InputError, match="y must have one entry per label"):
        correctness(y, labels[:3])


def all_names(labels, num_classes):
    clusters = np.unique(labels)
    for classes in permutations(range(num_classes), len(clusters)):
        yield dict(zip(clusters.tolist(), classes, strict=True))


def made_case(n=200, ties=False):
    rng = np.random.default_rng(n)
    correct = rng.random(n) < 0.7
    uncertainty = rng.normal(size=n) + ~correct
    return correct, np.round(uncertainty * 2) if ties else uncertainty


def unzip(scored):
    return np.array([row[0] for row in scored]), np.array([float(row[1]) for row in scored])


@FEW
@given(st.lists(st.integers(0, 5), min_size=1, max_size=60), st.integers(0, 999))
def test_reject_keeps_exactly_the_rest_and_the_surest(uncertainty, thousandths):
    values, n = np.array(uncertainty), len(uncertainty)
    kept = reject(values, thousandths / 1000)
    assert kept.dtype == bool
    assert kept.sum() == n - math.floor(Fraction(thousandths, 1000) * n)
    assert kept.all() or values[kept].max() <= values[~kept].min()


def test_reject_takes_the_later_of_equal_rows():
    assert reject([1.0, 3.0, 1.0, 3.0, 3.0], 0.4).tolist() == [True, True, True, False, False]
    assert reject([2.0, 2.0, 2.0], 0.99999999999).tolist() == [True, False, False]
    assert reject(np.arange(400) % 2, 0.25).tolist() == [True] * 200 + [True, False] * 100


def test_reject_takes_the_share_as_written():
    assert 0.29 * 100 < 29
    assert reject(np.arange(100), 0.29).sum() == 71


@pytest.mark.parametrize("ties", [False, True])
def test_risk_by_definition(ties):
    """The mean over random orders within ties, accepted one by one."""
    correct, uncertainty = made_case(12, ties)
    rng, risks = np.random.default_rng(0), []
    for _ in range(4000):
        order = sorted(range(12), key=lambda row: (uncertainty[row], rng.random()))
        risks.append([sum(not correct[row] for row in order[: k + 1]) / (k + 1) for k in range(12)])
    curve = risk_coverage(correct, uncertainty)
    spread = np.std(risks, axis=0) / np.sqrt(len(risks))
    np.testing.assert_array_less(np.abs(curve.risk - np.mean(risks, axis=0)), 4 * spread + 1e-12)
    np.testing.assert_allclose(curve.coverage, [(k + 1) / 12 for k in range(12)])
    assert curve.area == pytest.approx(sum(curve.risk) / 12)


def test_tied_risk_by_hand():
    # surest: correct. Then a tie of two wrong ones and a correct one: on average 2/3 of an error for each accepted
    curve = risk_coverage([True, False, True, False], [0.0, 1.0, 1.0, 1.0])
    np.testing.assert_allclose(curve.risk, [0, (2 / 3) / 2, (4 / 3) / 3, 2 / 4])


def test_perfect_ordering_has_the_best_area():
    n, num_wrong = 2000, 500
    correct = np.arange(n) < n - num_wrong
    curve = risk_coverage(correct, np.arange(n))
    rate = num_wrong / n
    assert curve.excess == 0
    assert curve.area == pytest.approx(sum(j / (n - num_wrong + j) for j in range(1, num_wrong + 1)) / n)
    assert curve.area == pytest.approx(rate + (1 - rate) * math.log(1 - rate), abs=1 / n)  # Geifman et al. 2019


def test_excess_is_measured_from_the_best_ordering():
    correct, uncertainty = made_case(ties=True)
    curve, best = risk_coverage(correct, uncertainty), risk_coverage(correct, ~correct)
    perfect = risk_coverage(np.sort(correct)[::-1], np.arange(len(correct)))
    assert curve.excess == pytest.approx(curve.area - perfect.area)
    assert curve.excess > 0
    # one tie of all errors is as good as any order among them
    np.testing.assert_allclose(best.risk, perfect.risk)


def test_an_uninformative_uncertainty_has_the_error_rate_as_area():
    correct, _ = made_case(3000)
    rate = 1 - correct.mean()
    np.testing.assert_allclose(risk_coverage(correct, np.zeros(3000)).risk, rate)
    noise = np.random.default_rng(1).normal(size=3000)
    assert risk_coverage(correct, noise).area == pytest.approx(rate, abs=0.03)


@FEW
@given(SCORED, st.randoms(use_true_random=False))
def test_order_of_rows_and_monotone_transforms_change_nothing(scored, random):
    correct, uncertainty = unzip(scored)
    found = risk_coverage(correct, uncertainty)
    order = random.sample(range(len(scored)), len(scored))
    for again in (
        risk_coverage(correct[order], uncertainty[order]),
        risk_coverage(correct, np.exp(uncertainty) - 5),
        risk_coverage(correct, uncertainty**3 * 0.1),
    ):
        np.testing.assert_array_equal(again.risk, found.risk)
        assert (again.area, again.excess) == (found.area, found.excess)
    assert error_auroc(correct, np.exp(uncertainty) - 5) == error_auroc(correct, uncertainty)
    assert found.risk[-1] == np.mean(~correct)
    assert found.excess >= 0


@FEW
@given(st.integers(1, 60), st.integers(0, 999))
def test_risk_at_is_the_risk_left_by_reject(n, thousandths):
    rng = np.random.default_rng(n)
    correct, uncertainty = rng.random(n) < 0.6, rng.normal(size=n)
    share = thousandths / 1000
    kept = reject(uncertainty, share)
    assert risk_at(risk_coverage(correct, uncertainty), 1 - share) == pytest.approx(np.mean(~correct[kept]))


def test_risk_at_the_ends():
    curve = risk_coverage([True, True, False, True], [0, 1, 2, 3])
    assert risk_at(curve, 1) == 0.25
    assert risk_at(curve, 0.51) == pytest.approx(1 / 3)
    assert risk_at(curve, 1e-12) == 0


@pytest.mark.parametrize("ties", [False, True])
def test_auroc_counts_pairs(ties):
    correct, uncertainty = made_case(ties=ties)
    gaps = uncertainty[~correct][:, None] - uncertainty[correct]
    found = error_auroc(correct, uncertainty)
    assert found == pytest.approx(((gaps > 0) + 0.5 * (gaps == 0)).mean())
    assert found == pytest.approx(roc_auc_score(~correct, uncertainty))
    assert found > 0.6
    assert error_auroc(correct, -uncertainty) == pytest.approx(1 - found)


def test_point_biserial_agrees_with_scipy():
    correct, uncertainty = made_case()
    found = point_biserial(correct, uncertainty)
    reference = stats.pearsonr(correct.astype(float), uncertainty)
    assert found.value == pytest.approx(reference.statistic)
    assert found.value < 0
    assert found[1:] == pytest.approx(tuple(reference.confidence_interval(0.95)), abs=1e-6)


def test_spearman_agrees_with_scipy():
    correct, uncertainty = made_case(ties=True)
    found = spearman(correct, uncertainty)
    assert found.value == pytest.approx(stats.pearsonr(stats.rankdata(correct), stats.rankdata(uncertainty))[0])
    half = 1.959964 * np.sqrt((1 + found.value**2 / 2) / 197)
    assert np.arctanh(found[1:]) == pytest.approx([np.arctanh(found.value) - half, np.arctanh(found.value) + half])


@pytest.mark.parametrize("function", [point_biserial, spearman])
def test_the_interval_covers_the_correlation_of_the_population(function):
    rng = np.random.default_rng(5)

    def drawn(n):
        correct = rng.random(n) < 0.7
        return correct, rng.normal(size=n) + ~correct

    truth = function(*drawn(200_000)).value
    found = [function(*drawn(150)) for _ in range(200)]
    covered = np.mean([one.low <= truth <= one.high for one in found])
    assert 0.89 <= covered <= 0.995


@pytest.mark.parametrize("function", [point_biserial, spearman])
def test_groups_of_samples_are_resampled_as_one(function):
    """Of 20 objects all views are right or wrong together: 1,440 samples say no more than 20."""
    rng = np.random.default_rng(3)

    def drawn(number, views):
        correct = rng.random(number) < 0.6
        unsure = rng.normal(size=number) + 0.8 * ~correct
        objects = np.repeat(np.arange(number), views)
        return correct[objects], unsure[objects] + 0.01 * rng.normal(size=len(objects)), objects

    truth = function(*drawn(200_000, 1)[:2]).value
    cases = [drawn(20, 72) for _ in range(80)]
    whole = [function(*case) for case in cases]
    single = [function(*case[:2]) for case in cases]
    covered, not_covered = (np.mean([one.low <= truth <= one.high for one in of]) for of in (whole, single))
    assert covered > 0.87
    assert not_covered < 0.4
    assert [one.value for one in whole] == [one.value for one in single]


@pytest.mark.parametrize("function", [point_biserial, spearman])
def test_groups_of_one_sample_give_the_usual_interval(function):
    correct, uncertainty = made_case()
    grouped, plain = function(correct, uncertainty, np.arange(len(correct))), function(correct, uncertainty)
    assert grouped == pytest.approx(plain, abs=0.04)
    assert function(correct, uncertainty, np.zeros(len(correct)))[1:] == pytest.approx((plain.value,) * 2)
    with pytest.raises(InputError, match=r"groups must have shape \(200,\), one for each sample, got \(3,\)"):
        function(correct, uncertainty, [1, 2, 3])


def test_short_and_perfect_correlations():
    assert spearman([True, False, True], [0, 1, 2])[1:] == (-1, 1)
    assert point_biserial([True, False, True], [0.1, 0.2, 0.1])[1:] == (-1, 1)
    assert spearman([True, False, True, False], [0, 1, 0, 1]) == pytest.approx((-1, -1, -1))


def test_groups_agree_with_the_formulas():
    correct, uncertainty = made_case()
    found = compare_groups(correct, uncertainty)
    sure, unsure = uncertainty[correct], uncertainty[~correct]
    assert found[:2] == (pytest.approx(sure.mean()), pytest.approx(unsure.mean()))
    parts = sure.var(ddof=1) / len(sure), unsure.var(ddof=1) / len(unsure)
    t = (unsure.mean() - sure.mean()) / np.sqrt(sum(parts))
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / (len(sure) - 1) + parts[1] ** 2 / (len(unsure) - 1))
    assert found.welch == pytest.approx((t, 2 * stats.t.sf(t, freedom)))
    assert found.mann_whitney == pytest.approx(tuple(stats.mannwhitneyu(unsure, sure)))
    assert found.mann_whitney[0] / (len(sure) * len(unsure)) == pytest.approx(error_auroc(correct, uncertainty))


def test_what_is_not_defined_is_none():
    for correct in ([True] * 5, [False] * 5):
        assert [function(correct, [0, 1, 2, 3, 4]) for function in ALL[1:]] == [None] * 4
    mixed = [True, False, True, True]
    assert point_biserial(mixed, [0.1] * 4) is None
    assert spearman(mixed, [0.1] * 4) is None
    assert compare_groups(mixed, [0, 1, 2, 3]).welch is None
    assert compare_groups([True, True, False, False], [0.1, 0.1, 0.3, 0.3]).welch is None
    assert error_auroc(mixed, [0.1] * 4) == 0.5


def test_values_that_all_tie_tell_no_order() -> None:
    assert compare_groups([True, False] * 20, [0.5] * 40).mann_whitney == (200, 1)


@pytest.mark.parametrize("function", ALL)
def test_bad_input(function):
    for correct, uncertainty, message in (
        ([True, False], [1.0], r"correct must have shape \(1,\) like uncertainty, got \(2,\)"),
        ([True, False], [1.0, np.nan], "uncertainty must hold finite"),
        ([True, False], [1.0, np.inf], "uncertainty must hold finite"),
        ([], [], "uncertainty must be one-dimensional and not empty"),
        ([[True]], [[1.0]], "uncertainty must be one-dimensional"),
        ([3, 1], [1.0, 2.0], "correct must hold True or False"),
    ):
        with pytest.raises(InputError, match=message):
            function(correct, uncertainty)


@pytest.mark.parametrize("share", [1, -0.1, np.nan])
def test_bad_shares(share):
    with pytest.raises(InputError, match="share must be at least 0 and below 1, got"):
        reject([1.0, 2.0], share)
    with pytest.raises(InputError, match="coverage must be above 0 and at most 1, got"):
        risk_at(risk_coverage([True], [1.0]), 1 - share if share == 1 else share)


def test_reject_checks_the_uncertainty():
    with pytest.raises(InputError, match="uncertainty must hold finite"):
        reject([1.0, np.nan], 0.5)
    with pytest.raises(InputError, match="not empty"):
        reject([], 0.5)
