"""Models whose probabilities say how often other seeds agree."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment, minimize_scalar
from scipy.special import log_softmax, softmax

import vaeclust_jax as vc
from tests.fitting.made import blobs, config


@pytest.fixture(scope="module")
def runs() -> list[vc.Run]:
    """Seeds that differ: the groups touch."""
    return vc.fit_seeds(config(joint_epochs=0), touching(), range(3))


def touching() -> np.ndarray:
    x = blobs()[0]
    return (x + np.random.default_rng(5).normal(0, 2 * x.std(), x.shape)).astype(np.float32)


def test_each_temperature_is_the_likeliest_under_the_votes_of_the_others(runs: list[vc.Run]) -> None:
    x = touching()
    found = vc.calibrated(runs, x)
    log_q = [run.log_assign(run.embed(x)).astype(float) for run in runs]
    for own, run in enumerate(found):
        votes = []
        for other in range(3):
            if other != own:
                order = linear_sum_assignment(np.exp(log_q[own]).T @ np.exp(log_q[other]), maximize=True)[1]
                votes.append(log_q[other][:, order].argmax(axis=1))

        def loss(log_t: float, own: int = own, votes: list[np.ndarray] = votes) -> float:
            scaled = log_softmax(log_q[own] / np.exp(log_t), axis=1)
            return -float(np.mean([scaled[np.arange(len(x)), vote].mean() for vote in votes]))

        best = np.exp(minimize_scalar(loss, bounds=np.log([1e-2, 1e2]), method="bounded", options={"xatol": 1e-9}).x)
        assert run.temperature == pytest.approx(best, rel=1e-3)
        expected = softmax(log_q[own] / run.temperature, axis=1)
        np.testing.assert_allclose(run.predict_proba(x), expected, rtol=1e-4, atol=1e-6)


def test_no_cluster_changes_and_calibrating_again_changes_nothing(runs: list[vc.Run]) -> None:
    x = touching()
    found = vc.calibrated(runs, x)
    assert [run.temperature for run in vc.calibrated(found, x)] == [run.temperature for run in found]
    for before, after in zip(runs, found, strict=True):
        assert after.temperature != 1
        np.testing.assert_array_equal(before.predict(x), after.predict(x))


def test_one_seed_stays_as_trained(runs: list[vc.Run]) -> None:
    assert vc.calibrated(runs[:1], touching())[0].temperature == 1


def test_what_cannot_vote_is_named(runs: list[vc.Run]) -> None:
    fewer = vc.fit(config(num_clusters=2, joint_epochs=0), touching(), 0)
    for given, words in (
        ([], r"runs must be a list of models, such as fit_seeds gives, got \[\]"),
        (runs[0], "runs must be a list of models"),
        ([runs[0], fewer], "runs must have the same number of clusters, got 2, 3"),
    ):
        with pytest.raises(vc.InputError, match=words):
            vc.calibrated(given, touching())  # type: ignore[arg-type]
