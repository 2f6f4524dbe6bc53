"""The neighbour graph of a posterior and the clusters that it shows: pure functions of arrays, on the host."""

NUM_NEIGHBOURS = 5
"""m, of each point in each draw of the codes."""

MAX_GROUPS = 6000
"""Micro-clusters that are merged at most, as a matrix of all pairs: 2 GB. There are n / 3.6 or so."""

_MOST_PRODUCTS, _MOST_VALUES = 10**13, 2**28
"""Of a search for the neighbours of all samples: minutes on two cores, and 1 GB."""


def in_reach(num_samples: int, size: int) -> bool:
    """Whether the neighbours of so many samples of so many values each are found within minutes and a gigabyte."""
    return num_samples**2 * size <= _MOST_PRODUCTS and num_samples * size <= _MOST_VALUES
