"""Does an uncertainty flag the errors: what remains wrong when the least certain assignments are rejected.

Rejection, risk, AUROC, Spearman's correlation and the U test depend on the order of the uncertainties alone, so
entropies and variances can be compared by them; the point-biserial correlation, means and t depend on the scale.
Intervals and p-values are over samples, taken as independent unless groups of them are given, of one fitted model: no
spread over seeds is in them.
"""

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vaeclust_jax.errors import InputError
from vaeclust_jax.metrics import match_clusters
from vaeclust_jax.uncertainty.calibration import check_numbers, check_scored

Z = 1.959964  # 95 % of a standard normal variable lie within


class RiskCoverage(NamedTuple):
    """What share of the accepted assignments is wrong, accepting from the surest on.

    Attributes:
        coverage: shape (n,), shares accepted: 1 / n, 2 / n, ... 1.
        risk: shape (n,), the share of wrong ones among those accepted.
        area: AURC, the mean of `risk`; lower is better.
        excess: E-AURC, `area` less that of the best ordering, in which all errors come last; 0 is perfect.
    """

    coverage: NDArray[np.float64]
    risk: NDArray[np.float64]
    area: float
    excess: float


class Correlation(NamedTuple):
    """A correlation and its approximate 95 % confidence interval."""

    value: float
    low: float
    high: float


class Groups(NamedTuple):
    """The uncertainties of wrong assignments against those of correct ones; p-values are two-sided.

    Attributes:
        mean_correct: mean uncertainty where the assignment is correct.
        mean_wrong: mean uncertainty where it is wrong.
        welch: (t, p), t positive when the wrong ones are less certain; None when a group has one sample or
            neither varies.
        mann_whitney: (U, p), U of the wrong ones; U / (wrong * correct) is the `error_auroc`.
    """

    mean_correct: float
    mean_wrong: float
    welch: tuple[float, float] | None
    mann_whitney: tuple[float, float]


def correctness(y: ArrayLike, labels: ArrayLike) -> NDArray[np.bool_]:
    """Whether the cluster of each sample is matched to its class, one to one so that most are; the mean is ACC.

    Args:
        y: shape (n,), class numbers.
        labels: shape (n,), cluster ids; the samples of unmatched clusters count as wrong.

    Raises:
        InputError: an argument does not hold numbers from 0, or they have different lengths.
    """
    match = match_clusters(y, labels)
    return np.array([match[int(label)] for label in np.asarray(labels)]) == np.asarray(y)


def reject(uncertainty: ArrayLike, share: float) -> NDArray[np.bool_]:
    """Mark the samples that are kept when the least certain ones are rejected.

    Args:
        uncertainty: shape (n,), higher is less sure.
        share: how many to reject, 0 <= share < 1; floor(share n) samples exactly. Of equally uncertain ones the
            later rows are rejected first.

    Returns:
        Shape (n,), True where kept.

    Raises:
        InputError: `share` is out of range, or `uncertainty` is empty, not one-dimensional or not finite.
    """
    values = check_numbers("uncertainty", uncertainty)
    if not 0 <= share < 1:
        raise InputError(f"share must be at least 0 and below 1, got {share}.")
    n = len(values)
    # 0.29 * 100 is 28.999... in binary; rounding up must not reject everything either
    num_rejected = min(math.floor(round(share * n, 9)), n - 1)
    kept = np.zeros(n, dtype=bool)
    kept[np.argsort(values, kind="stable")[: n - num_rejected]] = True
    return kept


def risk_coverage(correct: ArrayLike, uncertainty: ArrayLike) -> RiskCoverage:
    """Follow the share of errors while more and more uncertain assignments are accepted.

    Source: Geifman and El-Yaniv 2017, "Selective classification for deep neural networks", section 2, for risk
    and coverage; Geifman, Uziel and El-Yaniv 2019, "Bias-reduced uncertainty estimation for deep neural
    classifiers", for the areas. There the best area is approximated for many samples; here it is exact.

    Args:
        correct: shape (n,), whether each assignment is correct.
        uncertainty: shape (n,), higher is less sure. Equally uncertain samples share their expected risk, that
            of accepting them in random order, so the order of the rows does not matter.

    Raises:
        InputError: the arguments are empty, of different lengths or not finite, or `correct` is not boolean.
    """
    values, right = check_scored("uncertainty", uncertainty, correct)
    _, group, size = np.unique(values, return_inverse=True, return_counts=True)
    wrong = np.bincount(group, weights=~right)
    group = np.sort(group)
    accepted = np.arange(1, len(values) + 1)
    before, wrong_before = np.cumsum(size) - size, np.cumsum(wrong) - wrong
    errors = wrong_before[group] + wrong[group] * (accepted - before[group]) / size[group]
    risk = errors / accepted
    area = float(risk.mean())
    best = float((np.maximum(accepted - right.sum(), 0) / accepted).mean())
    return RiskCoverage(accepted / len(values), risk, area, area - best)


def risk_at(curve: RiskCoverage, coverage: float) -> float:
    """Read the risk where at least this share of the samples is accepted: ceil(coverage n) of them.

    Args:
        curve: of `risk_coverage`.
        coverage: above 0, up to 1; 1 - s is the risk left after `reject` of a share s.

    Raises:
        InputError: `coverage` is out of range.
    """
    if not 0 < coverage <= 1:
        raise InputError(f"coverage must be above 0 and at most 1, got {coverage}.")
    num_accepted = max(math.ceil(round(coverage * len(curve.risk), 9)), 1)
    return float(curve.risk[num_accepted - 1])


def error_auroc(correct: ArrayLike, uncertainty: ArrayLike) -> float | None:
    """Area under the ROC curve of the question "is this assignment wrong?", answered by the uncertainty.

    It is the probability that a wrong assignment is less certain than a correct one, ties counting one half:
    0.5 is chance. It does not depend on how many errors there are, as AURC does.

    Args:
        correct, uncertainty: as `risk_coverage`.

    Returns:
        None when all are correct or all are wrong.

    Raises:
        InputError: as `risk_coverage`.
    """
    from sklearn.metrics import roc_auc_score

    values, right = check_scored("uncertainty", uncertainty, correct)
    return None if _constant(right) else float(roc_auc_score(~right, values))


def point_biserial(correct: ArrayLike, uncertainty: ArrayLike, groups: ArrayLike | None = None) -> Correlation | None:
    """Pearson's correlation of being correct (0 or 1) with the uncertainty: negative when it flags errors.

    The interval is Fisher's, tanh(artanh r +- 1.96 / sqrt(n - 3)). It is derived for two normal variables, which
    a yes-or-no variable is not: take it as approximate. It is -1 to 1 for fewer than four samples.

    Args:
        correct, uncertainty: as `risk_coverage`.
        groups: shape (n,), of samples that are not independent, such as views of one object: the interval is then the
            middle 95 % of 1,999 resamples of whole groups.

    Returns:
        None when either is constant.

    Raises:
        InputError: as `risk_coverage`, or `groups` has another length.
    """
    from scipy.stats import pointbiserialr

    values, right = check_scored("uncertainty", uncertainty, correct)
    if _constant(right) or _constant(values):
        return None
    with _rounding_is_no_news():
        value = float(pointbiserialr(right, values).statistic)
    if groups is not None:
        return Correlation(value, *_resampled(right, values, groups))
    return _with_interval(value, 1.0, len(values))


def spearman(correct: ArrayLike, uncertainty: ArrayLike, groups: ArrayLike | None = None) -> Correlation | None:
    """Spearman's rank correlation of being correct with the uncertainty: negative when it flags errors.

    Ranks of a yes-or-no variable are mostly ties, so even a perfect uncertainty stays well inside -1. The
    interval is Fisher's with the variance (1 + r^2 / 2) / (n - 3) of Bonett and Wright 2000, "Sample size
    requirements for estimating Pearson, Kendall and Spearman correlations", approximate here too. It is -1 to 1
    for fewer than four samples.

    Args:
        correct, uncertainty: as `risk_coverage`.
        groups: as `point_biserial`; the ranks are those among all samples.

    Returns:
        None when either is constant.

    Raises:
        InputError: as `risk_coverage`, or `groups` has another length.
    """
    from scipy.stats import rankdata, spearmanr

    values, right = check_scored("uncertainty", uncertainty, correct)
    if _constant(right) or _constant(values):
        return None
    value = float(spearmanr(right, values).statistic)
    if groups is not None:
        return Correlation(value, *_resampled(right, rankdata(values), groups))
    return _with_interval(value, 1 + value**2 / 2, len(values))


def compare_groups(correct: ArrayLike, uncertainty: ArrayLike) -> Groups | None:
    """Test whether wrong assignments are less certain than correct ones.

    Welch's t-test compares the means without equal variances, the Mann-Whitney U test the order.

    Args:
        correct, uncertainty: as `risk_coverage`.

    Returns:
        None when all are correct or all are wrong.

    Raises:
        InputError: as `risk_coverage`.
    """
    from scipy.stats import mannwhitneyu, ttest_ind

    values, right = check_scored("uncertainty", uncertainty, correct)
    if _constant(right):
        return None
    sure, unsure = values[right], values[~right]
    welch = None
    if min(len(sure), len(unsure)) > 1 and not (_constant(sure) and _constant(unsure)):
        with _rounding_is_no_news():
            found = ttest_ind(unsure, sure, equal_var=False)
        welch = (float(found.statistic), float(found.pvalue))
    ranks = (len(sure) * len(unsure) / 2, 1.0)  # all tied, which scipy 1.18 has no p for
    if not _constant(values):
        order = mannwhitneyu(unsure, sure)
        ranks = (float(order.statistic), float(order.pvalue))
    return Groups(float(sure.mean()), float(unsure.mean()), welch, ranks)


def _resampled(right: NDArray[np.bool_], values: NDArray, groups: ArrayLike) -> tuple[float, float]:
    """The middle 95 % of Pearson's correlation over resamples of whole groups; -1 to 1 where none is defined."""
    if np.shape(groups) != values.shape:
        raise InputError(f"groups must have shape {values.shape}, one for each sample, got {np.shape(groups)}.")
    names, group = np.unique(np.asarray(groups), return_inverse=True)
    a, b = right - right.mean(), values - values.mean()
    sums = np.stack([np.bincount(group, weights=w) for w in (np.ones(len(a)), a, b, a * a, b * b, a * b)], axis=1)
    counts = np.random.default_rng(0).multinomial(len(names), np.full(len(names), 1 / len(names)), size=1999)
    n, a, b, aa, bb, ab = (counts @ sums).T
    spread = (aa - a * a / n) * (bb - b * b / n)
    defined = spread > 1e-12 * max(float(spread.max()), 1e-300)
    if not defined.any():
        return -1.0, 1.0
    found = (ab - a * b / n)[defined] / np.sqrt(spread[defined])
    low, high = np.percentile(found, (2.5, 97.5))
    return float(low), float(high)


@contextmanager
def _rounding_is_no_news() -> Iterator[None]:
    """A group in which all samples have nearly one value is usual here, as with votes; scipy warns of each."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def _constant(values: NDArray) -> bool:
    return bool((values == values[0]).all())


def _with_interval(value: float, factor: float, n: int) -> Correlation:
    """Add tanh(artanh r +- z sqrt(factor / (n - 3)))."""
    value = min(max(value, -1.0), 1.0)
    if n < 4:
        return Correlation(value, -1.0, 1.0)
    if abs(value) == 1:
        return Correlation(value, value, value)
    half = Z * math.sqrt(factor / (n - 3))
    return Correlation(value, math.tanh(math.atanh(value) - half), math.tanh(math.atanh(value) + half))
