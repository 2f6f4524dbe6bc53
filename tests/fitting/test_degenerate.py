"""Degenerate data through a VAE and its mixture: handled, or one clear sentence."""

from typing import Any

import jax
import numpy as np
import pytest

import vaeclust_jax as vc
from tests.fitting.made import blobs, config

X, _ = blobs()
DEGENERATE = {
    "duplicated points": X[np.arange(len(X)) % 3],
    "all points equal": np.repeat(X[:1], len(X), axis=0),
    "a constant feature": np.where(np.arange(5) == 2, 5.0, X).astype(np.float32),
    "singular covariances": X[:, [0, 1, 0, 1, 0]],
    "a component of one sample": np.concatenate([X[:-1], np.full((1, 5), 200.0, np.float32)]),
}
SETTINGS: dict[str, Any] = {"input_mean": 0.0, "input_std": 1.0, "pretrain_epochs": 3, "validation": 0.0}


@pytest.mark.long
@pytest.mark.parametrize("name", DEGENERATE)
@pytest.mark.parametrize("objective", [{"method": "mixture", "joint_epochs": 0}, {"method": "vade"}])
def test_degenerate_data_give_finite_probabilities(name: str, objective: dict[str, Any]) -> None:
    x = DEGENERATE[name]
    run = vc.fit(config(**SETTINGS, **objective), x, jax.random.key(0))
    q = run.predict_proba(x)
    assert np.isfinite(q).all()
    np.testing.assert_allclose(q.sum(axis=1), 1, atol=1e-5)
    assert np.isfinite(run.sample(jax.random.key(1), 3, cluster=0)).all()


@pytest.mark.parametrize("objective", [{"method": "mixture", "joint_epochs": 0}, {"method": "vade"}])
def test_more_clusters_than_samples(objective: dict[str, Any]) -> None:
    message = "num_clusters must be at most the number of training samples, got 9 clusters for 8 samples"
    with pytest.raises(vc.InputError, match=message):
        vc.fit(config(num_clusters=9, **SETTINGS, **objective), X[:8], jax.random.key(0))


@pytest.mark.parametrize(
    ("name", "objective"),
    [
        ("the graph of GraphDEC", {"method": "graph"}),
        ("start GraphStart", {"method": "vade", "start": vc.GraphStart()}),
    ],
)
def test_more_clusters_than_can_be_merged(
    name: str, objective: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vaeclust_jax.methods.method.MAX_GROUPS", 20)
    with pytest.raises(vc.InputError, match=f"{name} can show at most 20 clusters of 30 samples, got 21"):
        vc.fit(config(num_clusters=21, **SETTINGS, **objective), X[:30], jax.random.key(0))


def test_a_graph_start_needs_neighbours() -> None:
    with pytest.raises(vc.InputError, match="start GraphStart needs more than 5 training samples, got 5"):
        vc.fit(config(num_clusters=2, method="vade", start=vc.GraphStart(), **SETTINGS), X[:5], jax.random.key(0))
