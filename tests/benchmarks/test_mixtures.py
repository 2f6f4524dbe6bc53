"""M1 and M2: every row of a short run, and the checks that hold both sides to the same result."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks.case import Case, Effort
from benchmarks.cases import mixtures
from benchmarks.cases.mixtures import CASES, check_inertia, check_mixtures
from vaeclust_jax.objectives.em import MixtureFit

THREADS = {"scikit-learn, one thread", "scikit-learn, all threads"}
ROWS = {"M1": 2, "M2": 4}


@pytest.mark.long
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_row_of_a_short_run(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mixtures, "RESTARTS", 2)
    rows = list(case.run(Effort("smoke", 1)))
    assert len(rows) == ROWS[case.name]
    for row in rows:
        assert row.case == case.name
        assert "2 restarts" in row.what
        assert row.ratio is not None
        assert row.ratio > 0
        assert {row.peer_name, *row.details["slower_peers_seconds"]} == THREADS


def ours(bounds: list[float], steps: list[int]) -> MixtureFit:
    history = np.stack([[bound - 1, bound] for bound in bounds])
    return MixtureFit(None, np.array(bounds), np.array(steps), np.ones(len(steps), bool), history)


def peers(bounds: list[float], steps: list[int]) -> list[Any]:
    return [SimpleNamespace(lower_bound_=bound, n_iter_=count) for bound, count in zip(bounds, steps, strict=True)]


def test_mixtures_must_have_the_same_likelihood_after_as_many_steps() -> None:
    expected = peers([-9.0, -7.0], [20, 30])
    check_mixtures(ours([-9.00005, -7.0], [21, 29]), expected)
    with pytest.raises(AssertionError, match="likelihoods must be"):
        check_mixtures(ours([-9.0, -7.0002], [20, 30]), expected)
    with pytest.raises(AssertionError, match="steps must be"):
        check_mixtures(ours([-9.0, -7.0], [20, 32]), expected)


def test_clusterings_must_have_the_same_inertia() -> None:
    check_inertia(np.array([100.005, 90.0]), np.array([100.0, 90.0]))
    with pytest.raises(AssertionError, match="inertia must be"):
        check_inertia(np.array([100.0, 90.02]), np.array([100.0, 90.0]))
