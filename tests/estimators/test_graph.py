"""What is `VAEGraph`'s own."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.cluster.hierarchy import is_monotonic, is_valid_linkage
from sklearn.exceptions import NotFittedError

import vaeclust_jax as vc
from tests.estimators.conftest import MAKE
from tests.fitting.made import blobs
from vaeclust_jax.graph.neighbours import of_values, posterior_graph
from vaeclust_jax.keys import OBJECTIVE_GRAPH, key_of
from vaeclust_jax.methods.graph_starts import posterior_of
from vaeclust_jax.metrics import scores


@pytest.mark.long
def test_the_objective_has_the_target_of_the_graph_of_all_rows(x: np.ndarray) -> None:
    x = x[:45]  # no point has more neighbours than the target keeps
    estimator = MAKE["VAEGraph"](beta=0.5, gamma=50.0).fit(x)
    run = estimator._run()
    rows = run.prepare(x)
    posterior = posterior_of(key_of(0, OBJECTIVE_GRAPH), run.heads, run.params, rows)
    graph = posterior_graph(posterior, beside=of_values(rows), share=0.5).toarray()
    walk = graph / graph.sum(axis=1, keepdims=True)
    q = agreed = estimator.predict_proba(x).astype(float)
    for _ in range(30):
        agreed = 0.9 * walk @ agreed + 0.1 * q
    p = agreed**2 / agreed.sum(axis=0)
    p /= p.sum(axis=1, keepdims=True)
    mean, logvar = run.posterior(x)
    kl = (mean**2 + np.exp(logvar) - logvar - 1).sum(axis=1).mean() / 2
    cluster = (p * np.log(p / q)).sum(axis=1).mean()
    assert cluster > 1e-3
    assert estimator.objective_ == pytest.approx(-estimator.score(x) - 0.5 * kl + 50 * cluster, rel=1e-4)


@pytest.mark.long
def test_seeds_vote_before_the_best_is_kept() -> None:
    x, y = blobs()
    estimator = MAKE["VAEGraph"](n_init=2, pretrain_epochs=100, beta=0.1).fit(x)
    assert scores(y, estimator.labels_, x)["acc"] == 1.0
    stages = [row["stage"] for row in estimator.history_ if row["stage"] != "vae"]
    assert stages == ["joint", "joint", "shared-joint", "shared-joint"]


@pytest.mark.parametrize(
    ("parameters", "rows", "message"),
    [
        ({"n_clusters": 2}, 5, "needs more than 5 training samples, got 5"),
        ({"augment": 1.0}, 120, "augment moves images, got vectors"),
        ({"augment": -1.0}, 120, "'augment' parameter"),
        ({"joint_epochs": 0}, 120, "'joint_epochs' parameter"),
    ],
    ids=str,
)
def test_what_cannot_be_used_is_named(parameters: dict[str, Any], rows: int, message: str, x: np.ndarray) -> None:
    with pytest.raises(ValueError, match=message):
        MAKE["VAEGraph"](**parameters).fit(x[:rows])


@pytest.mark.parametrize(
    ("links", "message"),
    [
        ({"must_link": 5}, "must_link must be pairs of rows"),
        ({"must_link": None, "cannot_link": [(0, 120)]}, "cannot_link must name rows from 0 to 119"),
        ({"partial_labels": np.arange(120) // 30}, "hints name 4 classes, .* but n_clusters is 3"),
    ],
    ids=["no pairs", "no such row", "more classes than clusters"],
)
def test_hints_that_cannot_be_used_are_named(links: dict[str, Any], message: str, x: np.ndarray) -> None:
    with pytest.raises(vc.InputError, match=message):
        MAKE["VAEGraph"](n_clusters=3).fit(x, **links)


@pytest.mark.long
def test_any_number_of_clusters_after_one_fit(x: np.ndarray, tmp_path: Path) -> None:
    estimator = MAKE["VAEGraph"](validation_fraction=0.25).fit(x)
    assert is_valid_linkage(estimator.tree_)
    assert is_monotonic(estimator.tree_)
    assert len(estimator.cut(5)) == len(x)
    np.testing.assert_array_equal(np.unique(estimator.cut(5)), np.arange(5))
    assert len({*zip(estimator.cut(5).tolist(), estimator.cut(4).tolist(), strict=True)}) == 5
    estimator.save(tmp_path / "estimator")
    again = type(estimator).load(tmp_path / "estimator")
    np.testing.assert_array_equal(again.cut(5), estimator.cut(5))
    np.testing.assert_array_equal(again.cut(5, x[:7]), estimator.cut(5, x[:7]))
    with pytest.raises(ValueError, match=r"^n_clusters must lie in 1 to"):
        estimator.cut(0)
    with pytest.raises(NotFittedError):
        MAKE["VAEGraph"]().cut(2)
    with pytest.raises(ValueError, match="X has 4 features"):
        estimator.cut(2, x[:, :4])
