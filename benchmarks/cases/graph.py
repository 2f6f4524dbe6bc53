"""N1: the graph stage of `vaegraph`, from posteriors to clusters, as the rows grow; and what joining twice changes.

Above 200,000 rows FAISS looks for neighbours, and the share that it finds is measured.
Above 10,000 micro-clusters (about 36,000 rows) they are joined again before they are merged. At 10,000 rows both ways
can be taken: their labels are held against each other, beside the labels that other draws of the same codes give.
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import adjusted_rand_score

from benchmarks.alone import run_alone
from benchmarks.case import Case, Effort, Row
from benchmarks.cases.mixtures import overlapping_blobs
from benchmarks.grow import slope
from benchmarks.timing import measured
from vaeclust_jax.graph import NUM_NEIGHBOURS
from vaeclust_jax.graph.clusters import graph_clusters
from vaeclust_jax.graph.neighbours import Graph, Posterior, posterior_graph
from vaeclust_jax.graph.searched import can_search, nearly_nearest, recall

SIZES = {"full": (10_000, 30_000, 70_000, 100_000, 300_000, 1_000_000), "quick": (1000, 4000), "smoke": (200, 1000)}
LATENT_DIM, CLUSTERS = 10, 10
EXPONENT = 1.15
LARGE = {70_000: (90.0, 4e9), 1_000_000: (1800.0, 8e9)}
"""Seconds and bytes at most, of so many rows on two cores."""


def graph_of(n: int, seed: int = 0) -> Graph:
    """The neighbour graph of made codes, n of them, from 16 draws."""
    mean = overlapping_blobs(n, LATENT_DIM, CLUSTERS).astype(float)
    return posterior_graph(Posterior(np.random.default_rng(seed), mean, np.full_like(mean, 2 * np.log(0.2))))


def agreement(n: int, limit: int) -> tuple[float, float]:
    """Adjusted Rand indices: of micro-clusters joined again, and of other draws, to the labels without either.

    Args:
        n: rows.
        limit: of micro-clusters, so low that they are joined again.
    """
    graph, other = graph_of(n), graph_of(n, seed=1)
    labels = graph_clusters(graph, CLUSTERS, max_groups=n)
    again = graph_clusters(graph, CLUSTERS, max_groups=limit)
    redrawn = graph_clusters(other, CLUSTERS, max_groups=n)
    return float(adjusted_rand_score(labels, again)), float(adjusted_rand_score(labels, redrawn))


def alone(n: int) -> tuple[float, int]:
    """Seconds of the whole graph stage of n rows, and peak bytes of the fresh process that does it once."""
    env = {"PYTHONPATH": str(Path(__file__).parents[2])}
    found = run_alone([sys.executable, "-m", "benchmarks.cases.graph", json.dumps(n)], env)
    return float(found.stdout), found.peak_bytes


def _run(effort: Effort) -> Iterator[Row]:
    sizes = SIZES[effort.name]
    taken, peaks = zip(*map(alone, sizes), strict=True)
    details: dict[str, Any] = {"sizes": sizes, "seconds": taken, "peak_bytes": peaks}
    span = f"{taken[0]:.2g} s at {sizes[0]}, {taken[-1]:.2g} s at {sizes[-1]}"
    yield _row("exponent of time: graph stage against rows", slope(sizes, taken), EXPONENT, details, span)
    for n, seconds, peak in zip(sizes, taken, peaks, strict=True):
        if n in LARGE or n == sizes[-1]:
            most = LARGE.get(n, (None, None))
            yield _row(f"graph stage, {n} rows", seconds, most[0], details, "the target is for two cores", unit="s")
            yield _row(f"graph stage, {n} rows, peak memory", peak, most[1], details, "all of it", unit="MB")
    if can_search():
        mean = overlapping_blobs(sizes[-1], LATENT_DIM, CLUSTERS).astype(float)
        share = recall(mean, nearly_nearest(mean, NUM_NEIGHBOURS)[1])
        yield _row(f"neighbours that FAISS finds, {sizes[-1]} rows", share, None, {}, "of 1000 rows; all below 200,000")
    exponent = slope(sizes, peaks)
    yield _row("exponent of memory: graph stage against rows", exponent, 1.1, details, "libraries included")
    small = min(10_000, sizes[-1])
    again, redrawn = agreement(small, small // 10)
    note = f"{small} rows; {redrawn:.3f} between two sets of draws, joined once"
    yield _row("micro-clusters joined twice against once, ARI", again, None, {"other_draws": redrawn}, note)


def _row(what: str, value: float, target: float | None, details: dict[str, Any], note: str, unit: str = "") -> Row:
    return Row(case="N1", what=what, unit=unit, ours=measured([value]), target=target, details=details, note=note)


CASES = [Case("N1", "growth of the graph stage with rows, and micro-clusters joined twice", _run, in_quick=False)]


if __name__ == "__main__":
    start = time.perf_counter()
    graph_clusters(graph_of(json.loads(sys.argv[1])), CLUSTERS)
    print(time.perf_counter() - start)
