"""Neighbours of very many points by FAISS, beside those of a k-d tree."""

import sys
import warnings

import numpy as np
import pytest

import vaeclust_jax as vc
from vaeclust_jax.graph import neighbours
from vaeclust_jax.graph.neighbours import Posterior, nearest, posterior_graph
from vaeclust_jax.graph.searched import nearly_nearest, recall

pytest.importorskip("faiss")


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    """Far from zero, where float32 has few digits left."""
    rng = np.random.default_rng(0)
    return 1e4 + rng.normal(size=(6000, 6)) + 8 * rng.integers(5, size=(6000, 1))


def test_nearly_all_are_found_and_those_are_right(points: np.ndarray) -> None:
    distances, numbers = nearly_nearest(points, 10)
    true, _ = nearest(points, 10)
    assert (numbers != np.arange(len(points))[:, np.newaxis]).all()
    between = np.linalg.norm(points[:, np.newaxis] - points[numbers], axis=2)
    np.testing.assert_allclose(distances, between, rtol=1e-3)
    assert (np.diff(distances, axis=1) >= -1e-5).all()
    assert np.isclose(distances, true, rtol=1e-3).mean() > 0.9
    assert 0.9 < recall(points, numbers) <= 1


def test_the_share_that_is_found_is_counted(points: np.ndarray) -> None:
    found = nearest(points, 4)[1]
    assert recall(points, found) == 1
    found[:, :2] = found[:, 2:]
    assert recall(points, found) == 0.5


@pytest.mark.long
def test_where_the_lists_hold_too_few_all_distances_are_taken(points: np.ndarray) -> None:
    distances, _ = nearly_nearest(points[:3000], 2500)
    np.testing.assert_allclose(distances, nearest(points[:3000], 2500)[0], rtol=1e-3)


def test_of_equal_points_none_is_its_own_neighbour() -> None:
    distances, numbers = nearly_nearest(np.zeros((400, 3)), 5)
    assert not distances.any()
    assert (numbers != np.arange(400)[:, np.newaxis]).all()


@pytest.mark.parametrize("installed", [True, False])
def test_a_person_is_told(points: np.ndarray, monkeypatch: pytest.MonkeyPatch, installed: bool) -> None:
    monkeypatch.setattr(neighbours, "MOST_EXACT", 500)
    if not installed:
        monkeypatch.setitem(sys.modules, "faiss", None)
        monkeypatch.setattr("vaeclust_jax.graph.searched.find_spec", lambda name: None)
        monkeypatch.setattr(neighbours, "can_search", lambda: False)
    few = points[::10]
    said = r"600 samples are looked for by FAISS, which finds \d+\.\d %" if installed else "by a tree, .*pip install"
    with pytest.warns(vc.InputWarning, match=said):
        graph = posterior_graph(Posterior(np.random.default_rng(0), few, np.full_like(few, -4)), num_draws=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        posterior_graph(Posterior(np.random.default_rng(0), few[:400], np.full((400, 6), -4.0)), num_draws=2)
    assert graph.shape == (600, 600)
