"""How many clusters: known numbers of blobs, oracles of the criteria, and what cannot be used."""

import numpy as np
import pytest
from scipy.cluster.hierarchy import linkage
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score
from sklearn.mixture import GaussianMixture

from vaeclust_jax.errors import InputError
from vaeclust_jax.graph.tree import layers_of
from vaeclust_jax.metrics import num_clusters_curve


def blobs(k: int, num_features: int = 3, n: int = 240) -> list[np.ndarray]:
    """Of three seeds: each has noise and axes of its own."""
    centres = 12 * np.random.default_rng(5).normal(size=(k, num_features))
    rngs = [np.random.default_rng(seed) for seed in (6, 7, 8)]
    noisy = [centres[np.arange(n) % k] + rng.normal(size=(n, num_features)) for rng in rngs]
    return [
        z @ np.linalg.qr(rng.normal(size=(num_features, num_features)))[0] for z, rng in zip(noisy, rngs, strict=True)
    ]


@pytest.mark.parametrize("k", [2, 4, 5])
def test_all_criteria_find_the_blobs_that_are_there(k: int) -> None:
    assert num_clusters_curve(blobs(k), range(2, 8), 0).best == dict.fromkeys(
        ("bic", "stability", "silhouette", "gap"), k
    )


@pytest.mark.long
def test_curves_equal_scikit_learn() -> None:
    vectors = blobs(4)
    curve, z = num_clusters_curve(vectors, [3, 4, 5], 1), vectors[0]
    expected = [GaussianMixture(k, n_init=3, random_state=1).fit(z).bic(z) for k in (3, 4, 5)]
    np.testing.assert_allclose(curve.bic, expected, rtol=1e-3)
    labels = [KMeans(k, n_init=3, random_state=1).fit_predict(z) for k in (3, 4, 5)]
    np.testing.assert_allclose(curve.silhouette, [silhouette_score(z, one) for one in labels], rtol=1e-6)
    for number, agreement in zip((3, 4, 5), curve.stability, strict=True):
        first, *others = (KMeans(number, n_init=3, random_state=1).fit_predict(one) for one in vectors)
        pairs = [(first, others[0]), (first, others[1]), (others[0], others[1])]
        assert agreement == pytest.approx(np.mean([adjusted_rand_score(*pair) for pair in pairs]))


def test_layers_are_logs_of_the_heights_between_which_a_tree_has_so_many_clusters() -> None:
    trees = [linkage(z, "ward")[:, 2] for z in blobs(4)]
    curve = num_clusters_curve(blobs(4), [2, 3, 4, 5], 0, [layers_of(heights) for heights in trees])
    expected = [np.mean([np.log(h[-k + 1] / h[-k]) for h in trees]) for k in (2, 3, 4, 5)]
    np.testing.assert_allclose(curve.layers, expected, rtol=1e-6)
    assert curve.best["layers"] == 4
    few = num_clusters_curve(blobs(4), [2, 3, 4], 0, [layers_of(trees[0][-3:])])  # four points have been merged
    assert few.layers is not None
    assert few.layers[2] == 0


def test_one_cloud_has_no_gap() -> None:
    """Tibshirani, Walther and Hastie's own null case: evenly spread samples."""
    z = np.random.default_rng(0).uniform(size=(300, 2))
    assert num_clusters_curve([z, z], range(2, 6), 0).best["gap"] == 2


@pytest.mark.parametrize(
    "z",
    [np.repeat(np.arange(4.0), 10)[:, None] * np.ones(3), np.eye(3)[np.arange(60) % 3]],
    ids=["duplicates on a line", "duplicates and singular covariances"],
)
def test_degenerate_vectors_have_finite_curves(z: np.ndarray) -> None:
    curve = num_clusters_curve([z, z], [2, 3, 4], 0)
    for name in ("bic", "stability", "silhouette", "gap", "gap_error"):
        assert np.isfinite(getattr(curve, name)).all(), name


@pytest.mark.parametrize("candidates", [[3], [1, 2], [2, 10], [2.0, 3]])
def test_candidates_that_cannot_be_used(candidates: list[int]) -> None:
    with pytest.raises(InputError, match="candidates must be at least two whole numbers from 2, below half of the 20"):
        num_clusters_curve([np.arange(40.0).reshape(20, 2)] * 2, candidates, 0)


@pytest.mark.parametrize(
    ("vectors", "got"), [([np.ones((9, 2))], r"1 of \[9\]"), ([np.eye(9), np.eye(8)], r"2 of \[8, 9\]")]
)
def test_vectors_of_one_seed_or_of_other_samples(vectors: list[np.ndarray], got: str) -> None:
    with pytest.raises(InputError, match=f"of the same samples and of at least two seeds, got {got} samples"):
        num_clusters_curve(vectors, [2, 3], 0)
