"""Two methods compared by the one test that fits their scores."""

import math
from typing import NamedTuple

import numpy as np

from vaeclust_jax.metrics.statistics import (
    Interval,
    Outcome,
    Scores,
    around,
    hedges_g,
    mean_difference,
    paired_differences,
    paired_effect,
    paired_t,
    t_interval,
    welch,
    why_no_spread,
)


class Comparison(NamedTuple):
    """How two methods differ; what is not defined is None.

    Attributes:
        difference: mean of a - mean of b.
        interval: 95 %, of the difference, by the t of the test.
        welch: of independent samples.
        paired, paired_effect: of pairs.
        hedges_g: of either; it does not use the pairs.
        reason: why there is no test, in words; None where there is one.
    """

    difference: float | None
    interval: Interval | None = None
    welch: Outcome | None = None
    paired: Outcome | None = None
    hedges_g: float | None = None
    paired_effect: float | None = None
    reason: str | None = None


def compare(a: Scores, b: Scores, *, paired: bool = True) -> Comparison:
    """Compare the scores of two methods: by their pairs, or as independent samples.

    Args:
        a, b: the scores of two methods, one per seed or dataset.
        paired: whether a[i] and b[i] share what is random, such as a seed that starts both; then their differences
            must be independent of each other, else all the scores.

    Raises:
        InputError: the lengths differ although `paired`, or the scores are not a sequence of numbers.
    """
    difference, effect = mean_difference(a, b), hedges_g(a, b)
    if paired:
        found = paired_differences(a, b)
        differences: Scores = [None] if found is None else found.tolist()
        if (reason := why_no_spread(differences)) is not None:
            return Comparison(difference, hedges_g=effect, reason=reason)
        interval, test = t_interval(differences), paired_t(a, b)
        return Comparison(difference, interval, paired=test, hedges_g=effect, paired_effect=paired_effect(a, b))
    test = welch(a, b)
    if difference is None or test is None:
        reasons = (why_no_spread(a), why_no_spread(b))
        return Comparison(difference, reason=next(filter(None, reasons)))
    return Comparison(difference, _welch_interval(difference, test, a, b), test, hedges_g=effect)


def _welch_interval(difference: float, test: Outcome, *samples: Scores) -> Interval:
    assert test.df is not None
    error = math.sqrt(sum(np.var(np.asarray(one, float), ddof=1) / len(one) for one in samples))
    return around(difference, error, test.df)
