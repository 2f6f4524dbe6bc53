"""DEC's target of a batch's own q: that of all rows where the batch is all rows, and running frequencies elsewhere."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vaeclust_jax as vc
from vaeclust_jax.methods.dec_learner import dec
from vaeclust_jax.types import Batch, Learner, State

K, L, N = 3, 2, 40
X = np.random.default_rng(0).normal(size=(N, 5)).astype(np.float32)
NETWORKS = vc.MLP(hidden=(8,), latent_dim=L).build((5,))


def learner(target: str, **settings: Any) -> Learner:
    settings = {"likelihood": "gaussian", "deterministic": True, "gamma": 10.0, **settings}
    return dec(NETWORKS, num_clusters=K, num_samples=N, latent_dim=L, target=target, **settings)


def started(of: Learner, weight: Any = None) -> State:
    """With the target of all rows."""
    state = of.init(jax.random.key(3))
    weights = () if weight is None else (jnp.asarray(weight),)
    return jax.jit(of.end_epoch)(state, jnp.asarray(X), jnp.zeros((), jnp.int32), {}, *weights)[0]


def batch(rows: np.ndarray, weight: np.ndarray | None = None) -> Batch:
    counts = np.ones(len(rows)) if weight is None else weight
    return Batch(jnp.asarray(X[rows]), None, jnp.asarray(rows), jnp.asarray(counts, jnp.float32))


def q_of(state: State, x: np.ndarray) -> np.ndarray:
    """In probabilities, float64, from the formula."""
    z = np.asarray(NETWORKS.encoder.apply(state.params["encoder"], x)[0], np.float64)
    centroids = np.asarray(state.params["centroids"], np.float64)
    kernel = 1 / (1 + ((z[:, None] - centroids) ** 2).sum(axis=2))
    return kernel / kernel.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("weighted", [pytest.param(False, marks=pytest.mark.long), True])
def test_of_a_batch_of_all_rows_the_step_is_that_of_the_full_target(weighted: bool) -> None:
    weight = np.random.default_rng(1).integers(1, 4, N).astype(np.float32) if weighted else None
    found = {}
    for target in ("all", "batch"):
        one = learner(target)
        state = started(one, weight)
        found[target] = jax.jit(one.step)(jax.random.key(0), state, batch(np.arange(N), weight))
    for name in ("loss", "cluster"):
        np.testing.assert_allclose(found["batch"][1][name], found["all"][1][name], rtol=1e-5)
    for own, full in zip(*(jax.tree.leaves(found[target][0].params) for target in ("batch", "all")), strict=True):
        np.testing.assert_allclose(own, full, atol=2e-5)
    assert found["batch"][0].memory.p is None, "nothing is held of a row"


def test_frequencies_run_and_padding_does_not_count() -> None:
    one = learner("batch", learning_rate=0.05)
    state, one_step = started(one), jax.jit(one.step)
    expected = q_of(state, X).mean(axis=0)
    np.testing.assert_allclose(state.memory.frequency, expected, rtol=1e-5)
    for step in range(5):
        rows = np.random.default_rng(step).permutation(N)[:8]
        q = q_of(state, X[rows])[:6]  # the last two are padding
        expected = 0.9 * expected + 0.1 * q.mean(axis=0)
        p = q**2 / expected
        p /= p.sum(axis=1, keepdims=True)
        state, info = one_step(jax.random.key(step), state, batch(rows, np.array([1.0] * 6 + [0, 0])))
        np.testing.assert_allclose(state.memory.frequency, expected, rtol=1e-5)
        np.testing.assert_allclose(info["cluster"], (p * np.log(p / q)).sum(axis=1).mean(), rtol=1e-4)


def test_a_refresh_starts_the_frequencies_anew() -> None:
    one = learner("batch", update_target_interval=2)
    state = started(one)
    moved = state._replace(memory=state.memory._replace(frequency=jnp.full(K, 1 / K)))
    end_epoch = jax.jit(one.end_epoch)
    kept, _ = end_epoch(moved, jnp.asarray(X), jnp.asarray(1), {})
    np.testing.assert_array_equal(kept.memory.frequency, moved.memory.frequency)
    refreshed, said = end_epoch(moved, jnp.asarray(X), jnp.asarray(2), {})
    np.testing.assert_allclose(refreshed.memory.frequency, q_of(moved, X).mean(axis=0), rtol=1e-5)
    assert said["changed"] == 0


def test_what_auto_means() -> None:
    data = vc.DataSpec(shape=(5,), num_samples=N, low=-3.0, high=3.0)
    assert vc.DEC(K).resolved(data).target == "all"
    assert vc.DEC(K).resolved(data._replace(by_blocks=True)).target == "batch"
    assert vc.DEC(K, target="all").resolved(data._replace(by_blocks=True)).target == "all"
    with pytest.raises(vc.InputError, match="target must be"):
        vc.DEC(K, target="rows")  # type: ignore[arg-type]


@pytest.mark.long
def test_it_finds_the_clusters_that_the_full_target_finds() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(600) % K
    x = (rng.normal(0, 4, (K, 6))[y] + rng.normal(0, 0.5, (600, 6))).astype(np.float32)
    from sklearn.metrics import adjusted_rand_score

    for target in ("all", "batch"):
        method = vc.DEC(K, target=target, pretrain_epochs=30, joint_epochs=6)  # type: ignore[arg-type]
        run = vc.fit(vc.Config(method, network=vc.MLP(hidden=(16,), latent_dim=2)), x, 0)
        assert adjusted_rand_score(y, run.predict(x)) > 0.95
        assert run.config.method.target == target  # type: ignore[attr-defined]
