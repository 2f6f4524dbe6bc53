"""Rows that stay in their files: they are read and prepared where somebody asks for them."""

import math
import mmap
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from jaxtyping import Int

from vaeclust_jax.data.blocks import BYTES_OF_BLOCK, ZarrFile
from vaeclust_jax.data.numbers import AllBut, Numbers, place_of
from vaeclust_jax.errors import InputError
from vaeclust_jax.machine import memory

_BYTES_IN_MEMORY = 2**28
"""A mapped array up to this size is read as a whole, like any other."""
_BYTES_AT_ONCE = 2**24
"""Of the raw rows that a pass over all of them reads together."""


_SHARE = 0.25
"""Of the memory: a larger array is made in a file, or left in its own."""

MOST_SCATTERED = 2**20
"""Rows that are read one by one, in any order; more of them are read by blocks."""

SAMPLED = 2**15
"""Of rows that are read by blocks so many are in memory, evenly spaced: those held out, and what clusters start as."""
MOST_LABELS = 2**24
"""Of rows that stay in their files; more labels are left out."""


class Source(Protocol):
    """Rows (n, ...) on a disk.

    Attributes:
        edges: the number of the first row of each block that is best read together, and n.
        scattered: whether a row far from others may be read alone.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    edges: Int[np.ndarray, " b"]
    scattered: bool

    def read(self, numbers: Int[np.ndarray, " m"]) -> np.ndarray:
        """The rows of these numbers, in their order."""


class _File:
    """A mapped array that does not fill the process's memory with its pages."""

    scattered = True
    _BYTES_MAPPED = 2**28
    _BYTES_AROUND = 2**21  # of a page that is touched the system may map the whole huge page

    def __init__(self, array: np.ndarray, mapping: Any):
        self.array, self.shape, self.dtype = array, array.shape, array.dtype
        rows = max(1, BYTES_OF_BLOCK // max(1, array[:1].nbytes))
        self.edges = np.append(np.arange(0, len(array), rows), len(array))
        # Pages of a private mapping ("c") may hold changes that are nowhere else.
        self._map = mapping._mmap if mapping.mode != "c" and hasattr(mmap, "MADV_DONTNEED") else None
        self._bytes = 0

    def read(self, numbers: Int[np.ndarray, " m"]) -> np.ndarray:
        """The rows of these numbers, in their order."""
        if self._map is None:
            return self.array[numbers]
        if len(numbers) > 1 and 0 < int(numbers[-1]) - int(numbers[0]) < 2 * len(numbers) and _grow(numbers):
            return self._together(numbers)
        rows = np.empty((len(numbers), *self.array.shape[1:]), self.array.dtype)
        step = max(1, self._BYTES_MAPPED // self._BYTES_AROUND)
        for start in range(0, len(numbers), step):
            part = numbers[start : start + step]
            rows[start : start + step] = self.array[part]
            apart = len(part) * (self.array[:1].nbytes + self._BYTES_AROUND)
            together = (int(part.max()) - int(part.min()) + 1) * abs(self.array.strides[0]) + self._BYTES_AROUND
            self._bytes += min(apart, together)
            self._forget()
        return rows

    def _forget(self) -> None:
        """Gives back pages where they are many."""
        if self._map is not None and self._bytes > self._BYTES_MAPPED:
            self._map.madvise(mmap.MADV_DONTNEED)  # they stay in the system's cache
            self._bytes = 0

    def _together(self, numbers: Int[np.ndarray, " m"]) -> np.ndarray:
        """Of rows with few others between them: these are read, too."""
        first, last = int(numbers[0]), int(numbers[-1])
        rows = np.empty((last - first + 1, *self.shape[1:]), self.dtype)
        step = max(1, self._BYTES_MAPPED // max(1, abs(self.array.strides[0])))
        for start in range(0, len(rows), step):
            rows[start : start + step] = self.array[first + start : first + min(start + step, len(rows))]
            self._bytes += min(step, len(rows) - start) * abs(self.array.strides[0]) + self._BYTES_AROUND
            self._forget()
        return rows if len(rows) == len(numbers) else rows[numbers - first]


def _grow(numbers: Int[np.ndarray, " m"]) -> bool:
    return bool((np.diff(numbers) > 0).all())


@dataclass(frozen=True, eq=False)
class StoredRows:
    """Rows of a mapped array, of a Zarr array or of shards of parquet in the place of an array in memory.

    An index (a slice or an array of row numbers) gives `StoredRows` again and reads nothing; `numpy.asarray` reads.
    """

    _file: Source
    _numbers: Numbers
    _convert: Callable[[np.ndarray], np.ndarray]
    _sample_shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, ...), of the rows as they are read."""
        return (len(self._numbers), *self._sample_shape)

    @property
    def ndim(self) -> int:
        """Axes, as those of an array."""
        return len(self.shape)

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, index: Any) -> "StoredRows":
        return replace(self, _numbers=self._numbers[index])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        numbers = np.asarray(self._numbers)
        try:
            return self._convert(self._file.read(numbers)).astype(dtype or self.dtype, copy=False)
        except InputError as error:
            if len(numbers) == self._file.shape[0] or len(numbers) == 0:
                raise
            raise InputError(f"rows {numbers.min()} to {numbers.max()}: {error}") from error

    @property
    def by_blocks(self) -> bool:
        """Whether rows are read by blocks: they are too many to be read in any order, or stored so."""
        return not self._file.scattered or len(self) > MOST_SCATTERED

    @property
    def edges(self) -> Int[np.ndarray, " b"]:
        """The place of the first row of each block, and n; of rows in the order of their file."""
        return np.unique(place_of(self._numbers, self._file.edges))

    @property
    def nbytes(self) -> int:
        """Of all rows as they are read."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def said(self) -> str:
        """What becomes of rows that are read by blocks."""
        return (
            f"it takes {self.nbytes / 1e9:,.1f} GB, stays on the disk and is read by blocks; clusters begin with "
            f"{min(len(self), SAMPLED):,} rows, evenly spaced, and scores and figures are of these"
        )

    def without(self, places: Int[np.ndarray, " m"]) -> "StoredRows":
        """All rows but those at a few places."""
        assert isinstance(self._numbers, AllBut), "all rows of a file"
        return replace(self, _numbers=self._numbers.without(places))

    def converted(self, convert: Callable[[np.ndarray], np.ndarray]) -> "StoredRows":
        """The same rows, with a function of rows (n, ...) applied to what is read."""
        before = self._convert
        return _rows(self._file, self._numbers, lambda rows: convert(before(rows)))


Rows = np.ndarray | StoredRows


def mapped_rows(x: object, check: Callable[[np.ndarray], np.ndarray]) -> StoredRows | None:
    """The rows of a mapped or a Zarr array that is too large to be read as a whole; None for anything else.

    Args:
        x: anything; views of a mapped array count too.
        check: applied to all rows that are read, such as `check_array`.
    """
    if isinstance(x, StoredRows):
        return x
    if is_zarr(x):
        return stored_rows(ZarrFile(x, "x"), check) if x.nbytes > _BYTES_IN_MEMORY else None  # type: ignore[attr-defined]
    mapping = _mapping(x)
    if mapping is None or not isinstance(x, np.ndarray) or x.nbytes <= _BYTES_IN_MEMORY or x.ndim == 0:
        return None
    return stored_rows(_File(x, mapping), check)


def stored_rows(source: Source, check: Callable[[np.ndarray], np.ndarray]) -> StoredRows:
    """All rows of a source; `check` is applied to those that are read."""
    return _rows(source, AllBut(source.shape[0]), check)


def is_zarr(x: object) -> bool:
    """Whether it is an array of Zarr."""
    return type(x).__module__.partition(".")[0] == "zarr" and hasattr(x, "chunks")


def is_streamed(x: object) -> bool:
    """Whether `mapped_rows` leaves `x` in its file."""
    return mapped_rows(x, lambda rows: rows) is not None


def chunks(x: Rows) -> Iterator[np.ndarray]:
    """All rows in their order: an array in memory as it is, mapped ones in parts that are read one by one."""
    if isinstance(x, np.ndarray):
        yield x
        return
    source = x._file
    size = max(1, _BYTES_AT_ONCE // max(1, math.prod(source.shape[1:]) * source.dtype.itemsize))
    for start in range(0, len(x), size):
        yield np.asarray(x[start : start + size])


def parts_of(x: Rows) -> Iterator[Rows]:
    """`chunks` of rows that are read by blocks; all others together."""
    yield from chunks(x) if isinstance(x, StoredRows) and x.by_blocks else (x,)


def is_large(size: int) -> bool:
    """Whether so many bytes are more than a quarter of the memory, so that they are better left in a file."""
    room = memory()
    return room is not None and size > _SHARE * room


def is_mapped(x: object) -> bool:
    """Whether an array is in a file, however large it is."""
    return _mapping(x) is not None


def room_for(shape: tuple[int, ...], dtype: Any, where: str) -> tuple[np.ndarray, str]:
    """An array to be filled: in memory, or in a file without a name where it would take more than a quarter of that.

    Returns:
        The array, and a sentence if it is in a file.

    Raises:
        InputError: the disk cannot hold it.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if not is_large(size):
        return np.empty(shape, dtype), ""
    folder = tempfile.gettempdir()
    if size > shutil.disk_usage(folder).free:
        raise InputError(
            f"{where} take {size / 1e9:,.1f} GB as one array, more than memory and {folder} (TMPDIR) have room for: "
            "write --longest-side 128 or the like"
        )
    with tempfile.TemporaryFile(dir=folder) as file:
        array = np.memmap(file, dtype, "w+", shape=shape)  # which keeps the file open
    return array, f"they take {size / 1e9:,.1f} GB and are kept in a temporary file in {folder} (TMPDIR)"


def give_back(array: np.ndarray) -> None:
    """The memory of what was written to an array of `room_for` that is in a file."""
    mapping = _mapping(array)
    mapping.flush()
    if hasattr(mmap, "MADV_DONTNEED"):
        mapping._mmap.madvise(mmap.MADV_DONTNEED)


def _rows(file: Source, numbers: Numbers, convert: Callable[[np.ndarray], np.ndarray]) -> StoredRows:
    like = convert(file.read(np.asarray(numbers[:1])))
    return StoredRows(file, numbers, convert, like.shape[1:], like.dtype)


def _mapping(x: Any) -> Any:
    """The `numpy.memmap` that an array is a view of, or None."""
    while isinstance(x, np.ndarray) and not isinstance(x, np.memmap):
        x = x.base
    return x if getattr(x, "_mmap", None) is not None else None
