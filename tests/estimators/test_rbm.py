"""The estimator RBM beside scikit-learn's BernoulliRBM, whose quantities it has."""

import warnings

import numpy as np
import pytest
from sklearn.neural_network import BernoulliRBM

import vaeclust_jax as vc
from vaeclust_jax.estimators import RBM

pytestmark = pytest.mark.long


def patterns(rows: int = 200) -> np.ndarray:
    draws = np.random.default_rng(0)
    shown = np.array([[1, 1, 1, 0, 0, 0], [0, 0, 1, 1, 1, 0]])[draws.integers(0, 2, rows)]
    return np.where(draws.random(shown.shape) < 0.05, 1 - shown, shown).astype(np.float32)


@pytest.fixture(scope="module")
def fitted() -> RBM:
    return RBM(3, n_iter=30, random_state=0).fit(patterns())


def theirs(model: RBM) -> BernoulliRBM:
    """scikit-learn's with our weights."""
    other = BernoulliRBM(3, n_iter=1, random_state=0).fit(patterns())
    other.components_ = model.components_.astype(np.float32)
    other.intercept_visible_, other.intercept_hidden_ = model.intercept_visible_, model.intercept_hidden_
    return other


def test_codes_are_those_that_scikit_learn_gives_our_weights(fitted: RBM) -> None:
    x = patterns()
    np.testing.assert_allclose(fitted.transform(x), theirs(fitted).transform(x), atol=1e-5)
    assert list(fitted.get_feature_names_out()) == ["rbm0", "rbm1", "rbm2"]


def test_the_score_is_what_scikit_learn_estimates(fitted: RBM) -> None:
    x = patterns(5)
    other = theirs(fitted)
    drawn = []
    for seed in range(1500):
        other.random_state = seed
        drawn.append(other.score_samples(x))
    error = np.std(drawn, axis=0) / np.sqrt(len(drawn))
    assert (np.abs(np.mean(drawn, axis=0) - fitted.score_samples(x)) < 5 * error + 1e-3).all()
    assert fitted.score(x) == pytest.approx(fitted.score_samples(x).mean())


def test_likelihoods_sum_to_one(fitted: RBM) -> None:
    every = ((np.arange(64)[:, None] >> np.arange(6)) & 1).astype(np.float32)
    assert np.exp(fitted.log_likelihood(every, 500)).sum() == pytest.approx(1, abs=0.1)


def test_it_draws_and_restores(fitted: RBM) -> None:
    x = patterns(20)
    for drawn in (fitted.gibbs(x, 3), fitted.sample(20)):
        assert drawn.shape == (20, 6)
        assert set(np.unique(drawn)) <= {0, 1}
    known = np.array([True, True, True, False, True, True])
    assert (fitted.restore(x, known, 50)[:, known] == x[:, known]).all()
    with pytest.raises(vc.InputError, match="known is True everywhere"):
        fitted.restore(x, np.ones(6, bool))


def test_rows_unlike_those_of_training_are_said(fitted: RBM) -> None:
    x, known = patterns(20), np.arange(6) > 0
    for ask in (fitted.transform, fitted.score, fitted.log_likelihood, fitted.gibbs):
        with pytest.warns(vc.InputWarning, match="20 of 20 rows lie far outside the range of the training rows"):
            ask(255 * x + 9)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted.restore(np.where(known, x, -99), known, 5)  # nobody asks what the unknown values are


def test_counts_are_counts(fitted: RBM) -> None:
    x, known = patterns(3), np.arange(6) > 0
    for steps in (0, 1.5):
        for ask in (lambda n: fitted.gibbs(x, n), lambda n: fitted.restore(x, known, n)):
            with pytest.raises(vc.InputError, match=rf"^n_steps must be a whole number of at least 1, got {steps}"):
                ask(steps)
    with pytest.raises(vc.InputError, match=r"^n_samples must be a whole number of at least 1, got 0"):
        fitted.sample(0)
    with pytest.raises(vc.InputError, match=r"^n_temperatures must be at least 2, got 0"):
        fitted.log_likelihood(x, 0)


def test_values_outside_of_0_to_1_are_scaled_by_their_extremes() -> None:
    x = patterns()
    one, other = (RBM(3, n_iter=2, random_state=0).fit(rows) for rows in (x, 10 * x - 3))
    np.testing.assert_allclose(one.components_, other.components_, atol=1e-6)
