"""Where training begins: with clusters of the method's own graph, or with far clearer ones that need no network."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, make_circles, make_classification, make_moons
from sklearn.metrics import adjusted_rand_score

import vaeclust_jax as vc
from tests.fitting.made import blobs, config
from vaeclust_jax.baselines.shallow import SHALLOW
from vaeclust_jax.folder.records.clustering import StartRecord
from vaeclust_jax.graph import LONG
from vaeclust_jax.graph.clarity import Separation
from vaeclust_jax.graph.clusters import graph_clusters
from vaeclust_jax.graph.neighbours import connected, of_values
from vaeclust_jax.methods.shallow_starts import (
    CLEARER,
    LONG_WALK,
    OF_GRAPH,
    OWN,
    SHALLOW_STARTS,
    began_with,
    named,
    shallow_starts,
)
from vaeclust_jax.studies.clarity import starts_of, starts_sentences


def test_far_clearer_clusters_begin_and_others_do_not() -> None:
    x, y = blobs()
    starts = shallow_starts(x, 3, of_values(x))
    assert starts is not None
    assert set(starts.labels) == set(starts.separations) == set(SHALLOW_STARTS)
    _, labels, scores = starts.begin(np.random.default_rng(0).permutation(y), 3)
    assert adjusted_rand_score(y, labels) == 1
    assert began_with(named(scores) or {}) in SHALLOW_STARTS
    moved = (y + 1) % 3
    _, labels, scores = starts.begin(moved, 3)
    assert labels is moved
    assert began_with(named(scores) or {}) == OWN


def test_the_graph_s_own_clusters_are_those_of_the_floor_and_asked_of_any_number_of_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x, _ = blobs()
    for name in ("spectral", "graph"):
        monkeypatch.setitem(SHALLOW, name, SHALLOW[name]._replace(max_samples=len(x) - 1))
    graph = of_values(x)
    before = graph.data.copy()
    starts = shallow_starts(x, 3, graph)
    assert starts is not None
    assert set(starts.labels) >= {"k-means", "pca-gmm", OF_GRAPH, LONG_WALK}
    assert "spectral" not in starts.labels
    np.testing.assert_array_equal(starts.labels[OF_GRAPH], SHALLOW["graph"].cluster(x, 3, 0))
    np.testing.assert_array_equal(graph.data, before)


@pytest.mark.parametrize("sizes", [(990, 10), (495, 5)])
def test_what_three_find_is_not_given_up_for_clusters_of_one_size(sizes: tuple[int, ...]) -> None:
    """Clarity alone cuts the large cluster in two."""
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(len(sizes), 5)) * 8
    y = np.repeat(np.arange(len(sizes)), sizes)
    x = (centres[y] + rng.normal(size=(len(y), 5))).astype(np.float32)
    starts = shallow_starts(x, len(sizes), of_values(x))
    assert starts is not None
    halves = np.arange(len(x)) % len(sizes)
    assert starts.separations["graph"].clarity > starts.separations["k-means"].clarity, "the trap"
    _, labels, scores = starts.begin(halves, len(sizes))
    assert adjusted_rand_score(y, labels) == 1
    clear = named(scores) or {}
    assert OWN not in clear
    assert set(clear) == {"k-means", "pca-gmm", "spectral"}
    _, _, scores = starts.begin(y, len(sizes))
    assert began_with(named(scores) or {}) == OWN


def unequal() -> tuple[np.ndarray, np.ndarray]:
    """Six Gaussian clusters of 2,000 to 50 samples."""
    rng = np.random.default_rng(1)
    sizes = [2000, 200, 200, 100, 100, 50]
    centres = rng.normal(size=(6, 5)) * (4 / np.sqrt(2))
    x = np.concatenate([rng.normal(size=(n, 5)) * rng.uniform(0.5, 1.2) + centres[i] for i, n in enumerate(sizes)])
    return ((x - x.mean(axis=0)) / x.std(axis=0)).astype(np.float32), np.repeat(np.arange(6), sizes)


def test_clearer_clusters_that_cut_more_do_not_begin() -> None:
    """k-means cuts the large cluster in pieces, and fewer than three methods find the same ones."""
    x, y = unequal()
    graph = of_values(x)
    own, starts = graph_clusters(graph, 6), shallow_starts(x, 6, graph)
    assert starts is not None
    _, labels, scores = starts.begin(own, 6)
    clear = named(scores) or {}
    assert clear["k-means"].clarity > clear[OWN].clarity + CLEARER, "the trap"
    assert clear["k-means"].cut > clear[OWN].cut
    assert began_with(clear) == OWN
    assert vc.metrics.accuracy(y, labels) > 0.95 > 0.65 > vc.metrics.accuracy(y, starts.labels["k-means"])


@pytest.mark.slow
def test_clusters_of_very_unequal_sizes_are_found() -> None:
    """If training begins with those of k-means the ACC is .60; if they do not keep their shares it is .96."""
    x, y = unequal()
    assert vc.metrics.accuracy(y, vc.cluster(x, 6).labels) > 0.975


def noisy() -> tuple[np.ndarray, np.ndarray]:
    """Four Gaussian clusters in 8 features, and 24 features that tell nothing."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 320)
    x = np.concatenate([(1.8 * rng.normal(size=(4, 8)))[y] + rng.normal(size=(320, 8)), rng.normal(size=(320, 24))], 1)
    return ((x - x.mean(axis=0)) / x.std(axis=0)).astype(np.float32), y


def test_a_graph_of_features_that_tell_nothing_is_left_for_clusters_without_neighbours() -> None:
    x, y = noisy()
    graph = of_values(x)
    own, starts = graph_clusters(graph, 4), shallow_starts(x, 4, graph)
    assert starts is not None
    assert vc.metrics.accuracy(y, own) < 0.85
    _, labels, scores = starts.begin(own, 4)
    clear = named(scores) or {}
    of_own, of_kmeans = clear[OWN], clear["k-means"]
    assert of_own.clarity < of_kmeans.clarity < of_own.clarity + CLEARER, "the usual rule would keep the graph's own"
    assert of_kmeans.cut < of_own.cut
    assert began_with(clear) == "k-means"
    assert vc.metrics.accuracy(y, labels) > 0.95


@pytest.mark.long
def test_features_that_tell_nothing_cost_no_clusters() -> None:
    x, y = noisy()
    found = vc.cluster(x, 4)
    assert vc.metrics.accuracy(y, found.labels) > 0.95
    assert vc.metrics.accuracy(y, found.run.cut(4)) > 0.95


def scaled(x: np.ndarray) -> np.ndarray:
    return ((x - x.mean(axis=0)) / x.std(axis=0)).astype(np.float32)


def spirals(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two arms, each one and a half turns long."""
    rng = np.random.default_rng(seed)
    y, turn = np.arange(800) % 2, np.sqrt(rng.random(800)) * 3 * np.pi + 0.6
    angle = turn + np.pi * y
    return np.c_[turn * np.cos(angle), turn * np.sin(angle)] + 0.1 * rng.normal(size=(800, 2)), y


THIN = {
    "moons": make_moons(500, noise=0.05, random_state=30),
    "noisy moons": make_moons(500, noise=0.1, random_state=1),
    "unequal moons": make_moons((400, 100), noise=0.05, random_state=3),
    "rings": make_circles(1000, factor=0.5, noise=0.05, random_state=0),
    "spirals": spirals(),
}
"""Clusters that a walk of 100 steps does not go round."""


@pytest.mark.parametrize("name", THIN)
def test_long_thin_clusters_that_lie_apart_begin(name: str) -> None:
    x, y = scaled(THIN[name][0]), THIN[name][1]
    graph = of_values(x)
    starts = shallow_starts(x, 2, graph)
    assert starts is not None
    own = starts.labels["graph"]
    assert adjusted_rand_score(y, own) < 0.2, "the trap"
    name, labels, scores = starts.begin(own, 2)
    assert name == began_with(named(scores) or {}) != OWN
    assert adjusted_rand_score(y, labels) > 0.9
    assert began_with(named(starts.begin(y, 2)[2]) or {}) == OWN


@pytest.mark.parametrize(
    ("own", "longer", "began"),
    [
        ((0.48, 4e-3), (0.49, 1e-4), LONG_WALK),
        ((0.48, 4e-3), (0.49, 1e-3), OWN),  # not far less
        ((0.48, 4e-3), (0.47, 1e-4), OWN),  # nor clearer
        ((0.48, 4e-3), (0.40, 1e-9), LONG_WALK),  # not cut
        ((0.48, 4e-8), (0.49, 0.0), LONG_WALK),
        ((0.48, 4e-8), (0.40, 0.0), OWN),  # neither is cut
    ],
)
def test_a_long_walk_begins_where_it_cuts_far_less_and_is_clearer_or_cuts_nothing(
    own: tuple[float, float], longer: tuple[float, float], began: str
) -> None:
    assert began_with({OWN: Separation(*own), LONG_WALK: Separation(*longer)}) == began


def test_a_long_walk_that_parts_a_few_samples_from_all_others_is_not_asked() -> None:
    x = scaled(load_breast_cancer().data)
    graph = of_values(x)
    assert np.bincount(graph_clusters(connected(graph, x), 2, LONG)).min() < 5, "the trap"
    starts = shallow_starts(x, 2, graph)
    assert starts is not None
    assert set(starts.labels) == set(SHALLOW_STARTS) - {LONG_WALK}


@pytest.mark.long
def test_a_fit_finds_two_moons() -> None:
    x, y = THIN["moons"]
    assert adjusted_rand_score(y, vc.cluster(x, 2).labels) > 0.98


@pytest.mark.long
def test_a_fit_does_not_lose_spirals() -> None:
    """Beside a noise of 1 two features have next to no latents: the adjusted Rand index is .01."""
    x, y = spirals(4)
    found = vc.cluster(x, 2)
    assert adjusted_rand_score(y, found.labels) > 0.9
    assert adjusted_rand_score(y, found.run.cut(2)) > 0.9


@pytest.mark.long
def test_a_fit_says_that_it_began_with_a_long_walk() -> None:
    x, y = THIN["unequal moons"]
    found = vc.cluster(x, 2)
    assert adjusted_rand_score(y, found.labels) > 0.98
    assert adjusted_rand_score(y, found.run.cut(2)) > 0.98
    (sentence,) = starts_sentences(starts_of([found.run], [0]))
    assert sentence.startswith(
        "Seed 0 began with the clusters of a long walk on the graph of the values, without a netw"
    )
    assert sentence.endswith("they are cut at most a tenth as much as those of the graph.")


def test_hints_number_and_move_clusters_that_need_no_network() -> None:
    x, y = blobs()
    known = np.full(len(x), -1)
    known[:20] = (y[:20] + 1) % 3
    starts = shallow_starts(x, 3, of_values(x), vc.Hints(known).constraints(len(x)))
    assert starts is not None
    for labels in starts.labels.values():
        assert (labels == (y + 1) % 3).all()


@pytest.mark.parametrize(("n", "k"), [(120, 1), (11, 3), (404, 101)])
def test_nothing_is_asked_of(n: int, k: int) -> None:
    x = np.random.default_rng(0).normal(size=(n, 3)).astype(np.float32)
    assert shallow_starts(x, k, of_values(x)) is None


@pytest.mark.long
def test_a_fit_says_what_it_began_with() -> None:
    x, _ = blobs()
    runs = vc.fit_seeds(config(method="graph"), x, [0, 1])  # which vote: the record is of what they began with
    record = starts_of(runs, [0, 1])
    assert record is not None
    assert [set(one.clarity) for one in record] == 2 * [{OWN}], "several methods find these blobs, and so does its own"
    assert [one.began for one in record] == [began_with(run.starts_ or {}) for run in runs]


@pytest.mark.long
def test_nothing_is_asked_without_the_graph_of_the_values_or_with_weights() -> None:
    x, y = blobs()
    for changes, weight in (({"value_share": 0.0}, None), ({}, 1.0 + y)):
        run = vc.fit(config(method="graph", **changes), x, 0, sample_weight=weight)
        assert run.starts_ is None
        assert starts_of([run], [0]) is None


def test_the_sentence_names_seeds_and_figures() -> None:
    clear = {OWN: 0.2, "k-means": 0.31, "spectral": 0.28}
    starts = [StartRecord(seed=s, began="k-means", clarity=clear) for s in (4, 6)]
    starts.append(StartRecord(seed=5, began=OWN, clarity=clear))
    assert starts_sentences(starts) == [
        "Seeds 4, 6 began with the clusters of k-means, without a network: they are clearer than those of the graph "
        "(0.31 against 0.20)."
    ]
    outvoted = {"k-means": 0.04, "pca-gmm": 0.04, "spectral": 0.04}
    assert starts_sentences([StartRecord(seed=0, began="k-means", clarity=outvoted)]) == [
        "Seed 0 began with the clusters of k-means, without a network: k-means, pca-gmm, spectral find the same ones, "
        "and the graph others."
    ]
    assert starts_sentences(None) == starts_sentences(starts[2:]) == []


@pytest.mark.slow
def test_gaussian_clusters_in_many_features_are_not_lost() -> None:
    """Before, VAE and graph lost what k-means finds: ACC .77 against .96."""
    x, y = make_classification(
        2000, n_features=40, n_informative=10, n_classes=6, n_clusters_per_class=1, class_sep=2.0, random_state=0
    )
    found = vc.cluster(x, 6)
    assert found.run.starts_ is not None
    assert began_with(found.run.starts_) != OWN
    assert vc.metrics.accuracy(y, found.labels) > 0.9
    known = np.full(len(x), -1)
    rows = np.random.default_rng(0).permutation(len(x))[:5]
    known[rows] = y[rows]
    hinted = vc.fit(found.run.config, x, 0, hints=vc.Hints(known))  # not from its own graph, far less clear
    assert began_with(hinted.starts_ or {}) != OWN
    assert vc.metrics.accuracy(y, hinted.predict(x)) > vc.metrics.accuracy(y, found.labels) - 0.01
