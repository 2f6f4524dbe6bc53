"""Clusters of very unequal sizes keep their shares in GraphDEC's target, where the graph shows them clearly."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import sparse

from vaeclust_jax.graph.neighbours import Graph
from vaeclust_jax.methods.dec_learner import refreshed
from vaeclust_jax.methods.dec_target import Target
from vaeclust_jax.methods.kept_shares import keeps_shares, log_shares
from vaeclust_jax.methods.refresh import Assigned

UNEQUAL = np.repeat([0, 1, 2], [90, 6, 4])


def graph_of(labels: np.ndarray, leading_out: float) -> Graph:
    """All joined, with that share of the edge weight leading out of each cluster."""
    same = labels[:, np.newaxis] == labels
    within, between = (one / np.maximum(one.sum(axis=1, keepdims=True), 1) for one in (same, ~same))
    return sparse.csr_array((1 - leading_out) * within + leading_out * between)


def test_shares_by_hand() -> None:
    np.testing.assert_allclose(np.exp(log_shares(UNEQUAL, 3)), [2.7, 0.18, 0.12], rtol=1e-6)


def test_an_empty_cluster_counts_as_the_smallest() -> None:
    shares = log_shares(np.repeat([0, 2], [95, 5]), 3)
    assert np.isfinite(shares).all()
    assert shares[1] == shares[2]


def test_rows_count_by_weight() -> None:
    labels, weight = np.array([0, 0, 1, 2]), np.array([45.0, 45.0, 6.0, 4.0])
    np.testing.assert_allclose(log_shares(labels, 3, weight), log_shares(UNEQUAL, 3))
    graph = graph_of(labels, 0.0)
    assert keeps_shares(graph, labels, 3, weight)
    assert not keeps_shares(graph, labels, 3)


@pytest.mark.parametrize(("leading_out", "kept"), [(0.02, True), (0.08, False)])
def test_unequal_sizes_are_believed_where_the_graph_shows_them_clearly(leading_out: float, kept: bool) -> None:
    assert keeps_shares(graph_of(UNEQUAL, leading_out), UNEQUAL, 3) is kept


@pytest.mark.parametrize("sizes", [(100, 100, 100), (150, 100, 80), (7,)])
def test_clusters_of_nearly_one_size_are_drawn_to_one(sizes: tuple[int, ...]) -> None:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    assert not keeps_shares(graph_of(labels, 0.0), labels, len(sizes))


def test_the_refresh_keeps_them() -> None:
    """Of clusters that have their shares already P is plain sharpening, which divides by nothing."""
    q = np.array([[0.8, 0.2], [0.7, 0.3], [0.9, 0.1], [0.2, 0.8]])
    target = Target(jnp.zeros((4, 2)), Assigned(jnp.zeros(4, int), jnp.ones(())), None, None, None)
    shares = jnp.asarray(np.log(q.sum(axis=0)))
    kept, drawn = (refreshed(target._replace(log_share=one), jnp.log(jnp.asarray(q))).p for one in (shares, None))
    np.testing.assert_allclose(kept, q**2 / (q**2).sum(axis=1, keepdims=True), rtol=1e-5)
    assert np.abs(np.asarray(kept) - np.asarray(drawn)).max() > 0.05
