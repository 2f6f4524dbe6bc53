"""Toys in two dimensions: what is drawn, how it is counted, and that the committed page is that of its rows."""

import numpy as np
import pytest

from benchmarks.quality import toys
from benchmarks.quality.rows import read_as
from benchmarks.quality.toys import METHODS, TOYS, Row, clusters, page


@pytest.mark.parametrize("toy", TOYS)
def test_every_seed_draws_anew(toy: str) -> None:
    (x, y), (other, _) = TOYS[toy](3), TOYS[toy](4)
    assert x.shape == (800 if toy == "spirals" else 500, 2)
    assert len(np.unique(y)) == (3 if "blobs" in toy else 2)
    assert not np.allclose(x, other)
    np.testing.assert_array_equal(x, TOYS[toy](3)[0])


def test_clusters_are_of_standardised_samples() -> None:
    (x, y), found = clusters("k-means", "blobs", 5)
    np.testing.assert_allclose([x.mean(axis=0), x.std(axis=0)], [[0, 0], [1, 1]], atol=1e-12)
    assert set(found) == set(y) == {0, 1, 2}


def test_the_page_has_means_over_seeds() -> None:
    rows = [Row("moons", "Ward", seed, 0.5 + 0.1 * seed, None) for seed in range(3)]
    assert "| moons | 0.600 ± 0.100 | 3 |" in page(rows)


def test_the_committed_page_is_that_of_the_committed_rows() -> None:
    folder = toys.BENCHMARKS
    rows = read_as(Row, folder / "results" / "quality" / "toys.json", "the table of toys")
    assert {row[:3] for row in rows} == {
        (toy, method, seed) for toy in TOYS for method in METHODS for seed in toys.SEEDS
    }
    assert page(rows) == (folder / "toys.md").read_text(encoding="utf-8")
    assert (folder / "results" / "quality" / "toys.png").stat().st_size > 10_000
