"""Reliability bins and calibration errors, on mixtures whose posterior is known."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax
from sklearn.calibration import calibration_curve

from vaeclust_jax.errors import InputError
from vaeclust_jax.uncertainty.calibration import expected_calibration_error, reliability

MEANS = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]])


def mixture(n, assumed_variance=1.0):
    """Confidence and correctness of a mixture of unit Gaussians under a model that assumes another variance."""
    rng = np.random.default_rng(7)
    y = rng.integers(0, 3, n)
    x = MEANS[y] + rng.normal(size=(n, 2))
    q = softmax(-((x[:, None] - MEANS) ** 2).sum(-1) / (2 * assumed_variance), axis=1)
    return q.max(axis=1), q.argmax(axis=1) == y


def by_loops(probability, correct, num_bins):
    """Guo et al. 2017, Eq. 3 and 5, sample by sample."""
    bins = [[] for _ in range(num_bins)]
    for p, right in zip(probability, correct, strict=True):
        bins[max(math.ceil(p * num_bins) - 1, 0)].append((p, right))
    rows = [(np.mean([p for p, _ in one]), np.mean([r for _, r in one]), len(one)) for one in bins if one]
    ece = sum(size / len(probability) * abs(a - c) for c, a, size in rows)
    return rows, ece, max(abs(a - c) for c, a, _ in rows)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 64), st.booleans()), min_size=1, max_size=50), st.sampled_from([1, 2, 8, 16]))
def test_bins_by_definition(rows, num_bins):
    """Sixty-fourths are exact in binary, so many samples lie on an edge of a bin."""
    probability, correct = np.array([p / 64 for p, _ in rows]), np.array([right for _, right in rows])
    found = reliability(probability, correct, num_bins)
    expected, ece, mce = by_loops(probability, correct, num_bins)
    np.testing.assert_allclose(np.transpose(found[:3]), expected)
    assert found.ece == pytest.approx(ece)
    assert found.mce == pytest.approx(mce)
    assert 0 <= found.ece <= found.mce + 1e-12
    accuracy, confidence = calibration_curve(correct, probability, n_bins=num_bins)
    np.testing.assert_allclose(found.accuracy, accuracy)
    np.testing.assert_allclose(found.confidence, confidence)


def test_calibration_error_by_hand():
    # 0.9 in two of four right: 0.4 off; 0.6 in one of one right: 0.4 off, the other way
    probability, correct = [0.9, 0.9, 0.9, 0.9, 0.6], [True, False, True, False, True]
    assert expected_calibration_error(probability, correct, 10) == pytest.approx(0.4)
    # in one bin the two errors cancel
    assert expected_calibration_error(probability, correct, 1) == pytest.approx(abs(0.6 - 0.84))


def test_intervals_are_wilsons():
    found = reliability([0.95] * 10 + [0.2] * 4, [True] * 7 + [False] * 3 + [False] * 4)
    z = 1.959964
    for row, (k, n) in enumerate([(0, 4), (7, 10)]):
        p = k / n
        centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
        assert (found.low[row], found.high[row]) == pytest.approx((centre - half, centre + half), abs=1e-6)


def test_the_exact_posterior_is_honest():
    probability, correct = mixture(40_000)
    found = reliability(probability, correct)
    chance = np.sqrt(found.confidence * (1 - found.confidence) / found.count)
    np.testing.assert_array_less(np.abs(found.accuracy - found.confidence), 4 * chance)
    # the mean of |normal| is sqrt(2 / pi) of its spread
    assert found.ece < 2 * math.sqrt(2 / math.pi) * np.average(chance, weights=found.count)
    assert np.mean((found.low <= found.confidence) & (found.confidence <= found.high)) >= 0.8


def test_the_error_of_an_honest_model_falls_with_the_samples():
    errors = [expected_calibration_error(*mixture(n)) for n in (300, 3000, 30_000)]
    assert errors[0] > 2 * errors[1] > 4 * errors[2] > 0


def test_too_small_a_variance_is_over_confident():
    probability, correct = mixture(40_000, assumed_variance=1 / 3)
    found = reliability(probability, correct)
    assert found.ece == pytest.approx(probability.mean() - correct.mean(), rel=0.02)
    assert found.ece > 0.1
    sure = found.confidence > 0.55  # near one third both models say the same
    assert (found.high[sure] < found.confidence[sure]).all()
    assert reliability(*mixture(40_000)).ece < found.ece / 10


def test_rounding_above_one_is_allowed():
    assert reliability([1 + 1e-7, 1.0], [True, True]).count.tolist() == [2]


@pytest.mark.parametrize(
    ("probability", "correct", "message"),
    [
        ([0.5], [True, False], "correct must have shape"),
        ([0.5, np.nan], [True, False], "probability must hold finite"),
        ([0.5, 1.1], [True, False], r"probability must lie in \[0, 1\], got values from 0.5 to 1.1"),
        ([0.5, -0.1], [True, False], r"probability must lie in \[0, 1\], got values from -0.1 to 0.5"),
        ([], [], "not empty"),
        ([0.5, 0.6], [1, 0], "correct must hold True or False"),
    ],
)
def test_bad_input(probability, correct, message):
    with pytest.raises(InputError, match=message):
        expected_calibration_error(probability, correct)


def test_bins_must_exist():
    with pytest.raises(InputError, match="num_bins must be at least 1, got 0"):
        reliability([0.5], [True], 0)
