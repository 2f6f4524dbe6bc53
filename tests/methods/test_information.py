"""IMSAT: what it learns, from what, and what it refuses."""

from dataclasses import replace
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.special import log_softmax
from scipy.stats import entropy

import vaeclust_jax as vc
from tests.fitting.made import K, blobs
from vaeclust_jax.methods.information import InformationMax, imsat
from vaeclust_jax.metrics import scores
from vaeclust_jax.types import Batch

X, Y = blobs()
NETWORK = vc.MLP(hidden=(16,), latent_dim=3)
NETWORKS = NETWORK.build((5,))
CONFIG = vc.Config(InformationMax(K, epochs=40), vc.PrepareConfig(validation=0.0), NETWORK, vc.TrainingConfig(24, 0.01))
ABOUT = vc.About(NETWORKS, 3, len(X), 24, 1e-2, 10, False, shape=(5,))
BATCH = Batch(jnp.asarray(X[:20]), None, jnp.arange(20), jnp.ones(20))


class _Held:
    """Rows as a start sees them."""

    x, y, weight = jnp.asarray(X), None, None


step = cache(lambda learner: jax.jit(learner.step))


def started() -> tuple[vc.Learner, vc.State]:
    (stage,) = CONFIG.method.resolved(vc.DataSpec((5,), len(X))).stages(ABOUT)
    return stage.learner, stage.start(jax.random.split(jax.random.key(0), 1), [None], _Held())[0]


@pytest.mark.long
def test_it_finds_clusters() -> None:
    run = vc.fit(CONFIG, X, 0)
    assert scores(Y, run.predict(X), None)["acc"] > 0.95
    assert run.predict_proba(X).max(axis=1).mean() > 0.9
    parts = run.history[-1]
    assert parts["loss"] == pytest.approx(
        parts["instability"] + 0.1 * (parts["conditional"] - 4 * parts["marginal"]), abs=1e-4
    )
    log_q = log_softmax(run.embed(X) @ np.asarray(run.params["kernel"]).T + np.asarray(run.params["bias"]), axis=1)
    np.testing.assert_allclose(run.predict_proba(X), np.exp(log_q), atol=1e-5)
    x = run.preparation.rows(X)
    expected = 0.1 * (entropy(np.exp(log_q), axis=1).mean() - 4 * entropy(np.exp(log_q).mean(axis=0)))
    assert run.config.method.objective(run.heads, run.params, np.asarray(x)) == pytest.approx(expected, abs=1e-5)
    weight = np.linspace(0.5, 1.5, len(X))
    q = np.exp(log_q)
    expected = 0.1 * (
        np.average(entropy(q, axis=1), weights=weight) - 4 * entropy(np.average(q, axis=0, weights=weight))
    )
    assert run.config.method.objective(run.heads, run.params, np.asarray(x), weight) == pytest.approx(
        expected, abs=1e-5
    )


def test_rows_are_moved_a_share_of_the_distance_to_the_tenth_neighbour() -> None:
    _, state = started()
    np.testing.assert_allclose(state.memory.distance, np.sort(cdist(X, X), axis=1)[:, 10], rtol=1e-4)


def test_a_row_without_neighbours_apart_is_not_moved() -> None:
    """Of equal rows the tenth neighbour is at distance 0: nothing is divided by it."""
    learner, state = started()
    state = state._replace(memory=state.memory._replace(distance=jnp.zeros(len(X))))
    after, info = step(learner)(jax.random.key(1), state, BATCH)
    assert info["instability"] == 0
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(after.params))


def test_the_decoder_has_no_say_in_the_clusters() -> None:
    learner, state = started()
    louder = {**state.params, "decoder": jax.tree.map(lambda leaf: 3 * leaf + 1, state.params["decoder"])}
    one, other = (
        step(learner)(jax.random.key(1), state._replace(params=params), BATCH)[0].params
        for params in (state.params, louder)
    )
    for name in ("encoder", "kernel", "bias"):
        for a, b in zip(jax.tree.leaves(one[name]), jax.tree.leaves(other[name]), strict=True):
            np.testing.assert_array_equal(a, b)
    moved = zip(jax.tree.leaves(one["decoder"]), jax.tree.leaves(state.params["decoder"]), strict=True)
    assert all((a != b).any() for a, b in moved)


def test_padding_does_not_count() -> None:
    learner, state = started()
    padded = Batch(
        jnp.concatenate([BATCH.x, jnp.full((4, 5), 1e30)]),
        None,
        jnp.concatenate([BATCH.index, jnp.zeros(4, jnp.int32)]),
        jnp.concatenate([BATCH.weight, jnp.zeros(4)]),
    )
    plain, more = (jax.jit(learner.evaluate)(jax.random.key(1), state, batch) for batch in (BATCH, padded))
    for name in ("conditional", "marginal", "reconstruction"):
        assert float(more[name]) == pytest.approx(float(plain[name]), rel=1e-5), name
    gradient = jax.jit(
        jax.grad(lambda params: learner.evaluate(jax.random.key(1), state._replace(params=params), padded)["loss"])
    )
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient(state.params)))


def test_balance_draws_sizes_to_be_equal() -> None:
    learner, state = started()
    ends = []
    for balance in (0.0, 40.0):
        control = {**state.control, "balance": state.control["balance"]._replace(value=jnp.asarray(balance))}
        moved = state._replace(control=control)
        for _ in range(60):
            moved, info = step(learner)(jax.random.key(1), moved, BATCH)
        ends.append(float(info["marginal"]))
    assert ends[0] < ends[1] - 0.1
    assert ends[1] == pytest.approx(np.log(K), abs=0.01)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"radius": -0.1}, "radius must be at least 0 and finite, got -0.1"),
        ({"balance": float("nan")}, "balance must be at least 0 and finite, got nan"),
        ({"weight": float("inf")}, "weight must be at least 0 and finite, got inf"),
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"num_clusters": 0}, "num_clusters must be at least 1, got 0"),
        ({"num_clusters": 1000}, "num_clusters must be at most the number of training samples, got 1000 clusters for"),
        ({"likelihood": "bernoulli"}, r"likelihood 'bernoulli' needs values in \[0, 1\]"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(settings: dict[str, object], message: str) -> None:
    with pytest.raises(vc.InputError, match=message):
        vc.fit(replace(CONFIG, method=replace(CONFIG.method, **settings)), X, 0)


def test_too_few_rows_to_have_neighbours_are_refused() -> None:
    with pytest.raises(vc.InputError, match="IMSAT needs more than 10 training samples, got 10"):
        vc.fit(replace(CONFIG, method=InformationMax(2)), X[:10], 0)


def test_equal_settings_are_one_learner() -> None:
    settings = {"num_clusters": K, "num_samples": 9, "latent_dim": 3, "likelihood": "gaussian"}
    assert imsat(NETWORKS, **settings) is imsat(NETWORKS, **settings)
