"""One clustering of several, against linkage by looking at all pairs, and votes that can be counted."""

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

import vaeclust_jax as vc


def noisy(seed: int, n: int = 24, k: int = 3, voters: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """A clustering, and some that each get a tenth of it wrong and name it otherwise."""
    rng = np.random.default_rng(seed)
    truth = np.arange(n) % k
    said = np.tile(truth, (voters, 1))
    wrong = rng.uniform(size=said.shape) < 0.1
    said[wrong] = rng.integers(k, size=wrong.sum())
    return truth, np.stack([rng.permutation(k)[one] for one in said])


def merged(apart: np.ndarray, k: int) -> list[set[int]]:
    """Average linkage by looking at all pairs of clusters, no two of which are as near."""
    clusters = [{row} for row in range(len(apart))]
    while len(clusters) > k:
        pairs = list(combinations(range(len(clusters)), 2))
        means = np.array([apart[np.ix_(sorted(clusters[a]), sorted(clusters[b]))].mean() for a, b in pairs])
        nearest, following = np.sort(means)[:2] if len(means) > 1 else (means[0], np.inf)
        assert following - nearest > 1e-6
        a, b = pairs[means.argmin()]
        clusters[a] |= clusters.pop(b)
    return clusters


@pytest.mark.filterwarnings("ignore:labels are read as 199 clusterings")
@pytest.mark.parametrize("k", [1, 2, 3, 5, 7])
@pytest.mark.parametrize("seed", [2, 4])
def test_co_association_is_average_linkage_of_who_is_together(seed: int, k: int) -> None:
    said = np.random.default_rng(seed).integers(4, size=(199, 7))
    apart = 1 - np.mean([one[:, np.newaxis] == one for one in said], axis=0)
    clusters = merged(apart, k)
    found = vc.consensus(said, k, how="co-association").labels
    assert sorted(map(sorted, clusters)) == sorted(np.flatnonzero(found == one).tolist() for one in range(k))


@pytest.mark.parametrize("how", ["votes", "co-association"])
@pytest.mark.parametrize("seed", range(5))
def test_mistakes_that_are_not_shared_are_outvoted(how: Any, seed: int) -> None:
    truth, said = noisy(seed)
    found = vc.consensus(said, how=how)
    assert adjusted_rand_score(truth, found.labels) == 1
    partner = [np.array([np.bincount(truth[one == c], minlength=3).argmax() for c in range(3)])[one] for one in said]
    np.testing.assert_allclose(found.stability, np.mean([one == truth for one in partner], axis=0))


def test_the_number_that_lives_longest_is_taken() -> None:
    # Together in all, in two of three, in none: 0, 1/3 and 1 apart. Two clusters live from 1/3 to 1.
    said = [[0, 0, 1, 1, 2, 2], [0, 0, 0, 0, 2, 2], [0, 0, 0, 0, 2, 2]]
    assert adjusted_rand_score(vc.consensus(said, how="co-association").labels, [0, 0, 0, 0, 1, 1]) == 1
    assert adjusted_rand_score(vc.consensus(said, 3, how="co-association").labels, said[0]) == 1
    assert len(np.unique(vc.consensus(said, 5, how="co-association").labels)) == 5
    assert vc.consensus([[0, 0, 0]] * 2, how="co-association").labels.tolist() == [0, 0, 0]


def test_of_any_clusterer_with_any_names_and_noise() -> None:
    x, y = make_blobs(150, centers=3, random_state=0, cluster_std=0.5, center_box=(-20, 20))
    x = np.vstack([x, [[100.0, 100.0]]])
    said: list[Any] = [
        HDBSCAN(min_cluster_size=10, copy=True).fit_predict(x),
        np.array(["c", "a", "b"])[np.append(y, 0)],
        pd.Series(np.append(y, -1)),
        [float(one) for one in np.append(y, -1)],
    ]
    found = vc.consensus(said)
    assert adjusted_rand_score(y, found.labels[:-1]) == 1
    assert found.labels[-1] == -1
    assert found.stability[-1] == 0.75
    assert repr(found).startswith("Consensus(3 clusters of 151 samples, 4 clusterings, mean stability ")
    assert repr(found).endswith(", 1 left out)")
    assert "<td" in found._repr_html_()
    linked = vc.consensus(said, how="co-association")
    np.testing.assert_array_equal(linked.labels == -1, found.labels == -1)
    assert adjusted_rand_score(linked.labels, found.labels) == 1


def test_seeds_that_differ_are_told_from_those_that_agree() -> None:
    x, _ = make_blobs(90, centers=[[0, 0], [1.5, 0], [20, 0]], cluster_std=0.5, random_state=0)
    found = vc.consensus([KMeans(3, n_init=1, random_state=seed).fit_predict(x[:, :2]) for seed in range(6)])
    far = x[:, 0] > 10
    assert found.stability[far].mean() >= found.stability[~far].mean()
    assert ((found.stability > 0) & (found.stability <= 1)).all()


def test_frames_have_a_row_a_sample() -> None:
    found = vc.consensus([[0, 0, 1], [1, 1, 0]])
    frame = found.to_frame(backend="pandas")
    assert list(frame.columns) == ["row", "cluster", "stability"]
    assert frame["cluster"].tolist() == [0, 0, 1]
    named = found.to_frame(pd.DataFrame({"a": [1, 2, 3]}, index=list("xyz")))
    assert list(named.index) == list("xyz")
    assert isinstance(found.to_frame(pl.DataFrame({"a": [1, 2, 3]})), pl.DataFrame)
    with pytest.raises(vc.InputError, match="x must have the 3 samples that were clustered, got 2"):
        found.to_frame(np.zeros((2, 4)))


def test_all_noise_and_one_sample_are_answered() -> None:
    for how in ("votes", "co-association"):
        noise = vc.consensus([[-1, -1], [-1, -1]], how=how)  # type: ignore[arg-type]
        assert noise.labels.tolist() == [-1, -1]
        assert noise.stability.tolist() == [1, 1]
        assert vc.consensus([[3], [7]], how=how).labels.tolist() == [0]  # type: ignore[arg-type]


def test_more_clusterings_than_samples_are_wondered_at() -> None:
    _, said = noisy(0)
    says = "read as 24 clusterings of 7 samples: if they are 7 clusterings of 24 samples, give labels.T"
    with pytest.warns(vc.InputWarning, match=says) as told:
        vc.consensus(said.T)
    assert told[0].filename == __file__


@pytest.mark.parametrize(
    ("labels", "more", "says"),
    [
        ([[0, 1]], {}, "labels must be at least two clusterings, got 1"),
        ([0, 1, 1], {}, r"labels must be like \[first, second\], each of shape \(n,\), got list of int"),
        (pd.DataFrame({"one": [0, 1], "two": [0, 1]}), {}, "got DataFrame of str"),
        (3, {}, "got int$"),
        ([[], []], {}, "labels must be of at least one sample, got none"),
        ([[0, 1], [0, 1, 2]], {}, r"labels\[1\] has 3 labels but x has 2 samples"),
        ([[0, 1], [0, 0.5]], {}, r"labels\[1\] must hold whole numbers, got 0.5"),
        ([[0, 1], [0, np.nan]], {}, r"labels\[1\] has missing labels"),
        ([[0, 1], [0, 1]], {"num_clusters": 2}, "num_clusters is for how='co-association'"),
        ([[0, 1], [0, 1]], {"how": "mean"}, "how must be one of votes, co-association, got 'mean'"),
        ([[0, 1], [0, 1]], {"how": "co-association", "num_clusters": 3}, "num_clusters must lie in 1 to 2"),
        ([[0, 1], [0, 1]], {"how": "co-association", "num_clusters": 0}, "num_clusters must lie in 1 to 2"),
        (np.zeros((2, 20_001), int), {"how": "co-association"}, "at most 20000 samples"),
    ],
)
def test_what_cannot_be_used_is_named(labels: Any, more: dict[str, Any], says: str) -> None:
    with pytest.raises(vc.InputError, match=says):
        vc.consensus(labels, **more)
