"""Several methods over several datasets, by their ranks on each.

Demsar 2006, "Statistical comparisons of classifiers over multiple data sets", section 3.2. Scores of different
datasets cannot be averaged, ranks can. A score that is missing or not finite has no rank: it is an InputError.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vaeclust_jax.errors import InputError
from vaeclust_jax.metrics.statistics import Outcome


def average_ranks(scores: ArrayLike) -> NDArray[np.float64]:
    """Mean rank of each method over the datasets: 1 is the best (the highest score), ties share their mean rank.

    Args:
        scores: shape (datasets, methods), finite, higher is better.

    Returns:
        Shape (methods,), from 1 to the number of methods.

    Raises:
        InputError: `scores` has another shape, is empty or not finite.
    """
    from scipy.stats import rankdata

    ranks: NDArray[np.float64] = rankdata(-_check_scores(scores), axis=1).mean(axis=0)
    return ranks


def friedman(scores: ArrayLike) -> Outcome | None:
    """Test whether all methods are alike, by their ranks (Friedman 1937, with correction for ties).

    Its p is from the chi-squared distribution, which fits about 10 datasets and 5 methods or more; with fewer
    it is rough.

    Args:
        scores: shape (datasets, methods), finite.

    Returns:
        Chi-squared, p and methods - 1; None with fewer than 3 methods or 2 datasets, or if each dataset gives
        all methods the same score.

    Raises:
        InputError: `scores` has another shape, is empty or not finite.
    """
    table = _check_scores(scores)
    num_datasets, num_methods = table.shape
    if num_methods < 3 or num_datasets < 2 or (table == table[:, :1]).all():
        return None
    from scipy.stats import friedmanchisquare

    found = friedmanchisquare(*table.T)
    return Outcome(float(found.statistic), float(found.pvalue), float(num_methods - 1))


def critical_difference(num_methods: int, num_datasets: int, alpha: float = 0.05) -> float:
    """By how much two average ranks must differ for the methods to differ (Nemenyi 1963).

    q sqrt(k (k + 1) / (6 N)) for k methods and N datasets; q is the quantile of the studentised range with
    infinite degrees of freedom over sqrt(2) (Demsar 2006, table 5). It allows for all pairs being compared.

    Args:
        num_methods: at least 2.
        num_datasets: at least 1.
        alpha: the chance of a difference where there is none, in (0, 1).

    Raises:
        InputError: an argument is out of range.
    """
    if num_methods < 2 or num_datasets < 1:
        raise InputError(
            f"num_methods must be at least 2 and num_datasets at least 1, got {num_methods} and {num_datasets}."
        )
    if not 0 < alpha < 1:
        raise InputError(f"alpha must be in (0, 1), got {alpha}.")
    from scipy.stats import studentized_range

    q = float(studentized_range.ppf(1 - alpha, num_methods, math.inf)) / math.sqrt(2)
    return q * math.sqrt(num_methods * (num_methods + 1) / (6 * num_datasets))


def groups_not_different(ranks: Sequence[float], cd: float) -> list[tuple[int, ...]]:
    """The bars of a critical-difference diagram: the largest groups in which no two methods differ.

    Args:
        ranks: average rank of each method.
        cd: the critical difference; ranks that differ by as much are different.

    Returns:
        Groups of two or more indices into `ranks`, best first within and between them; groups may overlap.

    Raises:
        InputError: `ranks` is not a sequence of finite numbers, or `cd` is not positive.
    """
    values = np.asarray(ranks, dtype=np.float64)
    if values.ndim != 1 or not np.isfinite(values).all():
        raise InputError(f"ranks must be a sequence of finite numbers, got {ranks!r}.")
    if not cd > 0:
        raise InputError(f"cd must be positive, got {cd}.")
    order = np.argsort(values, kind="stable")
    groups: list[tuple[int, ...]] = []
    last_end = 0
    for start, method in enumerate(order):
        end = start + int((values[order[start:]] - values[method] < cd).sum())
        if end - start > 1 and end > last_end:
            groups.append(tuple(order[start:end].tolist()))
        last_end = end
    return groups


def _check_scores(scores: ArrayLike) -> NDArray[np.float64]:
    table = np.asarray(scores, dtype=np.float64)
    if table.ndim != 2 or not table.size:
        raise InputError(f"scores must have shape (datasets, methods), not empty, got {table.shape}.")
    if not np.isfinite(table).all():
        raise InputError("scores must hold finite numbers only, got None, NaN or infinity.")
    return table
