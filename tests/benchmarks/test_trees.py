"""The table of trees: HDBSCAN's tree is a linkage, and the committed page is that of the committed rows."""

import numpy as np
import pytest
from scipy.cluster.hierarchy import is_valid_linkage, linkage
from scipy.spatial.distance import pdist, squareform

from benchmarks.quality import trees
from benchmarks.quality.trees import Point, page, read
from vaeclust_jax.metrics import dendrogram_purity


def test_hdbscans_tree_is_the_single_linkage_of_mutual_reachability() -> None:
    """Campello et al. (2013): the largest of a distance and those of both rows to their fifth, themselves the first."""
    x = np.random.default_rng(0).normal(size=(60, 3))
    found = trees._hdbscan(x)
    assert is_valid_linkage(found)
    distances = squareform(pdist(x))
    core = np.sort(distances, axis=1)[:, trees._LEAST - 1]
    reach = np.maximum(distances, np.maximum(core[:, np.newaxis], core))
    expected = linkage(squareform(reach, checks=False), "single")
    np.testing.assert_allclose(found[:, 2], expected[:, 2], rtol=1e-6)


def test_layers_that_are_a_binary_tree_have_its_purity() -> None:
    """Four leaves in two branches, as layers and as a linkage matrix."""
    rng = np.random.default_rng(0)
    leaves, y = rng.integers(0, 4, 50), rng.integers(0, 3, 50)
    expected = dendrogram_purity([[0, 1, 1, 2], [2, 3, 1, 2], [4, 5, 2, 4]], y, leaves)
    assert expected is not None
    assert trees.layers_purity([leaves, leaves // 2], y) == pytest.approx(expected, abs=1e-12)


def test_rows_that_no_layer_holds_meet_above_the_last() -> None:
    layers, y = [np.array([0, 0, -1, -1])], np.array([0, 0, 1, 1])
    assert trees.layers_purity(layers, y) == pytest.approx((1 + 0.5) / 2)


def test_the_page_has_means_over_seeds() -> None:
    points = [Point("digits", "vaegraph", seed, 0.8 + 0.1 * seed, 60 + seed, 9.0, None) for seed in range(2)]
    points.append(Point("digits", "Ward on values", None, 0.5, 200, 0.2, None))
    text = page(points)
    assert "| digits | vaegraph | 2 | 0.850 ± 0.071 | 60 | 9 |" in text
    assert "| digits | Ward on values |  | 0.500 | 200 | 0 |" in text
    assert "coil20 |" not in text


def test_the_committed_page_is_that_of_the_committed_rows() -> None:
    points = read(trees.BENCHMARKS / "results" / "quality" / "trees.json")
    assert {point.dataset for point in points} == set(trees.DATASETS)
    assert {point.tree for point in points} == set(trees.TREES)
    assert page(points) == (trees.BENCHMARKS / "trees.md").read_text(encoding="utf-8")
