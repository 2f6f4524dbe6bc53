"""How a time is taken: all that is compared runs in turn, so that a busy moment of the machine meets everyone."""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax

from benchmarks.case import Measured


def measure(functions: dict[str, Callable[[], Any]], repetitions: int, warmup: int = 1) -> dict[str, Measured]:
    """Times functions in turn: a, b, c, a, b, c, ...

    Args:
        functions: what to time under its name. jax arrays it returns are waited for; work of another library on a
            device it has to wait for itself.
        repetitions: timed rounds, at least 1.
        warmup: rounds before them that are not timed: compilation, first touch of memory.

    Returns:
        The seconds of one call for each name.
    """
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for number in range(warmup + repetitions):
        for name, function in functions.items():
            taken = _seconds_of(function)
            if number >= warmup:
                seconds[name].append(taken)
    return {name: measured(values) for name, values in seconds.items()}


def measured(values: Sequence[float]) -> Measured:
    """Median, lowest and highest of what was measured at least once."""
    return Measured(statistics.median(values), min(values), max(values), len(values))


def _seconds_of(function: Callable[[], Any]) -> float:
    start = time.perf_counter()
    jax.block_until_ready(function())
    return time.perf_counter() - start
