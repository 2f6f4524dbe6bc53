"""The neighbour graph of a posterior and the clusters that it shows: pure functions of arrays, on the host."""

NUM_NEIGHBOURS = 5
"""m, of each point in each draw of the codes."""

ALPHA, LONG = 0.99, 0.9999
"""alpha of walks of mean length 100, which merge micro-clusters, and 10,000 (`methods.shallow_starts`)."""

MAX_GROUPS = 10_000
"""Micro-clusters that are merged at most, as two matrices of all pairs: 1.6 GB. There are n / 3.6 or so.

Of MNIST's first 60,000 rows 15,644 joined to 8,000 or 10,000 have ACC .93; 3,219 had .79, two digits in one cluster.
At 15,644 OpenBLAS's Cholesky on two threads ends the process; from 2 to 16 threads it does not at 10,000.
"""

_MOST_PRODUCTS, _MOST_VALUES = 10**13, 2**28
"""Of a search for the neighbours of all samples: minutes on two cores, and 1 GB."""


def in_reach(num_samples: int, size: int) -> bool:
    """Whether the neighbours of so many samples of so many values each are found within minutes and a gigabyte."""
    return num_samples**2 * size <= _MOST_PRODUCTS and num_samples * size <= _MOST_VALUES
