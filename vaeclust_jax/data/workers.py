"""Many files one after the other, several at a time."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Found = TypeVar("Found")

_FEW = 200
"""Files for which threads are not worth their start."""
_AHEAD = 16
"""Files a thread that may be read before the first of them is taken."""


def in_order(function: Callable[[Item], Found], items: Sequence[Item], doing: str) -> Iterator[Found]:
    """What the function finds in each item, in their order; many are shared by threads, with a bar on a terminal.

    Args:
        function: releases the interpreter's lock, as decoders do.
        items: such as paths.
        doing: what the bar says.
    """
    if len(items) < _FEW:
        yield from map(function, items)
        return
    from tqdm import tqdm

    threads = min(8, os.cpu_count() or 1)
    bar = tqdm(total=len(items), desc=doing, unit=" files", delay=2, leave=False, disable=None)
    with ThreadPoolExecutor(threads) as pool, bar:
        for start in range(0, len(items), threads * _AHEAD):
            for found in pool.map(function, items[start : start + threads * _AHEAD]):
                bar.update()
                yield found
