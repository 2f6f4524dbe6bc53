import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import integrate, stats

from vaeclust_jax.errors import InputError
from vaeclust_jax.objectives.dec import assignment_entropy, log_soft_assignment
from vaeclust_jax.types import Heads
from vaeclust_jax.uncertainty.latent import Decomposition, decompose, latent_variance, stochastic_passes

M, N, K, L = 5, 4, 3, 2
KEY = jax.random.key(0)

weights = hnp.arrays(np.float64, (M, N, K), elements=st.floats(0, 1)).filter(lambda w: w.sum(axis=2).min() > 1e-3)


def never(*_):
    raise AssertionError("a pass needs nothing of the model but its clusters")


def assigning(assign):
    """A model of which only the clusters may be used."""
    return Heads(*[never] * len(Heads._fields))._replace(assign=assign)


STUDENT = assigning(lambda params, z: log_soft_assignment(z, params["centroids"]))
CENTROIDS = {"centroids": jnp.array([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]])}
MIXTURE = {
    "weight": np.array([0.5, 0.2, 0.3]),
    "mean": np.array([-2.0, 0.0, 3.0]),
    "std": np.array([1.0, 0.5, 2.0]),
}


def mixture_posterior(params, z):
    """log p(c|z) of a Gaussian mixture on the line."""
    log_joint = jnp.log(params["weight"]) + jax.scipy.stats.norm.logpdf(z, params["mean"], params["std"])
    return jax.nn.log_softmax(log_joint, axis=-1)


def posteriors(n):
    rng = np.random.default_rng(1)
    return rng.normal(1, 2, (n, L)).astype(np.float32), rng.normal(-1, 1, (n, L)).astype(np.float32)


def normalised(w):
    return w / w.sum(axis=-1, keepdims=True)


def entropies(uncertainty):
    return Decomposition(uncertainty.entropy, uncertainty.expected_entropy, uncertainty.mutual_information)


# Decomposition ---------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(weights)
def test_decomposition_equals_its_formula(w):
    q = normalised(w)
    with jax.enable_x64(True):
        found = decompose(jnp.asarray(q))
    average = q.mean(axis=0)
    np.testing.assert_allclose(found.entropy, stats.entropy(average, axis=1), atol=1e-12)
    np.testing.assert_allclose(found.expected_entropy, stats.entropy(q, axis=2).mean(axis=0), atol=1e-12)
    # The mutual information is the mean divergence from the average.
    np.testing.assert_allclose(
        found.mutual_information, stats.entropy(q, np.broadcast_to(average, q.shape), axis=2).mean(axis=0), atol=1e-12
    )


@settings(max_examples=30, deadline=None)
@given(weights, st.permutations(range(K)))
def test_decomposition_in_float32_keeps_its_bounds_and_knows_no_order_of_clusters(w, order):
    q = normalised(w).astype(np.float32)
    found = decompose(q)
    assert np.all(np.asarray(found.mutual_information) >= 0)
    assert np.all(np.asarray(found.entropy) <= np.log(K) + 1e-6)
    np.testing.assert_allclose(found.entropy, found.expected_entropy + found.mutual_information, atol=2e-6)
    np.testing.assert_allclose(decompose(q[..., order]), found, atol=2e-6)


def test_rounding_makes_no_disagreement_negative():
    q = np.random.default_rng(0).dirichlet(np.ones(20), 500).astype(np.float32)
    information = np.asarray(decompose(np.broadcast_to(q, (30, *q.shape))).mutual_information)
    assert np.all(information >= 0)
    np.testing.assert_allclose(information, 0, atol=2e-6)


def test_decomposition_by_hand():
    """Sure but opposed is all disagreement; unsure but agreed is none."""
    opposed = decompose(jnp.array([[1.0, 0.0], [0.0, 1.0]]))
    np.testing.assert_allclose(opposed, [np.log(2), 0, np.log(2)], rtol=1e-6)
    agreed = decompose(jnp.array([[0.5, 0.5], [0.5, 0.5]]))
    np.testing.assert_allclose(agreed, [np.log(2), np.log(2), 0], rtol=1e-6)


# Passes ----------------------------------------------------------------------------------------------


def test_passes_integrate_the_assignment_over_the_posterior():
    """p(c|x) = int p(c|z) N(z; mean, variance) dz of a mixture on the line, by quadrature."""
    passes = 20_000
    mean, logvar = np.array([[-1.0], [1.5], [0.2]]), np.log(np.array([[0.5], [2.0], [0.01]]))
    found = stochastic_passes(KEY, assigning(mixture_posterior), MIXTURE, mean, logvar, passes)

    def posterior(z):
        joint = MIXTURE["weight"] * stats.norm.pdf(z, MIXTURE["mean"], MIXTURE["std"])
        return joint / joint.sum()

    def moments(row, function):
        """Expectation over the row's posterior, and the standard error of `passes` draws."""
        centre, std = mean[row, 0], np.exp(logvar[row, 0] / 2)

        def expect(power):
            def integrand(z):
                return function(z) ** power * stats.norm.pdf(z, centre, std)

            return integrate.quad_vec(integrand, centre - 9 * std, centre + 9 * std, epsabs=1e-10)[0]

        first, second = expect(1), expect(2)
        return first, np.sqrt(np.maximum(second - first**2, 0) / passes)

    for row in range(3):
        probabilities, error = moments(row, posterior)
        assert probabilities.sum() == pytest.approx(1)
        assert np.all(np.abs(found.probabilities[row] - probabilities) < 4 * error + 1e-6)
        assert error.max() < 0.005  # the comparison above says something
        expected, error = moments(row, lambda z: stats.entropy(posterior(z)))
        assert abs(found.expected_entropy[row] - expected) < 4 * error + 1e-6
        assert found.entropy[row] == pytest.approx(stats.entropy(probabilities), abs=0.01)
        information = stats.entropy(probabilities) - expected
        assert found.mutual_information[row] == pytest.approx(information, abs=0.01)
    assert found.mutual_information[1] > 0.1 > 0.01 > found.mutual_information[2]


def test_entropies_belong_to_the_probabilities():
    found = stochastic_passes(KEY, STUDENT, CENTROIDS, *posteriors(30), 20)
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(found.entropy, stats.entropy(found.probabilities, axis=1), rtol=1e-5)
    np.testing.assert_allclose(found.mutual_information, found.entropy - found.expected_entropy, atol=1e-6)
    assert found.probabilities.shape == (30, K)
    assert all(part.shape == (30,) for part in found[1:])
    assert all(type(part) is np.ndarray for part in found)


def test_sampled_variance_agrees_with_the_closed_form():
    """Var of the unbiased variance of M Gaussian draws: 2 variance^2 / (M - 1), summed over dimensions."""
    passes = 100
    mean, logvar = posteriors(300)
    expected = np.exp(logvar.astype(np.float64)).sum(axis=1)
    np.testing.assert_allclose(latent_variance(logvar), expected, rtol=1e-5)
    found = stochastic_passes(KEY, STUDENT, CENTROIDS, mean, logvar, passes).latent_variance
    scores = (found - expected) / np.sqrt(2 * np.exp(2.0 * logvar).sum(axis=1) / (passes - 1))
    assert np.abs(scores).max() < 4.5
    assert abs(scores.mean()) < 4 / np.sqrt(300)  # rows are independent
    assert 0.7 < scores.std() < 1.3


def test_sampled_variance_is_unbiased():
    """Of three draws: division by M instead of M - 1 would give two thirds."""
    n = 2000
    found = stochastic_passes(KEY, STUDENT, CENTROIDS, np.zeros((n, L)), np.zeros((n, L)), 3).latent_variance
    assert abs(found.mean() - L) < 4 * np.sqrt(2 * L / (3 - 1) / n)


def test_a_known_code_leaves_the_entropy_at_the_mean():
    mean, _ = posteriors(20)
    found = stochastic_passes(KEY, STUDENT, CENTROIDS, mean, np.full_like(mean, -np.inf))
    log_q = log_soft_assignment(mean, CENTROIDS["centroids"])
    np.testing.assert_allclose(found.probabilities, np.exp(log_q), rtol=1e-5)
    np.testing.assert_allclose(found.entropy, assignment_entropy(log_q), rtol=1e-5)
    np.testing.assert_allclose(found.mutual_information, 0, atol=2e-6)
    np.testing.assert_allclose(found.latent_variance, 0, atol=1e-10)


def test_the_less_is_known_of_the_code_the_more_is_open():
    mean, logvar = np.array([[1.5, 0.0]]), np.zeros((1, L))  # between two centroids
    information = [
        stochastic_passes(KEY, STUDENT, CENTROIDS, mean, logvar + shift, 500).mutual_information[0]
        for shift in (-6.0, -3.0, 0.0)
    ]
    assert information[0] < information[1] < information[2]


def test_renaming_clusters_renames_the_columns_alone():
    order = [2, 0, 1]
    renamed = {"centroids": CENTROIDS["centroids"][jnp.array(order)]}
    found, other = (stochastic_passes(KEY, STUDENT, params, *posteriors(20)) for params in (CENTROIDS, renamed))
    np.testing.assert_allclose(other.probabilities, found.probabilities[:, order], rtol=1e-5)
    np.testing.assert_allclose(entropies(other), entropies(found), atol=2e-6)


# Draws -----------------------------------------------------------------------------------------------


def test_the_same_key_gives_the_same_bits_and_another_key_other_draws():
    first, again, other = (
        stochastic_passes(jax.random.key(seed), STUDENT, CENTROIDS, *posteriors(20)) for seed in (0, 0, 1)
    )
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two)
    assert np.all(first.latent_variance != other.latent_variance)


def test_equal_rows_have_draws_of_their_own():
    found = stochastic_passes(KEY, STUDENT, CENTROIDS, np.zeros((150, L)), np.zeros((150, L)))
    assert len(np.unique(found.latent_variance)) == 150


def test_neither_the_blocks_nor_later_rows_change_a_row(monkeypatch):
    mean, logvar = posteriors(150)
    whole = stochastic_passes(KEY, STUDENT, CENTROIDS, mean, logvar)
    for one, two in zip(stochastic_passes(KEY, STUDENT, CENTROIDS, mean[:70], logvar[:70]), whole, strict=True):
        np.testing.assert_array_equal(one, two[:70])
    monkeypatch.setattr("vaeclust_jax.training.rows.DRAWN_AT_ONCE", 41)
    for one, two in zip(stochastic_passes(KEY, STUDENT, CENTROIDS, mean, logvar), whole, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=2e-6)


def test_one_compilation_for_any_number_of_rows():
    traces = []

    def assign(params, z):
        traces.append(z.shape)
        return log_soft_assignment(z, params["centroids"])

    heads = assigning(assign)
    for n in (3, 150, 64):
        stochastic_passes(KEY, heads, CENTROIDS, *posteriors(n), 10)
        stochastic_passes(KEY, heads, {"centroids": CENTROIDS["centroids"] + 1}, *posteriors(n), 10)
    assert traces == [(10, L)]


@pytest.mark.parametrize(
    ("heads", "shapes", "passes", "message"),
    [
        (assigning(None), [(3, 2), (3, 2)], 10, "heads must have clusters"),
        (STUDENT, [(3, 2), (3, 2)], 1, "num_passes must be a whole number of at least 2, got 1"),
        (STUDENT, [(3, 2), (3, 2)], 2.5, "num_passes must be a whole number"),
        (STUDENT, [(3, 2), (3, 1)], 10, r"mean and logvar must have the same shape .* got \(3, 2\) and \(3, 1\)"),
        (STUDENT, [(3,), (3,)], 10, "mean and logvar must have"),
        (STUDENT, [(0, 2), (0, 2)], 10, "mean and logvar must have"),
    ],
)
def test_mistakes_are_named(heads, shapes, passes, message):
    with pytest.raises(InputError, match=message):
        stochastic_passes(KEY, heads, CENTROIDS, *map(np.zeros, shapes), passes)
