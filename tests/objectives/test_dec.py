import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from scipy.spatial.distance import cdist

from vaeclust_jax.objectives import dec

# Compiled, as in training.
squared_distances = jax.jit(dec.squared_distances)
log_soft_assignment = jax.jit(dec.log_soft_assignment)
target_distribution = jax.jit(dec.target_distribution)
kl_divergence = jax.jit(dec.kl_divergence)
assignment_entropy = jax.jit(dec.assignment_entropy)

N, K, L = 6, 4, 3

codes = hnp.arrays(np.float64, (N, L), elements=st.floats(-8, 8))
centroids = hnp.arrays(np.float64, (K, L), elements=st.floats(-8, 8))
weights = hnp.arrays(np.float64, (N, K), elements=st.floats(1e-6, 1))
permutations = st.permutations(range(K))


def soft_assignment(z, c):
    """q_ij = (1 + |z_i - c_j|^2)^-1 / sum_j' (1 + |z_i - c_j'|^2)^-1, in probabilities."""
    kernel = 1 / (1 + ((z[:, None] - c[None]) ** 2).sum(axis=2))
    return kernel / kernel.sum(axis=1, keepdims=True)


def target(q):
    """p_ij = (q_ij^2 / f_j) / sum_j' (q_ij'^2 / f_j'), f_j = sum_i q_ij, in probabilities."""
    weight = q**2 / q.sum(axis=0)
    return weight / weight.sum(axis=1, keepdims=True)


def normalised(weights):
    return weights / weights.sum(axis=1, keepdims=True)


# Soft assignment -------------------------------------------------------------------------------------


def test_soft_assignment_by_hand():
    """Distances 0 and 1: (1, 1/2) / (3/2)."""
    log_q = log_soft_assignment(jnp.array([0.0, 0.0]), jnp.array([[0.0, 0.0], [1.0, 0.0]]))
    np.testing.assert_allclose(np.exp(log_q), [2 / 3, 1 / 3], rtol=1e-6)


@settings(max_examples=40, deadline=None)
@given(codes, centroids)
def test_soft_assignment_equals_its_formula(z, c):
    with jax.enable_x64(True):
        distances = squared_distances(jnp.asarray(z), jnp.asarray(c))
        q = np.exp(log_soft_assignment(jnp.asarray(z), jnp.asarray(c)))
    # XLA takes numbers below the smallest normal one for 0.
    np.testing.assert_allclose(distances, cdist(z, c, "sqeuclidean"), rtol=1e-12, atol=np.finfo(float).tiny)
    np.testing.assert_allclose(q, soft_assignment(z, c), rtol=1e-12)
    np.testing.assert_allclose(q.sum(axis=1), 1, rtol=1e-12)


@settings(max_examples=20, deadline=None)
@given(codes, centroids, hnp.arrays(np.float64, L, elements=st.floats(-100, 100)))
def test_moving_codes_and_centroids_together_changes_nothing(z, c, shift):
    with jax.enable_x64(True):
        log_q = log_soft_assignment(jnp.asarray(z), jnp.asarray(c))
        moved = log_soft_assignment(jnp.asarray(z + shift), jnp.asarray(c + shift))
    np.testing.assert_allclose(moved, log_q, rtol=1e-10, atol=1e-10)


def test_distances_near_a_distant_centroid_keep_their_digits():
    """1000 and 1/16 are exact in float32, so is the difference; |z|^2 - 2 z c + |c|^2 would give 0."""
    centroid = jnp.full((1, 3), 1000.0)
    assert squared_distances(centroid[0] + 1 / 16, centroid) == 3 / 256


def test_a_code_on_a_centroid_has_finite_loss_and_gradient():
    c = jnp.array([[1.0, 2.0], [1.0, 2.0], [-3.0, 0.5]])  # the first two coincide

    def loss(z, c):
        return kl_divergence(jnp.array([0.2, 0.5, 0.3]), log_soft_assignment(z, c))

    value, (by_z, by_c) = jax.jit(jax.value_and_grad(loss, (0, 1)))(c[0], c)
    chex.assert_tree_all_finite((value, by_z, by_c))
    assert np.any(by_z != 0)  # the third centroid still pulls
    q = np.array([1, 1, 1 / 19.25]) / (2 + 1 / 19.25)
    assert float(value) == pytest.approx(stats.entropy([0.2, 0.5, 0.3], q), rel=1e-5)


@pytest.mark.parametrize("distance", [1e8, 1e15])
def test_a_code_far_from_every_centroid_has_finite_loss_and_gradient(distance):
    z = jnp.array([[distance, -distance, distance], [0.0, 1.0, 0.5]])
    c = jnp.array([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [-2.0, 5.0, 0.0]])

    def loss(z, c):
        log_q = log_soft_assignment(z, c)
        target = target_distribution(jax.lax.stop_gradient(log_q))
        return kl_divergence(target, log_q).sum() + assignment_entropy(log_q).sum()

    chex.assert_tree_all_finite(jax.jit(jax.value_and_grad(loss, (0, 1)))(z, c))
    np.testing.assert_allclose(np.exp(log_soft_assignment(z, c))[0], 1 / 3, rtol=1e-5)


gradients = jax.jit(jax.grad(lambda z, c, p: kl_divergence(p, log_soft_assignment(z, c)).sum(), (0, 1)))


@settings(max_examples=20, deadline=None)
@given(codes, centroids, weights)
def test_the_gradients_are_those_of_the_paper(z, c, w):
    """Xie et al. 2016, Eq. 4 and 5 with one degree of freedom.

    dKL/dz_i = 2 sum_j (1 + |z_i - c_j|^2)^-1 (p_ij - q_ij) (z_i - c_j),
    dKL/dc_j = minus the same, summed over i.
    """
    p = normalised(w)
    difference = z[:, None] - c[None]
    kernel = 1 / (1 + (difference**2).sum(axis=2))
    terms = 2 * (kernel * (p - soft_assignment(z, c)))[:, :, None] * difference
    with jax.enable_x64(True):
        by_z, by_c = gradients(jnp.asarray(z), jnp.asarray(c), jnp.asarray(p))
    np.testing.assert_allclose(by_z, terms.sum(axis=1), rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(by_c, -terms.sum(axis=0), rtol=1e-9, atol=1e-10)


# Target distribution ---------------------------------------------------------------------------------


def test_target_by_hand():
    """q = (1/2, 1/2), (1/4, 3/4): f = (3/4, 5/4), rows (1/3 : 1/5) and (1/12 : 9/20)."""
    log_q = jnp.log(jnp.array([[1 / 2, 1 / 2], [1 / 4, 3 / 4]]))
    np.testing.assert_allclose(target_distribution(log_q), [[5 / 8, 3 / 8], [5 / 32, 27 / 32]], rtol=1e-6)


@settings(max_examples=40, deadline=None)
@given(weights)
def test_target_equals_its_formula_and_its_rows_sum_to_one(w):
    q = normalised(w)
    with jax.enable_x64(True):
        p = target_distribution(jnp.log(jnp.asarray(q)))
    np.testing.assert_allclose(p, target(q), rtol=1e-11)
    np.testing.assert_allclose(np.asarray(p).sum(axis=1), 1, rtol=1e-12)


def test_the_target_sharpens_balanced_clusters():
    q = np.array([[0.7, 0.2, 0.1], [0.1, 0.7, 0.2], [0.2, 0.1, 0.7]])  # every f_j = 1
    p = target_distribution(jnp.log(jnp.asarray(q)))
    np.testing.assert_allclose(p, q**2 / (q**2).sum(axis=1, keepdims=True), rtol=1e-6)
    assert np.all(np.max(p, axis=1) > 0.9)


@settings(max_examples=20, deadline=None)
@given(weights)
def test_clusters_that_have_the_shares_they_keep_are_sharpened_alone(w):
    q = normalised(w)
    with jax.enable_x64(True):
        log_q = jnp.log(jnp.asarray(q))
        p = target_distribution(log_q, None, jnp.log(jnp.asarray(7 * q.sum(axis=0))))
    np.testing.assert_allclose(p, q**2 / (q**2).sum(axis=1, keepdims=True), rtol=1e-11)


def test_a_share_of_two_to_one_doubles_the_odds():
    q = normalised(np.random.default_rng(0).uniform(0.1, 1, (8, 2)))
    log_q = jnp.log(jnp.asarray(q))
    even, kept = (target_distribution(log_q, None, log_share) for log_share in (None, jnp.log(jnp.array([2.0, 1.0]))))
    np.testing.assert_allclose(kept[:, 0] / kept[:, 1], 2 * even[:, 0] / even[:, 1], rtol=1e-5)
    np.testing.assert_array_equal(target_distribution(log_q, None, jnp.zeros(2)), even)


def test_the_frequencies_are_those_of_all_rows_given():
    q = normalised(np.random.default_rng(0).uniform(0.1, 1, (8, 3)))
    whole, half = (np.asarray(target_distribution(jnp.log(jnp.asarray(part)))) for part in (q, q[:4]))
    np.testing.assert_allclose(half, target(q[:4]), rtol=1e-5)
    assert np.abs(whole[:4] - half).max() > 1e-2


@pytest.mark.parametrize("distance", [1e3, 1e15])
def test_a_dead_cluster_leaves_the_target_finite(distance):
    random = np.random.default_rng(1)
    z = random.normal(0, 1, (30, 2))
    c = np.array([[1.0, 0.0], [-1.0, 0.0], [distance, distance]])
    log_q = log_soft_assignment(jnp.asarray(z, jnp.float32), jnp.asarray(c, jnp.float32))
    p = target_distribution(log_q)
    chex.assert_tree_all_finite((log_q, p, kl_divergence(p, log_q), assignment_entropy(log_q)))
    assert np.all(p[:, 2] < 1e-5)
    np.testing.assert_allclose(p, target(soft_assignment(z, c)), rtol=2e-4)


# Divergence and entropy ------------------------------------------------------------------------------


def test_divergence_by_hand():
    p, q = jnp.array([1 / 2, 1 / 2]), jnp.array([1 / 4, 3 / 4])
    assert float(kl_divergence(p, jnp.log(q))) == pytest.approx(0.5 * np.log(4 / 3))
    assert float(kl_divergence(q, jnp.log(p))) == pytest.approx(0.75 * np.log(3) - np.log(2))


@settings(max_examples=40, deadline=None)
@given(weights, weights)
def test_divergence_equals_scipy_and_is_never_negative(a, b):
    p, q = normalised(a), normalised(b)
    with jax.enable_x64(True):
        kl = np.asarray(kl_divergence(jnp.asarray(p), jnp.log(jnp.asarray(q))))
        same = np.asarray(kl_divergence(jnp.asarray(p), jnp.log(jnp.asarray(p))))
    np.testing.assert_allclose(kl, stats.entropy(p, q, axis=1), rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(kl, (p * np.log(p / q)).sum(axis=1), rtol=1e-10, atol=1e-13)
    assert np.all(kl >= -1e-13)
    np.testing.assert_allclose(same, 0, atol=1e-13)


@settings(max_examples=20, deadline=None)
@given(weights, weights)
def test_divergence_of_different_distributions_is_positive(a, b):
    p, q = normalised(a), normalised(b)
    gap = np.abs(p - q).sum(axis=1)
    assume(np.all(gap > 1e-2))
    with jax.enable_x64(True):
        kl = np.asarray(kl_divergence(jnp.asarray(p), jnp.log(jnp.asarray(q))))
    assert np.all(kl >= 0.5 * gap**2 * (1 - 1e-9))  # Pinsker's inequality


def test_zero_times_log_zero_is_zero():
    log_half = jnp.log(jnp.array([0.5, 0.5]))
    assert float(kl_divergence(jnp.array([1.0, 0.0]), log_half)) == pytest.approx(np.log(2))
    gradient = jax.grad(lambda log_q: kl_divergence(jnp.array([1.0, 0.0]), log_q))(log_half)
    np.testing.assert_array_equal(gradient, [-1.0, 0.0])


@settings(max_examples=40, deadline=None)
@given(weights)
def test_entropy_equals_scipy_between_zero_and_log_k(w):
    q = normalised(w)
    with jax.enable_x64(True):
        entropy = np.asarray(assignment_entropy(jnp.log(jnp.asarray(q))))
    np.testing.assert_allclose(entropy, stats.entropy(q, axis=1), rtol=1e-11)
    assert np.all((entropy >= 0) & (entropy <= np.log(K) + 1e-12))


def test_entropy_at_its_ends():
    assert float(assignment_entropy(jnp.full(20, -np.log(20.0)))) == pytest.approx(np.log(20), rel=1e-6)
    certain = jax.nn.log_softmax(jnp.array([200.0, 0.0, 0.0]))  # the others are 0 in float32
    assert float(assignment_entropy(certain)) == 0.0


# Symmetry and independence ---------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(codes, centroids, permutations)
def test_permuting_the_clusters_permutes_assignment_and_target(z, c, order):
    order = np.array(order)
    with jax.enable_x64(True):
        log_q = log_soft_assignment(jnp.asarray(z), jnp.asarray(c))
        permuted = log_soft_assignment(jnp.asarray(z), jnp.asarray(c[order]))
        p, permuted_p = target_distribution(log_q), target_distribution(permuted)
        entropies = assignment_entropy(log_q), assignment_entropy(permuted)
        divergences = kl_divergence(p, log_q), kl_divergence(permuted_p, permuted)
    np.testing.assert_allclose(permuted, np.asarray(log_q)[:, order], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(permuted_p, np.asarray(p)[:, order], rtol=1e-11)
    np.testing.assert_allclose(*entropies, rtol=1e-12)
    np.testing.assert_allclose(*divergences, rtol=1e-9, atol=1e-13)


C = jnp.array([[0.0, 1.0, 2.0], [3.0, -1.0, 0.5], [0.1, 0.2, 0.3]])
PER_SAMPLE = {
    "distances": lambda z: squared_distances(z, C),
    "assignment": lambda z: log_soft_assignment(z, C),
    "entropy": lambda z: assignment_entropy(log_soft_assignment(z, C)),
    "divergence": lambda z: kl_divergence(jax.nn.softmax(z), log_soft_assignment(z, C)),
}


@pytest.mark.parametrize("name", PER_SAMPLE)
def test_a_sample_is_scored_the_same_in_any_batch(name):
    function = jax.jit(PER_SAMPLE[name])
    z = jax.random.normal(jax.random.key(0), (5, 3))
    alone = np.stack([function(row) for row in z])
    np.testing.assert_allclose(function(z), alone, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(function(z[:, None])[:, 0], alone, rtol=1e-5, atol=1e-6)
    assert len(np.unique(alone, axis=0)) == 5


def test_zero_times_minus_infinity_is_zero() -> None:
    log_q = jnp.log(jnp.array([1.0, 0.0]))
    assert float(kl_divergence(jnp.array([1.0, 0.0]), log_q)) == 0
    assert float(assignment_entropy(log_q)) == 0
    assert float(kl_divergence(jnp.array([0.5, 0.5]), log_q)) == np.inf
