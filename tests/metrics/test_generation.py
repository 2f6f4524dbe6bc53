"""Scores of samples, against SciPy's matrix square root and counts by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from vaeclust_jax.errors import InputError
from vaeclust_jax.metrics.generation import frechet_distance, precision_recall

RNG = np.random.default_rng(0)


def by_scipy(a: np.ndarray, b: np.ndarray) -> float:
    covariances = np.atleast_2d(np.cov(a, rowvar=False)), np.atleast_2d(np.cov(b, rowvar=False))
    cross = np.real(np.trace(sqrtm(covariances[0] @ covariances[1])))
    return ((a.mean(axis=0) - b.mean(axis=0)) ** 2).sum() + sum(map(np.trace, covariances)) - 2 * cross


def by_hand(real: np.ndarray, generated: np.ndarray, k: int) -> tuple[float, float]:
    def among(samples: np.ndarray, others: np.ndarray) -> float:
        inside = 0
        for sample in samples:
            for other in others:
                radius = np.sort(np.linalg.norm(others - other, axis=1))[k]  # the 0th is itself
                if np.linalg.norm(sample - other) <= radius:
                    inside += 1
                    break
        return inside / len(samples)

    return among(generated, real), among(real, generated)


@pytest.mark.parametrize(("features", "rows", "others"), [(1, 20, 31), (3, 50, 40), (6, 200, 100)])
def test_frechet_distance_is_that_of_the_formula(features: int, rows: int, others: int) -> None:
    a = RNG.normal(size=(rows, features)) @ RNG.normal(size=(features, features))
    b = RNG.normal(1.0, 2.0, size=(others, features))
    assert frechet_distance(a, b) == pytest.approx(by_scipy(a, b), rel=1e-6)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(-50, 50))
def test_frechet_distance_of_a_moved_set_is_how_far_it_moved(seed: int, by: float) -> None:
    a = np.random.default_rng(seed).normal(size=(30, 4))
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(a, a + by) == pytest.approx(4 * by**2, rel=1e-6, abs=1e-6)


def test_fewer_rows_than_features_are_no_matter() -> None:
    """A covariance then has no full rank, whose root is real all the same."""
    a, b = RNG.normal(size=(5, 40)), RNG.normal(size=(6, 40)) + 3
    assert frechet_distance(a, b) == pytest.approx(by_scipy(a, b), rel=1e-3)


@pytest.mark.parametrize("k", [1, 3])
def test_precision_and_recall_are_counts(k: int) -> None:
    real, generated = RNG.normal(size=(40, 2)), RNG.normal(0.7, 1.5, size=(30, 2))
    found = precision_recall(real, generated, k)
    assert found == pytest.approx(by_hand(real, generated, k))
    assert 0 < found[0] < 1  # else the comparison would say nothing
    assert 0 < found[1] < 1


def test_samples_of_one_mode_are_precise_and_recall_half() -> None:
    modes = np.concatenate([RNG.normal(-9, 1, (50, 3)), RNG.normal(9, 1, (50, 3))])
    precision, recall = precision_recall(modes, modes[:50] + 1e-3)
    assert precision == 1
    assert recall == 0.5


@pytest.mark.parametrize(("a", "b"), [((3,), (3, 2)), ((9, 2), (9, 3)), ((1, 2), (9, 2)), ((9, 2), (1, 2))], ids=str)
def test_other_shapes_are_refused(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    for score in (frechet_distance, precision_recall):
        with pytest.raises(InputError, match="rows of the same features"):
            score(np.zeros(a), np.zeros(b))


def test_too_few_for_neighbours_are_refused() -> None:
    with pytest.raises(InputError, match="more than 3 samples"):
        precision_recall(np.zeros((3, 2)), np.zeros((9, 2)))
