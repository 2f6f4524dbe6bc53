"""The neighbour graph of a posterior and the clusters that it shows: pure functions of arrays, on the host."""

NUM_NEIGHBOURS = 5
"""m, of each point in each draw of the codes."""

MAX_GROUPS = 6000
"""Micro-clusters that are merged at most, as a matrix of all pairs: 2 GB. There are n / 3.6 or so."""
