"""Sample weights: one of two is two rows, one of zero is none, and those that say nothing change nothing."""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

import vaeclust_jax as vc
from tests.fitting.made import K, N, assert_same_bits, blobs, config, squares
from tests.fitting.test_bad_input import refused
from vaeclust_jax.data import mapped
from vaeclust_jax.fitting.resolve import check_sample_weight

VECTORS, CLASSES = blobs()
COUNTS = np.random.default_rng(0).integers(1, 4, N)
KEY = jax.random.key(0)
LONG = ("dec", "graph", "vade", "mixture")
CLUSTERING = [
    pytest.param(name, marks=pytest.mark.long if name in LONG else ())
    for name, method in vc.METHODS.items()
    if method.takes_weights and method.task == "clustering"
]


def test_who_takes_weights() -> None:
    taking = {name for name, method in vc.METHODS.items() if method.takes_weights}
    assert taking == {"kmeans", "dec", "graph", "vade", "mixture", "classifier", "stacked", "regressor", "forecaster"}


@pytest.mark.long
@pytest.mark.parametrize("method", CLUSTERING)
def test_whole_weights_give_the_clusters_of_repeated_rows(method: str) -> None:
    settings = config(method=method, pretrain_epochs=20)
    run = vc.fit(settings, VECTORS, KEY, sample_weight=COUNTS)
    again = vc.fit(settings, np.repeat(VECTORS, COUNTS, axis=0), KEY)
    assert adjusted_rand_score(run.predict(VECTORS), again.predict(VECTORS)) == 1
    assert adjusted_rand_score(run.predict(VECTORS), CLASSES) == 1


@pytest.mark.parametrize("method", CLUSTERING)
def test_rows_of_weight_zero_are_as_if_they_were_not_there(method: str) -> None:
    weight = (np.arange(N) % 5 > 0) * COUNTS
    nowhere = VECTORS.copy()
    nowhere[weight == 0] = 1e3
    run = vc.fit(config(method=method), nowhere, KEY, sample_weight=weight)
    kept = np.flatnonzero(weight)
    alone = vc.fit(config(method=method), VECTORS[kept], KEY, sample_weight=weight[kept])
    np.testing.assert_array_equal(run.train_index, kept[alone.train_index])
    assert_same_bits(run, alone)
    np.testing.assert_array_equal(run.cluster_mean, alone.cluster_mean)


@pytest.mark.long
@pytest.mark.parametrize("weight", [np.ones(N), np.full(N, 0.3), [7] * N], ids=["ones", "all .3", "a list of 7"])
def test_equal_weights_are_none_at_all(weight: Any, fitted: vc.Run) -> None:
    assert_same_bits(vc.fit(config(), VECTORS, jax.random.key(3), sample_weight=weight), fitted)


@pytest.mark.long
def test_weights_of_any_unit_are_the_same() -> None:
    """Powers of two, which lose no digit."""
    first = vc.fit(config(), VECTORS, KEY, sample_weight=COUNTS)
    for unit in (2.0**-1000, 2.0**1000):
        assert_same_bits(first, vc.fit(config(), VECTORS, KEY, sample_weight=COUNTS * unit))


def codes_of(run: vc.Run) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Latents, clusters and weights of the training rows."""
    rows = VECTORS[run.train_index]
    return run.embed(rows).astype(np.float64), run.predict(rows), COUNTS[run.train_index]


def test_scaling_and_centroids_are_weighted_means() -> None:
    run = vc.fit(config(method="kmeans", pretrain_epochs=20), VECTORS, KEY, sample_weight=COUNTS)
    z, labels, counts = codes_of(run)
    mean = np.average(run.prepare(VECTORS)[run.train_index], axis=0, weights=counts)
    np.testing.assert_allclose(mean, 0, atol=1e-6)
    for cluster in range(K):
        inside = labels == cluster
        centre = np.average(z[inside], axis=0, weights=counts[inside])
        np.testing.assert_allclose(run.centroids[cluster], centre, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(run.cluster_mean[cluster], centre, rtol=1e-4, atol=1e-5)
        posterior = np.exp(run.heads.encode(run.params, run.prepare(VECTORS)[run.train_index][inside])[1])
        own = np.diag(np.average(posterior, axis=0, weights=counts[inside]))
        expected = np.cov(z[inside].T, fweights=counts[inside], ddof=0) + own
        scale = run.cluster_scale[cluster].astype(np.float64)
        np.testing.assert_allclose(scale @ scale.T, expected, rtol=1e-3, atol=1e-5)


@pytest.mark.long
def test_shares_of_components_are_those_of_weights() -> None:
    weight = np.array([1.0, 2.0, 5.0])[CLASSES]
    run = vc.fit(config(method="mixture", pretrain_epochs=20), VECTORS, KEY, sample_weight=weight)
    q = run.predict_proba(VECTORS[run.train_index])
    shares = np.average(q, axis=0, weights=weight[run.train_index])
    np.testing.assert_allclose(np.exp(run.params["mixture"]["log_weights"]), shares, rtol=1e-2)
    assert np.abs(shares - q.mean(axis=0)).max() > 0.1


@pytest.mark.long
def test_seeds_that_vote_take_weights() -> None:
    settings = config(method="graph", pretrain_epochs=20)
    runs = vc.fit_seeds(settings, VECTORS, [0, 1], sample_weight=COUNTS)
    for run in runs:
        assert adjusted_rand_score(run.predict(VECTORS), CLASSES) == 1


@pytest.mark.long
def test_a_start_from_the_graph_takes_weights() -> None:
    settings = config(method="vade", pretrain_epochs=60, learning_rate=1e-2, start=vc.GraphStart())
    run = vc.fit(settings, VECTORS, KEY, sample_weight=COUNTS)
    assert adjusted_rand_score(run.predict(VECTORS), CLASSES) == 1


@pytest.mark.long
def test_images_are_centred_by_weight() -> None:
    images, _ = squares()
    run = vc.fit(config(), images, KEY, sample_weight=COUNTS)
    again = np.repeat(images[run.train_index], COUNTS[run.train_index], axis=0) / 255
    assert run.config.network.input_mean == pytest.approx(again.mean(), rel=1e-5)
    assert run.config.network.input_std == pytest.approx(again.std(), rel=1e-5)


@pytest.mark.long
def test_rows_that_stay_in_their_file_take_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "x.npy", VECTORS)
    expected = vc.fit(config(scaling="none"), VECTORS, KEY, sample_weight=COUNTS)
    monkeypatch.setattr(mapped, "_BYTES_IN_MEMORY", 100)
    found = vc.fit(config(scaling="none"), np.load(tmp_path / "x.npy", mmap_mode="r"), KEY, sample_weight=COUNTS)
    assert_same_bits(expected, found)


@pytest.mark.long
def test_a_classifier_learns_what_counts() -> None:
    """Two classes at one place: it says the one that counts for more."""
    x, y = np.ones((N, 5)), np.arange(N) % 2
    training = vc.TrainingConfig(learning_rate=1e-2)
    settings = vc.Config(vc.METHODS["classifier"](epochs=20), network=vc.MLP(hidden=(8,)), training=training)
    for heavy in (0, 1):
        run = vc.fit(settings, x, KEY, partial_labels=y, sample_weight=np.where(y == heavy, 10.0, 1.0))
        assert (run.predict(x) == heavy).all()


def test_a_fit_that_goes_on_has_the_same_weights(tmp_path: Path) -> None:
    settings, checkpoint = config(method="kmeans"), vc.Checkpoint(tmp_path / "kept")
    expected = vc.fit(settings, VECTORS, KEY, sample_weight=COUNTS, checkpoint=checkpoint)
    assert_same_bits(expected, vc.fit(settings, VECTORS, KEY, sample_weight=COUNTS, checkpoint=checkpoint))
    for other in (None, COUNTS[::-1]):
        with pytest.raises(vc.InputError, match="another fit"):
            vc.fit(settings, VECTORS, KEY, sample_weight=other, checkpoint=checkpoint)


# What cannot be used ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weight", "words"),
    [
        (np.zeros(N), ["a number above zero", "zeros only"]),
        (-np.ones(N), ["at least 0", "-1"]),
        (np.full(N, np.nan), ["finite", "nan"]),
        (np.full(N, np.inf), ["finite", "inf"]),
        (np.ones(N + 1), [f"each of {N} rows", f"({N + 1},)"]),
        (np.ones((N, 1)), [f"({N}, 1)"]),
        (1.0, ["()"]),
        (["1"] * N, ["<U1"]),
        (np.ones(N, complex), ["complex128"]),
        ([None] * N, ["object"]),
        ([[1], [1, 2]], ["sample_weight cannot be read as an array"]),
    ],
)
def test_weights_that_cannot_be_used(weight: Any, words: list[str]) -> None:
    refused("sample_weight", *words, sample_weight=weight)


def test_a_method_without_weights_refuses_them() -> None:
    gan = vc.Config(vc.METHODS["gan"](epochs=1), network=vc.MLP(hidden=(8,)))
    refused("GAN takes no sample_weight", settings=gan, sample_weight=np.ones(N))


def test_known_classes_and_weights_do_not_go_together() -> None:
    refused("partial_labels", "leave one of them out", sample_weight=np.ones(N), partial_labels=CLASSES)


def test_too_few_rows_that_count_are_too_few_samples() -> None:
    refused("num_clusters", "2 samples", settings=config(validation=0.0), sample_weight=np.arange(N) < 2)


def test_a_weight_that_float32_cannot_tell_from_zero_is_zero() -> None:
    np.testing.assert_array_equal(check_sample_weight([1e-39, 1.0, 0.0, 2e-38], 4), [0, 1, 0, 2e-38])
