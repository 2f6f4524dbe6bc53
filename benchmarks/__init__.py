"""Benchmarks: this library and its peers, interleaved in one process. `python -m benchmarks --help`."""
