"""Rows that are stored in blocks, of which only a whole one can be read: chunks of Zarr, row groups of parquet."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from vaeclust_jax.errors import InputError

BYTES_OF_BLOCK = 2**20
"""What is read from a disk together, so that finding it costs little; smaller chunks are read several at a time."""
_MOST_BYTES = 2**28
"""Of one block: several are in memory at a time."""


class BlockFile(ABC):
    """Rows (n, ...) in blocks, read from the disk where somebody asks for them; see `mapped.Source`.

    Args:
        edges: the number of the first row of each block, and n.
        shape: (n, ...).
        dtype: of the rows.
        name: what errors call them.
    """

    scattered = False

    def __init__(self, edges: Int[np.ndarray, " b"], shape: tuple[int, ...], dtype: Any, name: str):
        self.edges, self.shape, self.dtype, self.name = edges, shape, np.dtype(dtype), name
        self._last: tuple[int, np.ndarray] | None = None
        self._lock = threading.Lock()
        size = int(np.diff(edges).max(initial=0)) * int(np.prod(shape[1:])) * self.dtype.itemsize
        if size > _MOST_BYTES:
            raise InputError(
                f"{name} is stored in parts of up to {size / 1e9:,.1f} GB, and each is read as a whole: "
                f"write it again with parts of at most {_MOST_BYTES / 1e6:,.0f} MB (chunks of Zarr, row_group_size of "
                "parquet)"
            )

    def read(self, numbers: Int[np.ndarray, " m"]) -> np.ndarray:
        """The rows of these numbers, in their order."""
        rows = np.empty((len(numbers), *self.shape[1:]), self.dtype)
        block = np.searchsorted(self.edges, numbers, side="right") - 1
        order = np.argsort(block, kind="stable")
        for places in np.split(order, np.flatnonzero(np.diff(block[order])) + 1):
            if len(places):
                rows[places] = self._kept(int(block[places[0]]))[numbers[places] - self.edges[block[places[0]]]]
        return rows

    def _kept(self, number: int) -> np.ndarray:
        """The block; the last one is kept, since a pass asks for its rows part by part."""
        with self._lock:
            if self._last is None or self._last[0] != number:
                try:
                    rows = self._block(number)
                except InputError:
                    raise
                except Exception as error:  # a file that is damaged, or gone, may fail in any way
                    raise InputError(f"{self.name} cannot be read any more: {str(error)[:250]}") from error
                self._last = number, rows
            return self._last[1]

    @abstractmethod
    def _block(self, number: int) -> np.ndarray:
        """Reads a block."""


class ZarrFile(BlockFile):
    """The rows of a Zarr array (n, ...).

    Args:
        array: opened for reading.
        name: what errors call it.

    Raises:
        InputError: it holds no numbers, or no rows of them, or its chunks are too large.
    """

    def __init__(self, array: Any, name: str):
        if array.dtype.kind not in "biuf":
            raise InputError(f"{name} must hold integers, booleans or floats, got dtype {array.dtype}")
        if array.ndim not in (2, 3, 4) or 0 in array.shape:
            raise InputError(f"{name} must be vectors (n, F) or images (n, H, W) or (n, H, W, C), got {array.shape}")
        self._array = array
        n, size = array.shape[0], int(np.prod(array.shape[1:])) * array.dtype.itemsize
        chunk = array.chunks[0]
        rows = chunk * max(1, BYTES_OF_BLOCK // (chunk * size))
        super().__init__(np.append(np.arange(0, n, rows), n), array.shape, array.dtype, name)

    def _block(self, number: int) -> np.ndarray:
        return np.asarray(self._array[self.edges[number] : self.edges[number + 1]])


class ParquetFile(BlockFile):
    """The rows of numeric columns in shards of parquet, one shard below the other.

    Args:
        paths: of the shards; those without rows are passed over.
        columns: their names, in the order of the features.
        dtype: that all of them have room in.
        name: what errors call them.
    """

    def __init__(self, paths: Sequence[Path], columns: Sequence[str], dtype: Any, name: str):
        from pyarrow import parquet

        self._columns = list(columns)
        self._groups: list[tuple[Path, int]] = []
        counts = []
        for path in paths:
            known = parquet.read_metadata(path)
            for group in range(known.num_row_groups):
                if rows := known.row_group(group).num_rows:
                    self._groups.append((path, group))
                    counts.append(rows)
        edges = np.concatenate([[0], np.cumsum(counts, dtype=int)])
        super().__init__(edges, (int(edges[-1]), len(self._columns)), dtype, name)

    def _block(self, number: int) -> np.ndarray:
        from pyarrow import parquet

        from vaeclust_jax.data.kinds import to_numbers

        path, group = self._groups[number]
        with parquet.ParquetFile(path) as file:
            table = file.read_row_group(group, columns=self._columns)
        rows = np.empty((len(table), len(self._columns)), self.dtype)
        if len(table) != self.edges[number + 1] - self.edges[number]:
            raise InputError(f"{path} is another file than when reading began: its rows are {len(table)} now")
        for place, name in enumerate(self._columns):
            numbers = to_numbers(table[name])
            assert numbers is not None, "its schema was read"
            with np.errstate(over="ignore"):
                rows[:, place] = numbers
        return rows
