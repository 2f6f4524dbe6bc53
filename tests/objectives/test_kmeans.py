"""k-means against scikit-learn's from the same start, its properties, empty clusters and bad input."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans as Peer
from sklearn.cluster import kmeans_plusplus

from vaeclust_jax.errors import InputError
from vaeclust_jax.objectives.kmeans import _sums, kmeans, lloyd, plus_plus

seeds = st.integers(0, 2**32 - 1)


def blobs(seed: int, n: int = 200, k: int = 5, num_features: int = 3, spread: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, 3, (k, num_features))
    scales = 10.0 ** rng.uniform(-1, 0, k)
    labels = rng.integers(0, k, n)
    return centres[labels] + spread * scales[labels][:, None] * rng.normal(size=(n, num_features))


def peer_from(start: np.ndarray, x: np.ndarray, **settings: float) -> Peer:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fewer distinct samples than clusters
        return Peer(len(start), init=start, n_init=1, **settings).fit(x)


def inertia(x: np.ndarray, centroids: np.ndarray) -> float:
    return float(((x[:, None] - centroids) ** 2).sum(axis=2).min(axis=1).sum())


# From the same start ---------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_lloyd_equals_scikit_learn_in_float64(seed):
    x = blobs(seed)
    start = x[np.random.default_rng(seed).choice(len(x), 6, replace=False)]
    expected = peer_from(start, x)
    with jax.enable_x64(True):
        found = lloyd(start, x)
    np.testing.assert_allclose(found.centroids, expected.cluster_centers_, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(found.labels, expected.labels_)
    assert float(found.inertia) == pytest.approx(expected.inertia_, rel=1e-9)
    assert int(found.iterations) == expected.n_iter_


@pytest.mark.parametrize(("n", "k"), [(5000, 3), (5000, 40), (700, 200)])
def test_sums_in_turn_and_on_an_accelerator_are_those_of_float64(n, k, monkeypatch):
    rng = np.random.default_rng(0)
    counted, labels = rng.uniform(0.5, 1, (n, 4)), rng.integers(0, k - 1, n)  # the last cluster is empty
    expected = np.array([counted[labels == cluster].sum(axis=0) for cluster in range(k)])
    single = jnp.asarray(counted, jnp.float32)
    np.testing.assert_allclose(_sums(k, single, jnp.asarray(labels)), expected, rtol=2e-6)
    monkeypatch.setattr(jax.lax, "platform_dependent", lambda *operands, cpu, default: default(*operands))
    np.testing.assert_allclose(_sums(k, single, jnp.asarray(labels)), expected, rtol=2e-6)


@pytest.mark.long
@pytest.mark.parametrize(("n", "k", "num_features"), [(10, 3, 2), (1440, 20, 10), (20_000, 10, 10)])
@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_lloyd_equals_scikit_learn_in_float32(n, k, num_features, offset):
    x = (blobs(1, n, k, num_features) + offset).astype(np.float32)
    start = x[np.random.default_rng(0).choice(n, k, replace=False)]
    expected = peer_from(start.astype(np.float64), x.astype(np.float64))
    found = lloyd(start, x)
    assert float(found.inertia) == pytest.approx(expected.inertia_, rel=1e-4)
    assert found.centroids.dtype == jnp.float32


@pytest.mark.parametrize("num_far", [1, 3])
def test_empty_clusters_move_to_the_farthest_samples_as_in_scikit_learn(num_far):
    x = blobs(2)
    start = np.concatenate([x[:3], np.full((num_far, 3), 1e3) + np.arange(num_far)[:, None]])
    with jax.enable_x64(True):
        for iterations in (1, 2, 300):
            found, expected = lloyd(start, x, max_iterations=iterations), peer_from(start, x, max_iter=iterations)
            np.testing.assert_allclose(found.centroids, expected.cluster_centers_, rtol=1e-9)
            np.testing.assert_array_equal(found.labels, expected.labels_)
    assert len(np.unique(found.labels)) == len(start)


def test_a_centroid_that_loses_its_only_sample_to_an_empty_cluster():
    """The farthest sample is alone in its cluster, which the hand-over empties."""
    x = np.array([[0.0], [1.0], [2.5], [50.0]])
    start = np.array([[1.0], [80.0], [1e4]])
    with jax.enable_x64(True):
        for iterations in (1, 2, 300):
            found, expected = lloyd(start, x, max_iterations=iterations), peer_from(start, x, max_iter=iterations)
            np.testing.assert_allclose(found.centroids, expected.cluster_centers_)


@pytest.mark.long
def test_fewer_distinct_samples_than_clusters():
    x = np.repeat(np.random.default_rng(0).normal(size=(3, 2)), 5, axis=0).astype(np.float32)
    found = kmeans(jax.random.key(0), x, 6)
    assert np.isfinite(found.centroids).all()
    assert float(found.inertia) == pytest.approx(0, abs=1e-9)
    assert inertia(x, np.asarray(found.centroids)) == pytest.approx(0, abs=1e-9)
    assert np.isfinite(kmeans(jax.random.key(0), np.ones((4, 2)), 4).centroids).all()


def test_as_many_clusters_as_samples():
    x = np.random.default_rng(0).normal(size=(6, 2)).astype(np.float32)
    found = kmeans(jax.random.key(0), x, 6)
    assert float(found.inertia) == pytest.approx(0, abs=1e-9)
    assert sorted(np.asarray(found.labels)) == list(range(6))


# Its own properties ----------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_labels_are_of_the_nearest_centroid_and_centroids_are_means(seed):
    x = blobs(seed).astype(np.float32)
    found = kmeans(jax.random.key(seed), x, 5, num_restarts=1, tolerance=1e-12)
    centroids = np.asarray(found.centroids)
    distances = ((x[:, None] - centroids) ** 2).sum(axis=2)
    chosen = np.take_along_axis(distances, np.asarray(found.labels)[:, None], axis=1)[:, 0]
    np.testing.assert_allclose(chosen, distances.min(axis=1), rtol=1e-3, atol=1e-4)
    assert float(found.inertia) == pytest.approx(distances.min(axis=1).sum(), rel=1e-4)
    for cluster in range(5):
        np.testing.assert_allclose(centroids[cluster], x[found.labels == cluster].mean(axis=0), atol=1e-4)


def test_the_best_restart_wins():
    x = blobs(3, k=12).astype(np.float32)
    keys = jax.random.split(jax.random.key(0), 8)
    alone = [float(lloyd(plus_plus(key, jnp.asarray(x), 12), x).inertia) for key in keys]
    assert np.ptp(alone) > 0.01 * min(alone)
    assert float(kmeans(jax.random.key(0), x, 12, num_restarts=8).inertia) == pytest.approx(min(alone), rel=1e-5)


@pytest.mark.long
def test_ten_restarts_are_as_good_as_those_of_scikit_learn():
    x = blobs(4, 600, 15).astype(np.float32)
    ours = [float(kmeans(jax.random.key(seed), x, 15).inertia) for seed in range(5)]
    theirs = [Peer(15, n_init=10, random_state=seed).fit(x).inertia_ for seed in range(5)]
    assert np.mean(ours) < 1.01 * np.mean(theirs)


@pytest.mark.long
def test_seeds_under_vmap_give_what_each_gives_alone():
    x = jnp.asarray(np.stack([blobs(seed, 60) for seed in range(3)]), jnp.float32)
    keys = jax.random.split(jax.random.key(0), 3)
    together = jax.jit(jax.vmap(lambda key, x: kmeans(key, x, 7, num_restarts=2)))(keys, x)
    for number in range(3):
        alone = kmeans(keys[number], x[number], 7, num_restarts=2)
        np.testing.assert_allclose(together.centroids[number], alone.centroids, rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(together.labels[number], alone.labels)
        assert int(together.iterations[number]) == int(alone.iterations)


def test_the_key_decides():
    x = blobs(5).astype(np.float32)
    first, again, other = (np.asarray(plus_plus(jax.random.key(seed), jnp.asarray(x), 4)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0


# k-means++ -------------------------------------------------------------------------------------------


def test_plus_plus_takes_different_samples():
    x = blobs(6).astype(np.float32)
    start = np.asarray(plus_plus(jax.random.key(0), jnp.asarray(x), 20))
    rows = [np.flatnonzero((x == one).all(axis=1)) for one in start]
    assert len(np.unique(np.concatenate(rows))) == 20


@pytest.mark.long
@pytest.mark.parametrize("k", [2, 7])
def test_plus_plus_leaves_the_inertia_of_scikit_learns(k):
    x = blobs(7).astype(np.float32)
    keys = jax.random.split(jax.random.key(0), 300)
    ours = [inertia(x, one) for one in np.asarray(jax.vmap(lambda key: plus_plus(key, jnp.asarray(x), k))(keys))]
    theirs = [inertia(x, kmeans_plusplus(x, k, random_state=seed)[0]) for seed in range(300)]
    standard_error = np.hypot(np.std(ours), np.std(theirs)) / np.sqrt(300)
    assert abs(np.mean(ours) - np.mean(theirs)) < 4 * standard_error


def test_the_first_centroid_is_any_sample_alike():
    x = jnp.arange(5.0)[:, None]
    firsts = jax.vmap(lambda key: plus_plus(key, x, 1))(jax.random.split(jax.random.key(0), 1000))
    counts = np.bincount(np.asarray(firsts).astype(int).ravel(), minlength=5)
    assert np.all(np.abs(counts - 200) < 4 * np.sqrt(1000 * 0.2 * 0.8))


# Bad input -------------------------------------------------------------------------------------------

X = np.random.default_rng(0).normal(size=(10, 2))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": X[:, 0]}, "x must be numbers of shape"),
        ({"x": X[:0]}, "x must be numbers of shape"),
        ({"x": X * 1j}, "x must be numbers of shape"),
        ({"x": np.where(X > 1, np.nan, X)}, "x must hold finite numbers only"),
        ({"x": np.where(X > 1, np.inf, X)}, "x must hold finite numbers only"),
        ({"num_clusters": 11}, "num_clusters must be at most the number of samples, 10, got 11"),
        ({"num_clusters": 0}, "num_clusters must be a whole number of at least 1, got 0"),
        ({"num_clusters": 2.5}, "num_clusters must be a whole number"),
        ({"tolerance": 0}, "tolerance must be above 0, got 0"),
        ({"tolerance": float("nan")}, "tolerance must be above 0"),
        ({"num_restarts": 0}, "num_restarts must be a whole number of at least 1"),
        ({"max_iterations": 0}, "max_iterations must be a whole number of at least 1"),
    ],
)
def test_mistakes_are_named(arguments, message):
    with pytest.raises(InputError, match=message):
        kmeans(jax.random.key(0), **{"x": X, "num_clusters": 3, **arguments})


def test_a_start_of_other_features_is_named():
    with pytest.raises(InputError, match="centroids must have the features of x, 2, got 3"):
        lloyd(np.zeros((2, 3)), X)


def test_whole_numbers_are_taken():
    found = kmeans(jax.random.key(0), np.arange(12).reshape(6, 2), 2)
    assert float(found.inertia) == pytest.approx(2 * 2 * 2 * (2**2))


# Samples that do not all count the same --------------------------------------------------------------------------


@pytest.mark.long
@settings(max_examples=10, deadline=None)
@given(seeds)
def test_a_weight_of_two_is_two_samples_and_is_scikit_learns(seed):
    x, rng = blobs(seed), np.random.default_rng(seed)
    counts = rng.permutation(np.arange(len(x)) % 4 + 1)
    start = x[rng.choice(len(x), 6, replace=False)]
    with jax.enable_x64(True):
        found = lloyd(start, x, 1e-12, weight=counts.astype(float))
        again = lloyd(start, np.repeat(x, counts, axis=0), 1e-12)
    peer = Peer(6, init=start, n_init=1, tol=1e-12).fit(x, sample_weight=counts)
    repeated = Peer(6, init=start, n_init=1, tol=1e-12).fit(np.repeat(x, counts, axis=0))
    # A cluster that runs empty takes one sample: with its weight, or one of its copies, which is another clustering.
    assume(np.allclose(peer.cluster_centers_, repeated.cluster_centers_))
    for centroids, inertia in ((again.centroids, again.inertia), (peer.cluster_centers_, peer.inertia_)):
        np.testing.assert_allclose(found.centroids, centroids, rtol=1e-9, atol=1e-9)
        assert float(found.inertia) == pytest.approx(float(inertia), rel=1e-9)
    np.testing.assert_array_equal(found.labels, peer.labels_)


def test_an_empty_cluster_takes_a_sample_with_its_weight():
    x = np.array([[0.0], [0.1], [1.0], [7.0]])
    weight = np.array([0.5, 0.25, 3.0, 0.125])
    with jax.enable_x64(True):
        found = lloyd(np.array([[0.0], [1e3], [1.0]]), x, weight=weight)
    np.testing.assert_allclose(np.sort(np.ravel(found.centroids)), [0.1 / 3, 1.0, 7.0], atol=1e-12)


def test_starts_are_drawn_by_weight():
    x = blobs(0).astype(np.float32)
    weight = np.full(len(x), 1e-6, np.float32)
    weight[[17, 40, 99]] = 1
    for key in range(5):
        drawn = np.asarray(plus_plus(jax.random.key(key), x, 3, weight))
        np.testing.assert_array_equal(np.unique(drawn, axis=0), np.unique(x[[17, 40, 99]], axis=0))
