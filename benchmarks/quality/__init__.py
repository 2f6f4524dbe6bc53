"""How well does each method cluster each data set? `python -m benchmarks.quality --help`."""
