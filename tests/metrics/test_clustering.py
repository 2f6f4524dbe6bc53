import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from vaeclust_jax.errors import InputError
from vaeclust_jax.metrics import active_units, clustering, populated_clusters, scores, summarise

KEYS = ["acc", "nmi", "ari", "ami", "silhouette"]


@pytest.fixture
def case():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 120)
    labels = np.where(rng.random(120) < 0.7, (y + 1) % 4, rng.integers(0, 4, 120))
    return y, labels, rng.normal(size=(120, 3)).astype(np.float32) + y[:, None]


def test_scores_agree_with_scikit_learn(case):
    y, labels, latents = case
    found = scores(y, labels, latents)
    assert list(found) == KEYS
    assert found["nmi"] == pytest.approx(reference.normalized_mutual_info_score(y, labels))
    assert found["ari"] == pytest.approx(reference.adjusted_rand_score(y, labels))
    assert found["ami"] == pytest.approx(reference.adjusted_mutual_info_score(y, labels))
    assert found["silhouette"] == pytest.approx(reference.silhouette_score(latents, labels))
    assert all(type(value) is float for value in found.values())


def test_silhouette_by_hand():
    # a = 1, b = 10.5 (or 9.5) for each sample of {0, 1} and {10, 11}
    expected = ((10.5 - 1) / 10.5 + (9.5 - 1) / 9.5) / 2
    found = scores(None, [0, 0, 1, 1], np.array([[0.0], [1.0], [10.0], [11.0]]))
    assert found["silhouette"] == pytest.approx(expected)


def test_without_classes_only_the_silhouette_is_defined(case):
    _, labels, latents = case
    found = scores(None, labels, latents)
    assert [found[key] for key in KEYS[:4]] == [None] * 4
    assert found["silhouette"] is not None


def test_without_latents_all_but_the_silhouette_is_defined(case):
    y, labels, latents = case
    found = scores(y, labels, None)
    assert list(found) == KEYS
    assert found == {**scores(y, labels, latents), "silhouette": None}
    assert scores(None, labels, None) == dict.fromkeys(KEYS)


def test_without_latents_labels_are_still_checked():
    with pytest.raises(InputError, match="labels must hold numbers from 0"):
        scores(None, [0, -1], None)
    with pytest.raises(InputError, match="y must have one entry per label, 2; got 3"):
        scores([0, 1, 2], [0, 1], None)


@pytest.mark.parametrize("labels", [[2, 2, 2], [0, 1, 2]])
def test_silhouette_not_defined(labels):
    assert scores(None, labels, np.eye(3))["silhouette"] is None


def test_perfect_clustering_scores_one(case):
    y, _, latents = case
    found = scores(y, 3 - y, latents)
    assert [found[key] for key in KEYS[:4]] == pytest.approx([1.0] * 4)


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(4)))
def test_relabelling_clusters_changes_no_score(order):
    rng = np.random.default_rng(1)
    y, labels, latents = rng.integers(0, 3, 60), rng.integers(0, 4, 60), rng.normal(size=(60, 2))
    assert scores(y, np.array(order)[labels], latents) == pytest.approx(scores(y, labels, latents))


def test_a_large_set_is_subsampled_by_seed(case, monkeypatch):
    monkeypatch.setattr(clustering, "SILHOUETTE_SAMPLES", 50)
    y, labels, latents = case
    first, again, other = (scores(y, labels, latents, seed=seed)["silhouette"] for seed in (0, 0, 1))
    assert first == again != other
    chosen = np.random.default_rng(0).choice(120, 50, replace=False)
    assert first == pytest.approx(reference.silhouette_score(latents[chosen], labels[chosen]))


def test_populated_clusters():
    assert populated_clusters([0, 4, 4], 6) == 2
    with pytest.raises(InputError, match="labels must hold numbers from 0 to 3; got 4"):
        populated_clusters([0, 4, 4], 4)


def test_active_units_counts_variances_above_the_threshold():
    rng = np.random.default_rng(0)
    means = rng.normal(size=(1000, 4)) * [1.0, 0.2, 0.05, 0.0] + 7
    assert active_units(means) == 2
    assert active_units(means, threshold=0.1) == 1
    assert active_units(np.zeros((5, 3), np.float32)) == 0


def test_active_units_is_strictly_above():
    means = np.array([[0.5], [-0.5]])  # variance 0.25
    assert active_units(means, threshold=0.25) == 0


def test_summary_of_seeds():
    rows = [{"acc": 0.5, "ari": 0.1}, {"acc": 0.7, "ari": None}, {"acc": 0.9, "ari": 0.3}]
    assert summarise(rows) == {
        "mean": {"acc": pytest.approx(0.7), "ari": None},
        "std": {"acc": pytest.approx(0.2), "ari": None},
    }


def test_one_seed_has_no_spread():
    assert summarise([{"acc": 0.5, "ari": None}]) == {
        "mean": {"acc": 0.5, "ari": None},
        "std": {"acc": None, "ari": None},
    }


def test_mistakes_are_named():
    with pytest.raises(InputError, match="at least one seed"):
        summarise([])
    with pytest.raises(InputError, match="same scores"):
        summarise([{"acc": 0.5}, {"nmi": 0.5}])
    with pytest.raises(InputError, match="latents must have one row per label, 2; got 3"):
        scores(None, [0, 1], np.eye(3))
    with pytest.raises(InputError, match="latents must hold finite"):
        scores(None, [0, 1], [[np.nan], [1.0]])
    with pytest.raises(InputError, match="latent_means must have shape"):
        active_units(np.zeros(3))
