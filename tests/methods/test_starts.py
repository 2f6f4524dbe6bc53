"""How stages start."""

import chex
import jax
import numpy as np
import pytest
from sklearn.cluster import KMeans

from tests.training.counting import rows_of
from vaeclust_jax.methods.dec import DEC
from vaeclust_jax.methods.dec_learner import dec, dec_heads
from vaeclust_jax.methods.kmeans import vae_kmeans
from vaeclust_jax.methods.method import About
from vaeclust_jax.methods.starts import from_centroids, from_kmeans, kmeans_centroids, latent_mixture
from vaeclust_jax.methods.vae import vae, vae_heads
from vaeclust_jax.networks import MLP
from vaeclust_jax.objectives.mixture import e_step
from vaeclust_jax.training.rows import ROWS_AT_ONCE, by_chunk, encode_rows
from vaeclust_jax.types import Learner, State

N, K, L = 60, 4, 2
NETWORKS = MLP(latent_dim=L, hidden=(8,)).build((5,))
X = jax.random.normal(jax.random.key(0), (N, 5))
HEADS = dec_heads(NETWORKS, "gaussian", False)


def joint_start(joint: Learner, before: State) -> State:
    """Through k-means to the joint stage, as `DEC` has it."""
    keys = jax.random.split(jax.random.key(3), 2)
    kmeans = vae_kmeans(NETWORKS, num_clusters=K, latent_dim=L, likelihood="gaussian")
    clustered = from_kmeans(kmeans, HEADS, K)(keys[:1], [before], rows_of(X))
    return from_centroids(joint)(keys[1:], clustered, rows_of(X))[0]


def test_kmeans_centroids_are_a_fixed_point_and_the_same_for_the_same_key() -> None:
    latents = np.random.default_rng(0).normal(size=(N, L)).astype(np.float32)
    centroids = kmeans_centroids(jax.random.key(1), latents, K)
    labels = ((latents[:, None] - centroids) ** 2).sum(-1).argmin(1)
    for cluster in range(K):
        np.testing.assert_allclose(centroids[cluster], latents[labels == cluster].mean(0), atol=1e-5)
    np.testing.assert_array_equal(centroids, kmeans_centroids(jax.random.key(1), latents, K))
    best = min(KMeans(K, n_init=10, random_state=seed).fit(latents).inertia_ for seed in range(3))
    assert ((latents - centroids[labels]) ** 2).sum() < 1.1 * best


def test_the_joint_stage_starts_from_the_vae_kmeans_and_their_target() -> None:
    alone = vae(NETWORKS, likelihood="gaussian")
    joint = dec(NETWORKS, num_clusters=K, num_samples=N, latent_dim=L, likelihood="gaussian")
    before = alone.init(jax.random.key(2))
    state = joint_start(joint, before)
    for part in before.params:
        assert jax.tree.all(jax.tree.map(lambda a, b: bool((a == b).all()), state.params[part], before.params[part]))
    assert int(state.step) == 0

    z, _ = encode_rows(HEADS, before.params, np.asarray(X))
    distances = ((z[:, None].astype(np.float64) - np.asarray(state.params["centroids"])) ** 2).sum(-1)
    q = 1 / (1 + distances)
    q /= q.sum(1, keepdims=True)
    p = q**2 / q.sum(0)
    p /= p.sum(1, keepdims=True)
    np.testing.assert_allclose(state.memory.p, p, atol=1e-5)
    np.testing.assert_array_equal(state.memory.assigned.assignment, distances.argmin(1))


def test_the_refresh_counts_the_assignments_that_changed() -> None:
    joint = dec(NETWORKS, num_clusters=K, num_samples=N, latent_dim=L, update_target_interval=3)
    state = joint_start(joint, vae(NETWORKS).init(jax.random.key(2)))
    moved = state._replace(params={**state.params, "centroids": state.params["centroids"][::-1]})
    not_due, info = joint.end_epoch(moved, X, jax.numpy.asarray(4), {})
    assert float(info["changed"]) == 1  # as before: nothing was refreshed
    assert (not_due.memory.p == state.memory.p).all()
    due, info = joint.end_epoch(moved, X, jax.numpy.asarray(6), {})
    np.testing.assert_array_equal(due.memory.assigned.assignment, K - 1 - np.asarray(state.memory.assigned.assignment))
    changed = np.mean(np.asarray(due.memory.assigned.assignment) != np.asarray(state.memory.assigned.assignment))
    assert float(info["changed"]) == np.float32(changed)


def test_the_target_does_not_depend_on_how_many_rows_are_encoded_at_once() -> None:
    rows = np.asarray(jax.random.normal(jax.random.key(1), (ROWS_AT_ONCE + 3, 5)))
    params = vae(NETWORKS).init(jax.random.key(0)).params
    mean, logvar = encode_rows(HEADS, params, rows)
    wanted_mean, wanted_logvar = vae_heads(NETWORKS, "bernoulli").encode(params, rows)
    np.testing.assert_allclose(mean, wanted_mean, atol=1e-5)
    np.testing.assert_allclose(logvar, wanted_logvar, atol=1e-5)
    assert by_chunk(lambda params, x: x * 2, {}, rows[:1]).shape == (1, 5)


@pytest.mark.long
def test_full_covariances_of_a_few_wide_latents_stay_positive_definite() -> None:
    latents = (30 * np.random.default_rng(20).normal(size=(20, 10))).astype(np.float32)
    found = latent_mixture(jax.random.key(0), latents, 8, "full")
    chex.assert_tree_all_finite((found, e_step(found, latents)))


@pytest.mark.parametrize(
    ("size", "latents", "likelihood", "deterministic", "log_std"),
    [
        (2, 2, "gaussian", False, -1.5),
        (3, 2, "gaussian", False, 0.0),
        (5, 6, "gaussian", False, -1.5),
        (6, 6, "gaussian", False, 0.0),
        (2, 2, "gaussian", True, 0.0),
        (2, 2, "squared", False, None),
    ],
)
@pytest.mark.parametrize("told", [False, True])
def test_noise_begins_small_where_the_latents_can_hold_all_of_a_few_features(
    size: int, latents: int, likelihood: str, deterministic: bool, log_std: float | None, told: bool
) -> None:
    networks = MLP(latent_dim=latents, hidden=(8,)).build((size,))
    labels = np.arange(N) % 2 if told else None
    about = About(networks, latents, N, 16, 1e-3, 10, has_validation=False, labels=labels, shape=(size,))
    method = DEC(K, likelihood=likelihood, beta=1.0, gamma=100.0, supervision=0.2)
    stage = method.vae_stage(about, deterministic=deterministic)
    rows = rows_of(jax.random.normal(jax.random.key(0), (N, size)))
    for state in stage.start(jax.random.split(jax.random.key(0), 2), [None, None], rows):
        found = state.params["likelihood"]
        assert (float(found["log_std"]) if found else None) == log_std
