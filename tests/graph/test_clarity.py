"""Clarity and cut against their formula on dense matrices, and what it must prefer."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from vaeclust_jax.graph.clarity import separation
from vaeclust_jax.graph.neighbours import of_values


def written_out(weights: np.ndarray, labels: np.ndarray, num_clusters: int) -> tuple[float, float]:
    cuts, entropy = [], 0.0
    for cluster in np.unique(labels):
        inside = labels == cluster
        volume = weights[inside].sum()
        cuts.append(weights[np.ix_(inside, ~inside)].sum() / volume if volume else 0.0)
        entropy -= inside.mean() * np.log(inside.mean())
    cuts += [1.0] * (num_clusters - len(cuts))  # empty clusters
    cut = float(np.mean(cuts))
    return entropy / np.log(num_clusters) / 2 - cut, cut


@given(st.integers(0, 2**32 - 1), st.integers(2, 6))
@settings(max_examples=50, deadline=None)
def test_it_is_half_the_entropy_less_the_mean_normalised_cut(seed: int, num_clusters: int) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.uniform(size=(14, 14)) * (rng.uniform(size=(14, 14)) < 0.4)
    weights = np.triu(weights, 1) + np.triu(weights, 1).T + np.diag(np.zeros(14))
    weights[0, 1] = weights[1, 0] = 1.0
    labels = rng.integers(0, num_clusters, 14)
    alone = weights.sum(axis=1) == 0
    labels[alone] = labels[0]  # a cluster without an edge has no cut to speak of
    found = separation(sparse.csr_array(weights), labels, num_clusters)
    np.testing.assert_allclose(found, written_out(weights, labels, num_clusters), atol=1e-12)


def test_clusters_that_are_there_are_clearest() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(120) % 3
    x = rng.normal(size=(120, 2)) + 9 * np.eye(3)[y][:, :2]
    graph = of_values(x)
    stray = np.zeros(120, int)
    stray[:2] = 1, 2
    for other in (rng.permutation(y), stray, y // 2):
        assert separation(graph, y, 3).clarity > separation(graph, other, 3).clarity + 0.1
    assert separation(graph, y, 3).clarity > 0.45
