"""How often 95 % intervals over a few seeds hold the true mean: Student's t against the bootstrap, by simulation."""

from collections.abc import Callable

import numpy as np
import pytest

from vaeclust_jax.metrics import t_interval

TRIALS, RESAMPLES = 1500, 400
Draw = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]

SHAPES: dict[str, tuple[Draw, float]] = {  # draws, and their true mean
    "normal": (lambda rng, size: rng.normal(0.8, 0.03, size), 0.8),
    "skewed": (lambda rng, size: 0.9 - 0.05 * rng.gamma(2.0, 1.0, size), 0.8),
    "near 1": (lambda rng, size: rng.beta(19.0, 1.0, size), 0.95),
}
LEAST = {"normal": 0.94, "skewed": 0.9, "near 1": 0.87}


def by_t(samples: np.ndarray) -> np.ndarray:
    return np.array([t_interval(sample.tolist(), limits=(0.0, 1.0)) for sample in samples])


def by_percentiles(samples: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(1)
    index = rng.integers(0, samples.shape[1], (RESAMPLES, samples.shape[1]))
    return np.percentile(samples[:, index].mean(axis=2), (2.5, 97.5), axis=1).T


def coverage(intervals: np.ndarray, mean: float) -> float:
    return float(((intervals[:, 0] <= mean) & (mean <= intervals[:, 1])).mean())


@pytest.mark.parametrize("shape", list(SHAPES))
@pytest.mark.parametrize("n", [3, 5, 8])
def test_t_covers_and_the_bootstrap_does_not(shape: str, n: int) -> None:
    draw, mean = SHAPES[shape]
    samples = draw(np.random.default_rng(n), (TRIALS, n))
    t, bootstrap = coverage(by_t(samples), mean), coverage(by_percentiles(samples), mean)
    assert t >= LEAST[shape]
    assert bootstrap < min(t, 0.91)
    if shape == "normal":
        assert t <= 0.965  # no wider than it has to be: three standard errors


def test_an_interval_does_not_leave_the_range_of_the_score() -> None:
    draw, _ = SHAPES["near 1"]
    found = by_t(draw(np.random.default_rng(0), (200, 3)))
    assert found.max() == 1.0
    assert (found[:, 0] < found[:, 1]).all()
