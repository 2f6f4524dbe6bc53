"""Temperature scaling, on mixtures whose posterior is known."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax, softmax
from sklearn.metrics import log_loss

from vaeclust_jax.errors import InputError
from vaeclust_jax.uncertainty.calibration import expected_calibration_error
from vaeclust_jax.uncertainty.temperature import fit_temperature, scale, stability_temperature

MEANS = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]])


def mixture(n, assumed_variance=1.0, seed=3):
    """Labels of a mixture of unit Gaussians, and the posterior of a model that assumes another variance."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n)
    x = MEANS[y] + rng.normal(size=(n, 2))
    return log_softmax(-((x[:, None] - MEANS) ** 2).sum(-1) / (2 * assumed_variance), axis=1), y


def calibration_error(log_q, y):
    return expected_calibration_error(np.exp(log_q).max(axis=1), log_q.argmax(axis=1) == y)


def draw(log_q, times, seed=0):
    """Votes of shape (times, n) from the rows of q."""
    noise = np.random.default_rng(seed).gumbel(size=(times, *log_q.shape))
    return (log_q + noise).argmax(axis=-1)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.01, 100), st.integers(0, 1000))
def test_scale_is_the_softmax_of_the_quotient(temperature, seed):
    log_q = log_softmax(np.random.default_rng(seed).normal(size=(5, 4)) * 3, axis=1)
    found = scale(log_q, temperature)
    np.testing.assert_allclose(np.exp(found), softmax(log_q / temperature, axis=1), atol=1e-12)
    assert (found.argmax(axis=1) == log_q.argmax(axis=1)).all()


def test_scale_at_the_limits():
    log_q, _ = mixture(50)
    np.testing.assert_allclose(scale(log_q, 1), log_q)
    np.testing.assert_allclose(np.exp(scale(log_q, 1e9)), 1 / 3, rtol=1e-6)
    for temperature in (1e-9, 1e-300):
        np.testing.assert_allclose(np.exp(scale(log_q, temperature)).max(axis=1), 1)
    np.testing.assert_allclose(scale(scale(log_q, 2), 3), scale(log_q, 6))


@pytest.mark.parametrize("make", [np.asarray, jnp.asarray])
def test_scale_is_safe_in_float32(make):
    log_q = make(np.array([[0.0, -3e38, -1e5], [-1e30, -1e30, -2e30]], np.float32))
    for temperature in (1e-40, 1e-2, 1.0):
        found = scale(log_q, temperature)
        assert found.dtype == np.float32
        np.testing.assert_allclose(np.exp(found), [[1, 0, 0], [0.5, 0.5, 0]], atol=1e-6)
    assert scale(log_q[None], 2.0).shape == (1, 2, 3)


def test_the_exact_posterior_needs_no_temperature():
    assert fit_temperature(*mixture(40_000)) == pytest.approx(1, abs=0.02)


def test_the_fit_repairs_an_over_confident_model():
    log_q, y = mixture(40_000, assumed_variance=1 / 3)
    unseen, y_unseen = mixture(40_000, assumed_variance=1 / 3, seed=4)
    temperature = fit_temperature(log_q, y)
    assert temperature == pytest.approx(3, abs=0.06)
    assert calibration_error(unseen, y_unseen) > 0.1
    assert calibration_error(scale(unseen, temperature), y_unseen) < 0.01


def test_no_other_temperature_is_more_likely():
    log_q, y = mixture(300, assumed_variance=0.5)
    best = fit_temperature(log_q, y)
    losses = {t: log_loss(y, np.exp(scale(log_q, t))) for t in best * np.geomspace(0.01, 100, 401)}
    assert min(losses, key=losses.get) == pytest.approx(best)
    # at the optimum the labels' logits have the mean that q expects of them
    expected = (np.exp(scale(log_q, best)) * log_q).sum(axis=1).mean()
    assert log_q[np.arange(300), y].mean() == pytest.approx(expected, rel=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.floats(0.2, 5), st.floats(-50, 50))
def test_logits_may_be_scaled_and_shifted(factor, shift):
    log_q, y = mixture(200)
    assert fit_temperature(factor * log_q + shift, y) == pytest.approx(factor * fit_temperature(log_q, y), rel=1e-6)


def test_unknown_labels_are_ignored():
    log_q, y = mixture(400)
    partly = np.where(np.arange(400) < 100, y, -1)
    assert fit_temperature(log_q, partly) == pytest.approx(fit_temperature(log_q[:100], y[:100]))


def test_models_share_one_temperature():
    log_q, y = mixture(500)
    other, y_other = mixture(500, assumed_variance=0.4, seed=9)
    pooled = fit_temperature(np.concatenate([log_q, other]), np.concatenate([y, y_other]))
    assert fit_temperature(np.stack([log_q, other]), np.stack([y, y_other])) == pytest.approx(pooled)
    shared = fit_temperature(np.stack([log_q, 3 * log_q]), y)
    assert shared == pytest.approx(fit_temperature(np.stack([log_q, 3 * log_q]), np.stack([y, y])))


@pytest.mark.parametrize(
    ("log_q", "labels"),
    [
        (mixture(50)[0], mixture(50)[0].argmax(axis=1)),  # all right: T falls to 0
        (mixture(50)[0], mixture(50)[0].argmin(axis=1)),  # worse than chance: T rises without end
        (np.full((6, 3), -np.log(3)), np.arange(6) % 3),  # every T is as good
    ],
)
def test_no_best_temperature_is_none(log_q, labels):
    assert fit_temperature(log_q, labels) is None
    assert fit_temperature(log_q.astype(np.float32) * 1000, labels) is None
    assert stability_temperature(log_q, np.stack([labels] * 7)) is None


def test_votes_are_labels_of_repeated_samples():
    log_q, _ = mixture(300)
    votes = np.where(np.random.default_rng(1).random((4, 300)) < 0.3, -1, draw(log_q, 4))
    expected = fit_temperature(np.stack([log_q] * 4), votes)
    assert stability_temperature(log_q, votes) == pytest.approx(expected)


def test_stability_repairs_a_model_whose_seeds_disagree_as_they_should():
    exact, y = mixture(5000)
    temperature = stability_temperature(3 * exact, draw(exact, 4))
    assert temperature == pytest.approx(3, abs=0.1)
    assert calibration_error(scale(3 * exact, temperature), y) < 0.02


def test_draws_from_the_model_itself_cannot_correct_it():
    log_q, y = mixture(10_000, assumed_variance=1 / 3)
    assert calibration_error(log_q, y) > 0.1
    assert stability_temperature(log_q, draw(log_q, 4)) == pytest.approx(1, abs=0.03)


def test_an_error_that_all_seeds_share_is_invisible():
    log_q, y = mixture(10_000)
    rng = np.random.default_rng(2)
    # half of what every seed takes for class 0 is of another class
    true = np.where((y == 0) & (rng.random(10_000) < 0.5), 1, y)
    temperature = stability_temperature(log_q, draw(log_q, 4))
    assert temperature == pytest.approx(1, abs=0.03)
    assert calibration_error(log_q, y) < 0.02
    assert calibration_error(scale(log_q, temperature), true) > 0.08
    repaired = fit_temperature(log_q, true)
    assert repaired > 1.3
    assert calibration_error(scale(log_q, repaired), true) < calibration_error(log_q, true) / 1.5


@pytest.mark.parametrize("temperature", [0, -1, np.nan, np.inf])
def test_bad_temperatures(temperature):
    with pytest.raises(InputError, match="temperature must be a finite number above 0, got"):
        scale(np.zeros((2, 3)), temperature)


@pytest.mark.parametrize(
    ("log_q", "labels", "message"),
    [
        (np.zeros((2, 3)), [0, 1, 2], r"labels must have one entry per row of log_q \(2, 3\), got shape \(3,\)"),
        (np.zeros((2, 3)), [[0, 1]], "labels must have one entry per row"),
        (np.zeros((2, 3)), [0, 3], "labels must hold clusters from 0 to 2, or -1"),
        (np.zeros((2, 3)), [0, -2], "labels must hold clusters from 0 to 2, or -1"),
        (np.zeros((2, 3)), [0.0, 1.0], "labels must hold whole numbers"),
        (np.zeros((2, 3)), [-1, -1], "labels must hold at least one cluster"),
        (np.array([[0.0, np.nan]]), [0], "log_q must hold finite"),
        (np.array([[0.0, -np.inf]]), [0], "log_q must hold finite"),
        (np.zeros((0, 3)), np.zeros(0, int), "log_q must have shape"),
        (np.zeros(3), [0], "log_q must have shape"),
    ],
)
def test_bad_labels(log_q, labels, message):
    with pytest.raises(InputError, match=message):
        fit_temperature(log_q, labels)


@pytest.mark.parametrize(
    ("log_q", "votes", "message"),
    [
        (np.zeros((2, 3)), [0, 1], r"votes must have shape \(voters, 2\), got \(2,\)"),
        (np.zeros((2, 3)), [[0, 1, 2]], r"votes must have shape \(voters, 2\), got \(1, 3\)"),
        (np.zeros((2, 3)), [[-1, -1]], "votes must hold at least one cluster"),
        (np.zeros((1, 2, 3)), [[0, 1]], r"log_q must have shape \(samples, clusters\)"),
    ],
)
def test_bad_votes(log_q, votes, message):
    with pytest.raises(InputError, match=message):
        stability_temperature(log_q, votes)
