"""Errors of forecasts: those that run away are the largest, and are not left out."""

import numpy as np
import pytest

from vaeclust_jax.metrics.forecasts import median, nmse
from vaeclust_jax.studies.forecasting import _over_origins, _scores

TRUTH = np.array([[1.0, 3.0], [2.0, 2.0], [0.0, 4.0]])


def test_the_mean_of_the_truth_has_one() -> None:
    means = np.repeat(TRUTH.mean(axis=1, keepdims=True), 2, axis=1)
    assert nmse(means, TRUTH) == pytest.approx([1, np.nan, 1], nan_ok=True)


@pytest.mark.parametrize("away", [np.inf, np.nan, 1e200])
def test_what_runs_away_is_infinite_and_what_does_not_change_is_not_defined(away: float) -> None:
    forecasts = np.full((3, 2), away)
    assert nmse(forecasts, TRUTH).tolist() == pytest.approx([np.inf, np.nan, np.inf], nan_ok=True)


@pytest.mark.parametrize(
    ("errors", "wanted"),
    [([], None), ([0.5, 0.1, 0.3], 0.3), ([0.5, None, 0.3], 0.5), ([np.inf, None, 0.3], None)],
)
def test_a_median_counts_what_ran_away(errors: list[float | None], wanted: float | None) -> None:
    assert median(errors) == wanted


def test_later_origins_count_what_ran_away_and_not_what_does_not_change() -> None:
    truth = np.arange(6.0).reshape(3, 2)
    assert _scores(np.array([0.5, 0.1, np.inf]), truth).later is None
    assert _scores(np.array([0.5, 0.1, np.nan]), truth).later == 0.1


def test_who_runs_away_at_an_origin_is_not_compared_without_it() -> None:
    steady, away = np.array([[0.5, 0.4, 0.3]]), np.array([[0.1, np.inf, 0.1], [0.1, 0.1, 0.1]])
    for pair in ((away, steady), (steady, away)):
        found = _over_origins(*pair, "other")
        assert (found.difference, found.p) == (None, None)
        assert found.reason == "a forecast ran away at 1 of 3 origins"
    still = np.array([1, np.nan, 1])  # the truth does not change at the second
    assert _over_origins(steady * still, 10 * steady * still, "other").difference == pytest.approx(-1)
