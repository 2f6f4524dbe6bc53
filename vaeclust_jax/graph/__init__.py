"""The neighbour graph of a posterior and the clusters that it shows: pure functions of arrays, on the host."""

NUM_NEIGHBOURS = 5
"""m, of each point in each draw of the codes."""
