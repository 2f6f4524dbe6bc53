"""The shallow floor: each method is the one it is called, repeats itself, and says when it is left out."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import make_circles
from sklearn.metrics import adjusted_rand_score

import vaeclust_jax as vc
from tests.fitting.made import blobs, squares
from vaeclust_jax.baselines.shallow import FLOOR, SHALLOW, shallow_labels
from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.prepared import prepare
from vaeclust_jax.studies.assignments import floor

NAMES = ["k-means", "pca-gmm", "ward", "spectral", "graph", "average linkage", "PCA(2) + k-means"]
WITHOUT_CHANCE = {"ward", "graph", "average linkage"}
X, Y = blobs()


def apart(labels: np.ndarray, y: np.ndarray) -> float:
    return float(adjusted_rand_score(y, labels))


@pytest.mark.parametrize("name", NAMES)
def test_well_separated_clusters_are_found(name: str) -> None:
    (labels,) = shallow_labels(name, X, 3, [0])
    assert (labels.shape, labels.dtype) == ((120,), np.int32)
    assert set(labels) == {0, 1, 2}
    assert apart(labels, Y) >= (0.9 if name == "graph" else 1)  # a walk may lead a stray sample to another cluster


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_labels(name: str) -> None:
    x = np.random.default_rng(0).normal(size=(150, 6)).astype(np.float32)  # nothing to find: chance decides
    first, other, again = shallow_labels(name, x, 5, [3, 4, 3])
    np.testing.assert_array_equal(first, again)
    assert SHALLOW[name].random == (name not in WITHOUT_CHANCE)
    if not SHALLOW[name].random:
        np.testing.assert_array_equal(first, other)


@pytest.mark.parametrize("name", ["k-means", "pca-gmm"])
def test_another_seed_may_give_other_labels(name: str) -> None:
    x = np.random.default_rng(0).normal(size=(150, 6)).astype(np.float32)
    labels = shallow_labels(name, x, 5, range(4))
    assert min(apart(labels[0], other) for other in labels[1:]) < 0.999


def test_a_tight_cluster_within_a_wide_one_is_found_by_the_mixture_and_not_by_k_means() -> None:
    rng, y = np.random.default_rng(0), np.repeat([0, 1], 100)
    x = rng.normal(0, np.where(y == 0, 0.2, 8)[:, None], (200, 2))
    x = np.column_stack([x, np.zeros((200, 60))])  # more features than components
    found = {name: apart(shallow_labels(name, x, 2, [0])[0], y) for name in ("k-means", "pca-gmm")}
    assert found["pca-gmm"] > 0.9
    assert found["k-means"] < 0.2


def test_two_rings_are_found_on_the_graph_of_neighbours_alone() -> None:
    x, y = make_circles(200, factor=0.4, noise=0.02, random_state=0)
    found = {name: apart(shallow_labels(name, x, 2, [0])[0], y) for name in NAMES}
    assert found.pop("spectral") == 1
    assert found.pop("graph") > max(0.5, *found.values())


@pytest.mark.parametrize(("name", "method"), [("ward", "ward"), ("average linkage", "average")])
def test_hierarchies_are_those_of_scipy(name: str, method: str) -> None:
    from scipy.cluster.hierarchy import fcluster, linkage

    x = np.random.default_rng(1).normal(size=(60, 4))
    expected = fcluster(linkage(x, method), 4, criterion="maxclust")
    assert apart(shallow_labels(name, x, 4, [0])[0], expected) == 1


def test_two_components_see_what_varies_most_and_nothing_else() -> None:
    rng, y = np.random.default_rng(0), np.repeat([0, 1], 60)
    x = np.column_stack([10 * rng.normal(size=(120, 2)), y])  # the classes lie along the third
    assert apart(shallow_labels("PCA(2) + k-means", x, 2, [0])[0], y) < 0.1
    x[:, 2] *= 100
    assert apart(shallow_labels("PCA(2) + k-means", x, 2, [0])[0], y) == 1


@pytest.mark.slow  # numba compiles for half a minute
def test_umap_and_hdbscan_find_clusters_of_their_own_number() -> None:
    pytest.importorskip("umap", reason="the extra vaeclust_jax[umap] is not installed")
    first, again = shallow_labels("UMAP + HDBSCAN", X, 2, [0, 0])
    assert apart(first, Y) == 1  # three, though two were asked for
    np.testing.assert_array_equal(first, again)


def test_a_method_whose_library_is_missing_is_left_out_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SHALLOW, "UMAP + HDBSCAN", SHALLOW["UMAP + HDBSCAN"]._replace(needs="no_such_module"))
    found, skipped = floor_of(X, names=("UMAP + HDBSCAN", "PCA(2) + k-means"))
    assert list(found) == ["PCA(2) + k-means on features"]
    assert skipped == ["UMAP + HDBSCAN was left out: pip install 'vaeclust_jax[no_such_module]' brings it"]


@pytest.mark.parametrize("name", NAMES)
def test_fewer_samples_than_clusters_is_one_sentence(name: str) -> None:
    with pytest.raises(InputError) as caught:
        shallow_labels(name, X[:4], 5, [0])
    assert str(caught.value) == "x must hold at least 5 vectors, (n, F), got shape (4, 5)"


def test_images_are_no_vectors() -> None:
    with pytest.raises(InputError, match=r"\(n, F\), got shape \(120, 8, 8\)"):
        shallow_labels("k-means", squares()[0], 3, [0])


@pytest.mark.parametrize("name", ["k-means", "pca-gmm", "ward", "graph", "average linkage"])
def test_as_many_clusters_as_samples_are_the_samples(name: str) -> None:
    assert len(set(shallow_labels(name, X[:5], 5, [0])[0])) == 5


# As experiments use them -----------------------------------------------------------------------------


class Unread:
    """Labels that must not be looked at."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"labels were asked for {name}")


def floor_of(x: np.ndarray, seeds: tuple[int, ...] = (0, 1), names: Sequence[str] = FLOOR) -> Any:
    latents = [x.reshape(len(x), -1)[:, :3] + 0.01 * seed for seed in seeds]
    data = prepare(vc.PrepareConfig(scaling="none"), vc.data.checked_rows(x), Unread())
    return floor(data, 3, latents, seeds, names)


def test_every_method_is_run_on_the_data_and_on_the_latents_without_labels() -> None:
    found, skipped = floor_of(X)
    assert {name: len(answers) for name, answers in found.items()} == {
        "k-means on features": 2,
        "pca-gmm on features": 2,
        "pca-gmm on VAE latents": 2,
        "graph on features": 1,
        "ward on features": 1,
        "ward on VAE latents": 2,
        "spectral on features": 2,
        "spectral on VAE latents": 2,
    }
    assert skipped == []
    for name, answers in found.items():
        for answer in answers:
            assert apart(answer.labels, Y) >= (0.9 if name.startswith("graph") else 1)
            assert (answer.num_clusters, answer.log_q, answer.latents, answer.passes) == (3, None, None, None)


def test_images_are_clustered_as_the_model_sees_them() -> None:
    x = squares()[0][..., None]
    found, _ = floor_of(x, (4,))
    assert "k-means on pixels" in found
    (expected,) = shallow_labels("k-means", (x / 255).astype(np.float32).reshape(len(x), -1), 3, [4])
    np.testing.assert_array_equal(found["k-means on pixels"][0].labels, expected)


def test_what_is_not_meant_for_so_many_samples_is_left_out_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SHALLOW, "ward", SHALLOW["ward"]._replace(max_samples=119))
    monkeypatch.setitem(SHALLOW, "spectral", SHALLOW["spectral"]._replace(max_samples=120))
    found, skipped = floor_of(X)
    assert skipped == ["ward was left out: 120 samples are more than the 119 it is run for"]
    assert not [name for name in found if name.startswith("ward")]
    assert "spectral on features" in found
