"""What is tested finds differences that are none in at most one of twenty cases; what is not tested, in more."""

from typing import NamedTuple

import numpy as np
import pytest

from tests.studies.made_assignments import results_of
from vaeclust_jax.folder.records.clustering import ComparisonRecord
from vaeclust_jax.folder.records.scores import Origin
from vaeclust_jax.metrics import paired_t
from vaeclust_jax.studies.design import SHARED, VOTED
from vaeclust_jax.studies.tests import TESTED, comparisons

ORIGINS = {
    "deep": Origin(fit=0),
    "other network": Origin(fit=1),
    "its k-means": Origin(fit=0),
    "together": Origin(fit=0, together=True),
    "k-means on pixels": Origin(fit=None),
    "ward on pixels": Origin(fit=None),
}
MEAN, SPREAD, TRIALS = 0.8, 0.03, 80


class Trial(NamedTuple):
    rows: list[ComparisonRecord]
    voted: list[float]
    """p-values of paired tests against the seeds that voted, which are not made any more."""


def trial(rng: np.random.Generator, n: int) -> Trial:
    """Scores of methods that have all the same mean.

    Seeds share a part of their spread where they share a start. Those of a vote share its result, and move about it.
    """
    size = (len(TESTED), n)
    start = rng.normal(0, SPREAD, size)
    drawn = {
        "deep": start + rng.normal(0, SPREAD, size),
        "other network": start + rng.normal(0, 2 * SPREAD, size),
        "its k-means": start + rng.normal(0, SPREAD, size),
        "together": rng.normal(0, SPREAD, (len(TESTED), 1)) + rng.normal(0, SPREAD / 3, size),
        "k-means on pixels": rng.normal(0, SPREAD / 3, size),
        "ward on pixels": np.zeros((len(TESTED), 1)),
    }
    scores = {
        name: {metric: (MEAN + row).tolist() for metric, row in zip(TESTED, values, strict=True)}
        for name, values in drawn.items()
    }
    found = (paired_t(scores["deep"][metric], scores["together"][metric]) for metric in TESTED)
    return Trial(comparisons(results_of(scores), "deep", ORIGINS), [test.p for test in found if test is not None])


@pytest.mark.long
@pytest.mark.parametrize("n", [3, 5, 8])
def test_what_is_printed_rejects_a_true_null_in_at_most_one_of_twenty_cases(n: int) -> None:
    rng = np.random.default_rng(n)
    trials = [trial(rng, n) for _ in range(TRIALS)]
    rows = [row for one in trials for row in one.rows]
    assert {(row.second, row.reason) for row in rows if row.test is None} == {
        ("its k-means", SHARED),
        ("together", VOTED),
    }
    error = np.sqrt(0.05 * 0.95 / (TRIALS * len(TESTED)))
    for second in ("other network", "k-means on pixels", "ward on pixels"):
        p = [row.test.p for row in rows if row.second == second and row.test is not None]
        assert len(p) == TRIALS * len(TESTED)
        assert np.mean(np.array(p) < 0.05) < 0.05 + 2.5 * error, second
    false = [any(row.holm is not None and row.holm < 0.05 for row in one.rows) for one in trials]
    assert np.mean(false) < 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / TRIALS)  # any at all, of twelve
    shared = [row.interval for row in rows if row.second == "its k-means"]
    covered = np.mean([one is not None and one.low <= 0 <= one.high for one in shared])
    assert covered == pytest.approx(0.95, abs=2.5 * error)
    voted = [p for one in trials for p in one.voted]
    assert np.mean(np.array(voted) < 0.05) > 0.05 + 2.5 * error  # why they are not tested
