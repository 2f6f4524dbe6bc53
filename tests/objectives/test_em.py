"""EM against scikit-learn's from the same start, its properties, degenerate data and bad input."""

import warnings
from itertools import product
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.mixture import GaussianMixture

from vaeclust_jax.errors import InputError
from vaeclust_jax.objectives.em import MixtureFit, em_from, fit_mixture
from vaeclust_jax.objectives.kmeans import kmeans
from vaeclust_jax.objectives.mixture import Mixture, e_step, m_step

TYPES = ["full", "tied", "diag", "spherical"]
types = st.sampled_from(TYPES)
seeds = st.integers(0, 2**32 - 1)


def made(seed: int, n: int, k: int, num_features: int) -> tuple[np.ndarray, np.ndarray]:
    """Overlapping clusters, 30 times apart in scale, with their true labels as one-hot rows (n, k)."""
    rng = np.random.default_rng(seed)
    scales = 10.0 ** np.linspace(-1, 0.5, k)
    labels = np.arange(n) % k
    roots = rng.normal(size=(k, num_features, num_features)) * 0.5 + np.eye(num_features)
    noise = np.einsum("nij,nj->ni", roots[labels], rng.normal(size=(n, num_features)))
    return rng.normal(0, 3, (k, num_features))[labels] + scales[labels][:, None] * noise, np.eye(k)[labels]


def blurred(one_hot: np.ndarray) -> np.ndarray:
    """Responsibilities that EM still has to sharpen."""
    return 0.7 * one_hot + 0.3 / one_hot.shape[1]


class Peer(NamedTuple):
    mixture: Mixture
    fit: GaussianMixture


def peer_from(start: Mixture, x: np.ndarray, covariance_type: str, **settings: float) -> Peer:
    """scikit-learn's EM in float64 from the same mixture, and its end in our shapes."""
    weights, means, covariances = (np.asarray(part, np.float64) for part in start)
    precisions = {
        "full": lambda: np.linalg.inv(covariances),
        "tied": lambda: np.linalg.inv(covariances[0]),
        "diag": lambda: 1 / covariances,
        "spherical": lambda: 1 / covariances[:, 0],
    }[covariance_type]()
    weights = np.exp(weights) / np.exp(weights).sum()
    fit = GaussianMixture(
        len(means),
        covariance_type=covariance_type,
        weights_init=weights,
        means_init=means,
        precisions_init=precisions,
        **settings,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not converged
        fit.fit(x)
    end = Mixture(np.log(fit.weights_), fit.means_, fit.covariances_.reshape(covariances.shape))
    return Peer(end, fit)


def check_equal(found: MixtureFit, expected: Peer, x: np.ndarray, tolerance: float, relative: float) -> None:
    scale = x.std()
    assert int(found.iterations) == expected.fit.n_iter_
    assert bool(found.converged) == expected.fit.converged_
    np.testing.assert_allclose(found.mixture.means, expected.mixture.means, rtol=0, atol=tolerance * scale)
    wanted = expected.mixture.covariances
    size = np.abs(wanted).reshape(len(wanted), -1).max(axis=1).reshape(-1, *(1,) * (wanted.ndim - 1))
    np.testing.assert_allclose(found.mixture.covariances / size, wanted / size, rtol=0, atol=tolerance)
    np.testing.assert_allclose(np.exp(found.mixture.log_weights), expected.fit.weights_, rtol=0, atol=tolerance)
    assert float(found.log_likelihood) == pytest.approx(
        expected.fit.score(x.astype(np.float64)), rel=relative, abs=relative
    )
    history = np.asarray(found.history)[: expected.fit.n_iter_]
    wanted = getattr(expected.fit, "lower_bounds_", [expected.fit.lower_bound_])  # scikit-learn 1.6 keeps the last
    np.testing.assert_allclose(history[-len(wanted) :], wanted, rtol=relative, atol=relative)


# From the same start as scikit-learn -----------------------------------------------------------------

SIZES = [(10, 2, 2), pytest.param(300, 3, 4, marks=pytest.mark.long), (3000, 6, 8)]


@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize(("n", "k", "num_features"), SIZES)
def test_equals_scikit_learn_in_float64(covariance_type, n, k, num_features):
    x, one_hot = made(0, n, k, num_features)
    with jax.enable_x64(True):
        start = m_step(jnp.log(blurred(one_hot)), jnp.asarray(x), covariance_type)
        found = em_from(start, x)
        check_equal(found, peer_from(start, x, covariance_type), x, tolerance=1e-6, relative=1e-9)


@pytest.mark.long
@pytest.mark.parametrize("covariance_type", TYPES)
@pytest.mark.parametrize(("n", "k", "num_features"), SIZES)
@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_equals_scikit_learn_in_float32(covariance_type, n, k, num_features, offset):
    x, one_hot = made(0, n, k, num_features)
    x = (x + offset).astype(np.float32)
    start = m_step(jnp.log(jnp.asarray(blurred(one_hot), jnp.float32)), jnp.asarray(x), covariance_type)
    expected = peer_from(start, x.astype(np.float64), covariance_type)
    check_equal(em_from(start, x), expected, x, tolerance=1e-3, relative=1e-5)


@pytest.mark.long
@pytest.mark.parametrize("covariance_type", TYPES)
def test_equals_scikit_learn_on_many_samples_in_float32(covariance_type):
    x, one_hot = made(1, 100_000, 5, 6)
    x = x.astype(np.float32)
    start = m_step(jnp.log(jnp.asarray(blurred(one_hot), jnp.float32)), jnp.asarray(x), covariance_type)
    expected = peer_from(start, x.astype(np.float64), covariance_type)
    check_equal(em_from(start, x), expected, x, tolerance=1e-3, relative=1e-5)


@pytest.mark.long
def test_equals_scikit_learn_on_many_samples_in_float64():
    x, one_hot = made(1, 100_000, 5, 6)
    with jax.enable_x64(True):
        start = m_step(jnp.log(blurred(one_hot)), jnp.asarray(x))
        check_equal(em_from(start, x), peer_from(start, x, "full"), x, tolerance=1e-6, relative=1e-9)


@pytest.mark.long
def test_settings_are_those_of_scikit_learn():
    x, one_hot = made(2, 300, 3, 4)
    with jax.enable_x64(True):
        start = m_step(jnp.log(blurred(one_hot)), jnp.asarray(x))
        for ours, theirs in (
            ({"tolerance": 1e-7}, {"tol": 1e-7}),
            ({"tolerance": 1e-12, "max_iterations": 7}, {"tol": 1e-12, "max_iter": 7}),
            ({"max_iterations": 1}, {"max_iter": 1}),
            ({"regularisation": 0.5}, {"reg_covar": 0.5}),
        ):
            check_equal(em_from(start, x, **ours), peer_from(start, x, "full", **theirs), x, 1e-6, 1e-9)


# Its own properties ----------------------------------------------------------------------------------


@pytest.mark.long
@settings(max_examples=20, deadline=None)
@given(types, seeds, st.just(24))
def test_the_log_likelihood_never_falls(covariance_type, seed, n):
    """Dempster, Laird and Rubin 1977, Theorem 1: exact without regularisation."""
    x, _ = made(seed, n, 2, 2)
    start = np.random.default_rng(seed).dirichlet(np.ones(2), n)
    with jax.enable_x64(True):
        start = m_step(jnp.log(start), jnp.asarray(x), covariance_type)
        found = em_from(start, x, tolerance=1e-9, max_iterations=40, regularisation=1e-9)
    path = np.append(found.history, found.log_likelihood)
    assert np.all(np.diff(path) >= -1e-7)
    assert path[-1] >= path[0]


@pytest.mark.long
@pytest.mark.parametrize("init", ["kmeans", "random"])
@pytest.mark.parametrize("covariance_type", TYPES)
def test_the_result_says_what_was_reached(covariance_type, init):
    x = made(3, 200, 3, 3)[0].astype(np.float32)
    found = fit_mixture(jax.random.key(0), x, 3, covariance_type, init=init, max_iterations=200)
    log_likelihood = e_step(found.mixture, jnp.asarray(x))[1].mean()
    assert float(found.log_likelihood) == pytest.approx(float(log_likelihood), rel=1e-5)
    iterations, history = int(found.iterations), np.asarray(found.history)
    assert bool(found.converged)
    assert 1 < iterations < 200
    assert np.all(np.abs(np.diff(history[: iterations - 1])) >= 1e-3)
    assert abs(history[iterations - 1] - history[iterations - 2]) < 1e-3
    assert np.all(history[iterations:] == history[iterations - 1])
    assert np.exp(found.mixture.log_weights).sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.long
def test_the_best_restart_wins():
    x = jnp.asarray(made(8, 200, 6, 2)[0], jnp.float32)
    key = jax.random.key(1)

    @jax.jit
    @jax.vmap
    def alone(key):
        labels = kmeans(key, x - x.mean(axis=0), 6, num_restarts=1).labels
        return em_from(m_step(jnp.log(jax.nn.one_hot(labels, 6)), x, "diag"), x)

    runs = alone(jax.random.split(key, 8))
    *_, second, best = np.argsort(runs.log_likelihood)
    assert runs.log_likelihood[best] > runs.log_likelihood[second] + 0.01
    found = fit_mixture(key, x, 6, "diag", num_restarts=8)
    assert float(found.log_likelihood) == pytest.approx(float(runs.log_likelihood[best]), abs=1e-4)
    np.testing.assert_allclose(found.mixture.means, runs.mixture.means[best], atol=1e-3)


@pytest.mark.long
def test_finds_the_mixture_that_the_data_were_drawn_from():
    rng = np.random.default_rng(0)
    labels = rng.choice(3, 3000, p=[0.5, 0.3, 0.2])
    centres, scales = np.array([[0, 0], [8, 0], [0, 8.0]]), np.array([1, 0.3, 2.0])
    x = centres[labels] + scales[labels][:, None] * rng.normal(size=(3000, 2))
    found = fit_mixture(jax.random.key(0), x, 3, "spherical", num_restarts=3).mixture
    order = np.argsort(-found.log_weights)
    np.testing.assert_allclose(np.exp(found.log_weights)[order], [0.5, 0.3, 0.2], atol=0.03)
    np.testing.assert_allclose(found.means[order], centres, atol=0.3)
    np.testing.assert_allclose(np.sqrt(found.covariances[order, 0]), scales, rtol=0.06)


@pytest.mark.parametrize("covariance_type", TYPES)
def test_moving_the_data_moves_the_means_alone(covariance_type):
    x = made(5, 200, 3, 3)[0].astype(np.float32)
    moved = x + np.float32(1024)
    unmoved = moved - np.float32(1024)  # rounded alike
    first, second = (
        fit_mixture(jax.random.key(0), x, 3, covariance_type, max_iterations=200) for x in (unmoved, moved)
    )
    np.testing.assert_allclose(second.mixture.means - 1024, first.mixture.means, atol=2e-3)
    chex.assert_trees_all_close(second.mixture.covariances, first.mixture.covariances, rtol=1e-2, atol=1e-3)
    assert float(second.log_likelihood) == pytest.approx(float(first.log_likelihood), abs=1e-3)


@pytest.mark.parametrize(
    "covariance_type", ["diag", *(pytest.param(name, marks=pytest.mark.long) for name in TYPES if name != "diag")]
)
def test_seeds_and_data_under_vmap_give_what_each_gives_alone(covariance_type):
    xs = jnp.asarray(np.stack([made(seed, 120, 3, 2)[0] for seed in range(3)]), jnp.float32)
    keys = jax.random.split(jax.random.key(0), 3)

    def fit(key, x):
        # One restart: of two that find the same mixture, components in another order, rounding says which wins.
        return fit_mixture(key, x, 3, covariance_type, max_iterations=60)

    together = jax.jit(jax.vmap(fit))(keys, xs)
    assert len(np.unique(together.iterations)) > 1  # the early ones waited, frozen
    for number in range(3):
        one = jax.tree.map(lambda leaf, number=number: leaf[number], together)
        alone = fit(keys[number], xs[number])
        assert int(one.iterations) == int(alone.iterations)
        chex.assert_trees_all_close(one, alone, rtol=2e-3, atol=2e-3)


@pytest.mark.long
def test_starts_under_vmap():
    x, one_hot = made(6, 150, 3, 2)
    x = jnp.asarray(x, jnp.float32)
    blur = jnp.linspace(0.2, 0.9, 4)[:, None, None]
    starts = jax.vmap(lambda start: m_step(jnp.log(start), x))(blur * one_hot + (1 - blur) / 3)
    together = jax.vmap(lambda start: em_from(start, x))(starts)
    for number in range(4):
        alone = em_from(jax.tree.map(lambda leaf, number=number: leaf[number], starts), x)
        assert float(together.log_likelihood[number]) == pytest.approx(float(alone.log_likelihood), abs=1e-4)
        assert int(together.iterations[number]) == int(alone.iterations)


def test_a_random_start_survives_a_draw_of_exactly_zero():
    """One float32 draw in 2^23 is 0; with one component it is the sum of its row too."""
    key, n = jax.random.key(301), 100_000
    (restart,) = jax.random.split(key, 1)
    assert float(jax.random.uniform(restart, (n, 1)).min()) == 0
    x = np.random.default_rng(0).normal([1, -2], [1, 3], (n, 2)).astype(np.float32)
    found = fit_mixture(key, x, 1, "diag", init="random").mixture
    np.testing.assert_allclose(found.means[0], x.mean(axis=0, dtype=float), atol=1e-3)
    np.testing.assert_allclose(found.covariances[0], x.var(axis=0, dtype=float), rtol=1e-3)


# Degenerate data -------------------------------------------------------------------------------------

NORMAL = np.random.default_rng(0).normal(size=(30, 3))
DEGENERATE = {
    "all equal": np.ones((30, 3)),
    "few distinct": np.repeat(NORMAL[:2], 15, axis=0),
    "as many as components": NORMAL[:3],
    "one far sample": np.concatenate([NORMAL[1:], np.full((1, 3), 100.0)]),
    "a constant feature": NORMAL * [1, 1, 0] + 5,
    "a repeated feature": NORMAL[:, [0, 1, 1]],
    "fewer samples than features": NORMAL[:, None].reshape(10, 9),
}


def degenerate(name: str, covariance_type: str, init: str) -> Any:
    """Every shape, type and start is a program of its own: those beyond one of each are for the longer run."""
    quick = init == "kmeans" and len(DEGENERATE[name]) == len(NORMAL)
    return pytest.param(name, covariance_type, init, marks=() if quick else pytest.mark.long)


CASES = [degenerate(*case) for case in product(DEGENERATE, TYPES, ["kmeans", "random"])]


@pytest.mark.long
@pytest.mark.parametrize(("name", "covariance_type", "init"), CASES)
def test_degenerate_data_end_in_a_finite_mixture(name, covariance_type, init):
    x = DEGENERATE[name].astype(np.float32)
    found = fit_mixture(jax.random.key(0), x, 3, covariance_type, init=init)
    chex.assert_tree_all_finite(found)
    assert np.exp(found.mixture.log_weights).sum() == pytest.approx(1, abs=1e-4)
    chex.assert_tree_all_finite(e_step(found.mixture, jnp.asarray(x)))


@pytest.mark.long
def test_a_singular_covariance_without_regularisation_is_named():
    with pytest.raises(InputError, match="regularisation must be large enough to keep"):
        fit_mixture(jax.random.key(0), DEGENERATE["a constant feature"], 3, num_restarts=2, regularisation=0.0)


@pytest.mark.long
def test_under_vmap_a_singular_covariance_costs_its_own_fit_alone():
    xs = jnp.asarray(np.stack([NORMAL, DEGENERATE["a constant feature"]]), jnp.float32)
    fit = jax.vmap(lambda x: fit_mixture(jax.random.key(0), x, 2, regularisation=0.0))(xs)
    assert np.isfinite(fit.log_likelihood[0])
    assert float(fit.log_likelihood[1]) == -np.inf
    assert not bool(fit.converged[1])


# Bad input -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": NORMAL[:, 0]}, "x must be numbers of shape"),
        ({"x": np.where(NORMAL > 1, np.nan, NORMAL)}, "x must hold finite numbers only"),
        ({"num_components": 31}, "num_components must be at most the number of samples, 30, got 31"),
        ({"num_components": 0}, "num_components must be a whole number of at least 1"),
        ({"covariance_type": "round"}, "covariance_type must be one of full, tied, diag, spherical, got 'round'"),
        ({"init": "labels"}, "init must be one of kmeans, random, got 'labels'"),
        ({"tolerance": 0.0}, "tolerance must be above 0, got 0"),
        ({"tolerance": -1}, "tolerance must be above 0, got -1"),
        ({"regularisation": -1e-6}, "regularisation must be at least 0"),
        ({"num_restarts": 0}, "num_restarts must be a whole number of at least 1"),
        ({"max_iterations": 1.5}, "max_iterations must be a whole number of at least 1"),
    ],
)
def test_mistakes_are_named(arguments, message):
    with pytest.raises(InputError, match=message):
        fit_mixture(jax.random.key(0), **{"x": NORMAL, "num_components": 3, **arguments})


def test_a_start_of_other_features_is_named():
    start = Mixture(jnp.zeros(1), jnp.zeros((1, 2)), jnp.ones((1, 2)))
    with pytest.raises(InputError, match="mixture must have the features of x, 3, got 2"):
        em_from(start, NORMAL)


# Samples that do not all count the same --------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("covariance_type", TYPES)
def test_a_weight_of_two_is_two_samples(covariance_type: Any) -> None:
    x, one_hot = made(3, 120, 3, 2)
    counts = np.tile([1, 4, 2, 3], 30)
    with jax.enable_x64(True):
        start = m_step(np.log(blurred(one_hot)), x, covariance_type)
        found = em_from(start, x, 1e-9, weight=jnp.asarray(counts, float))
        again = em_from(start, np.repeat(x, counts, axis=0), 1e-9)
    chex.assert_trees_all_close(found, again, rtol=1e-7, atol=1e-9)


def test_shares_of_components_are_those_of_weights() -> None:
    x, _ = made(0, 90, 3, 2)
    x = (100 * np.eye(3)[np.arange(90) % 3][:, :2] + 0.1 * x).astype(np.float32)  # far apart
    weight = np.tile([1.0, 2.0, 5.0], 30).astype(np.float32)
    found = fit_mixture(jax.random.key(0), x, 3, weight=jnp.asarray(weight)).mixture
    np.testing.assert_allclose(np.sort(np.exp(found.log_weights)), [1 / 8, 2 / 8, 5 / 8], rtol=1e-4)
