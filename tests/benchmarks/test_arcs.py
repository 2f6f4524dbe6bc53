"""Held-out arcs: contiguous poses of every object, whose nearest neighbours are those that the definition says."""

import numpy as np
import pytest

from benchmarks.quality import arcs
from benchmarks.quality.arcs import POSES, Point, held_out_rows, neighbour_share, page, read
from vaeclust_jax.metrics import t_interval


@pytest.mark.parametrize("seed", range(5))
def test_arcs_are_neighbouring_poses_of_every_object(seed: int) -> None:
    held = held_out_rows("arcs", 20 * POSES, seed).reshape(20, POSES)
    assert (held.sum(axis=1) == 14).all()
    assert (np.abs(np.diff(held, axis=1, append=held[:, :1]).astype(int)).sum(axis=1) == 2).all()  # one arc in a circle
    assert len({tuple(row) for row in held}) > 1  # not the same poses of all


def test_a_random_fifth_is_of_all_rows() -> None:
    held = held_out_rows("random", 1440, 0)
    assert held.sum() == 288
    assert (held != held_out_rows("random", 1440, 1)).any()


def test_neighbours_by_hand() -> None:
    """Objects at 0 and 10: one held-out image lies beside its own object's, one beside the other's."""
    x = np.array([[0.0], [1.0], [9.5], [10.0]])
    y = np.array([0, 0, 0, 1])
    assert neighbour_share(x, y, np.array([False, True, True, False])) == 0.5


def test_the_page_has_means_and_intervals_over_seeds() -> None:
    points = [Point("arcs", seed, 0.9, 0.5 + 0.1 * seed, 0.25, 9.0, None) for seed in range(3)]
    text = page(points)
    low, high = t_interval([0.5, 0.6, 0.7], limits=(0, 1)) or (0, 0)
    assert f"| arcs | 3 | 0.900 ± 0.000 | 0.600 ± 0.100 | {low:.3f} to {high:.3f} | 0.250 ± 0.000 | 9 |" in text
    assert "a random fifth |" not in text
    assert "| not defined |" in page(points[:1])


def test_the_committed_page_is_that_of_the_committed_rows() -> None:
    points = read(arcs.BENCHMARKS / "results" / "quality" / "arcs.json")
    assert {point.held_out for point in points} == set(arcs.FORMS)
    assert page(points) == (arcs.BENCHMARKS / "arcs.md").read_text(encoding="utf-8")
