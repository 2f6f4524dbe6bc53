"""Noise by the tree's micro-clusters: of points that were thrown in, beside HDBSCAN of the points themselves."""

import numpy as np
import pytest
from sklearn.cluster import HDBSCAN
from sklearn.datasets import make_moons
from sklearn.metrics import precision_score, recall_score

from vaeclust_jax.errors import InputError, InputWarning
from vaeclust_jax.graph.clusters import merged_clusters
from vaeclust_jax.graph.neighbours import Posterior, posterior_graph
from vaeclust_jax.graph.noise import LEAST, Dense, dense_parts
from vaeclust_jax.graph.tree import Tree, tree_of


def with_noise(seed: int, n: int = 600, thrown_in: int = 150) -> tuple[np.ndarray, np.ndarray]:
    """Two moons with points all over the place: (n, 2), and which those are."""
    moons, _ = make_moons(n, noise=0.05, random_state=seed)
    noise = np.random.default_rng(seed).uniform([-2, -1.5], [3, 2], (thrown_in, 2))
    return np.concatenate([moons, noise]).astype(np.float32), np.arange(n + thrown_in) >= n


def tree_in(z: np.ndarray) -> Tree:
    graph = posterior_graph(Posterior(np.random.default_rng(0), z.astype(float), np.full_like(z, -8.0)), 4)
    return tree_of(merged_clusters(graph, 2).merges, z, np.arange(len(z)))


@pytest.mark.parametrize("seed", range(3))
def test_what_was_thrown_in_is_found_as_hdbscan_of_the_samples_finds_it(seed: int) -> None:
    z, thrown = with_noise(seed)
    found = tree_in(z).noise()
    samples = HDBSCAN(35, copy=True).fit_predict(z) < 0
    assert precision_score(thrown, found) > max(0.9, precision_score(thrown, samples) - 0.05)  # by chance .2
    assert recall_score(thrown, found) > recall_score(thrown, samples) - 0.3


def test_new_samples_are_noise_where_the_nearest_micro_cluster_is_or_is_too_far() -> None:
    z, _ = with_noise(0)
    tree = tree_in(z)
    new, thrown = with_noise(50)
    assert precision_score(thrown, tree.noise(new)) > 3 * thrown.mean()
    assert tree.noise(np.array([[90.0, 90.0], [-40.0, 0.0]])).all()
    dense = dense_parts(tree.means)
    inside = np.flatnonzero(dense.part >= 0)
    assert not tree.noise(tree.means[inside]).any()
    assert tree.noise(tree.means[dense.part < 0]).all()
    two = Dense(np.array([0, -1]), np.array([1.0, 0.0]))
    assert two.noise(np.array([0, 0, 1]), np.array([1.0, 1.1, 0.0])).tolist() == [False, True, True]


def test_nothing_but_noise_is_said_and_too_few_are_refused() -> None:
    rng, grid = np.random.default_rng(0), np.stack(np.meshgrid(*2 * [np.arange(12.0)]), axis=-1).reshape(-1, 2)
    with pytest.warns(InputWarning, match="all samples are noise: the latents have no two dense parts of 10"):
        assert (dense_parts(grid).part < 0).all()
    with pytest.raises(InputError, match=rf"among {LEAST} micro-clusters or more, but the tree has 9"):
        dense_parts(rng.normal(size=(9, 2)))
