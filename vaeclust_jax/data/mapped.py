"""Arrays that stay in their file (`numpy.memmap`): rows are read and prepared where somebody asks for them."""

import math
import mmap
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from vaeclust_jax.errors import InputError
from vaeclust_jax.machine import memory

_BYTES_IN_MEMORY = 2**28
"""A mapped array up to this size is read as a whole, like any other."""
_BYTES_AT_ONCE = 2**24
"""Of the raw rows that a pass over all of them reads together."""


_SHARE = 0.25
"""Of the memory: a larger array is made in a file, or left in its own."""


class _File:
    """A mapped array that does not fill the process's memory with its pages."""

    _BYTES_MAPPED = 2**28
    _BYTES_AROUND = 2**21  # of a page that is touched the system may map the whole huge page

    def __init__(self, array: np.ndarray, mapping: Any):
        self.array = array
        # Pages of a private mapping ("c") may hold changes that are nowhere else.
        self._map = mapping._mmap if mapping.mode != "c" and hasattr(mmap, "MADV_DONTNEED") else None
        self._bytes = 0

    def read(self, numbers: np.ndarray) -> np.ndarray:
        if self._map is None:
            return self.array[numbers]
        rows = np.empty((len(numbers), *self.array.shape[1:]), self.array.dtype)
        step = max(1, self._BYTES_MAPPED // self._BYTES_AROUND)
        for start in range(0, len(numbers), step):
            part = numbers[start : start + step]
            rows[start : start + step] = self.array[part]
            apart = len(part) * (self.array[:1].nbytes + self._BYTES_AROUND)
            together = (int(part.max()) - int(part.min()) + 1) * abs(self.array.strides[0]) + self._BYTES_AROUND
            self._bytes += min(apart, together)
            if self._bytes > self._BYTES_MAPPED:
                self._map.madvise(mmap.MADV_DONTNEED)  # they stay in the system's cache
                self._bytes = 0
        return rows


@dataclass(frozen=True, eq=False)
class MappedRows:
    """Rows of a mapped array in the place of an array in memory.

    An index (a slice or an array of row numbers) gives `MappedRows` again and reads nothing; `numpy.asarray` reads.
    """

    _file: _File
    _numbers: np.ndarray
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

    def __getitem__(self, index: Any) -> "MappedRows":
        return replace(self, _numbers=self._numbers[index])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self._convert(self._file.read(self._numbers)).astype(dtype or self.dtype, copy=False)

    def converted(self, convert: Callable[[np.ndarray], np.ndarray]) -> "MappedRows":
        """The same rows, with a function of rows (n, ...) applied to what is read."""
        before = self._convert
        return _rows(self._file, self._numbers, lambda rows: convert(before(rows)))


Rows = np.ndarray | MappedRows


def mapped_rows(x: object, check: Callable[[np.ndarray], np.ndarray]) -> MappedRows | None:
    """The rows of a mapped array that is too large to be read as a whole; None for anything else.

    Args:
        x: anything; views of a mapped array count too.
        check: applied to all rows that are read, such as `check_array`.
    """
    if isinstance(x, MappedRows):
        return x
    mapping = _mapping(x)
    if mapping is None or not isinstance(x, np.ndarray) or x.nbytes <= _BYTES_IN_MEMORY or x.ndim == 0:
        return None
    return _rows(_File(x, mapping), np.arange(len(x)), check)


def is_streamed(x: object) -> bool:
    """Whether `mapped_rows` leaves `x` in its file."""
    return mapped_rows(x, lambda rows: rows) is not None


def chunks(x: Rows) -> Iterator[np.ndarray]:
    """All rows in their order: an array in memory as it is, mapped ones in parts that are read one by one."""
    if isinstance(x, np.ndarray):
        yield x
        return
    size = max(1, _BYTES_AT_ONCE // max(1, x._file.array[:1].nbytes))
    for start in range(0, len(x), size):
        yield np.asarray(x[start : start + size])


def weighted_chunks(x: Rows, weight: np.ndarray | None) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """`chunks`, each with what its rows count."""
    start = 0
    for part in chunks(x):
        end = start + len(part)
        yield part, None if weight is None else weight[start:end]
        start = end


def extremes(x: Rows, axis: int | None = None) -> tuple[Any, Any]:
    """Smallest and largest value, of each feature with `axis=0`."""
    low, high = zip(*((part.min(axis=axis), part.max(axis=axis)) for part in chunks(x)), strict=True)
    return np.min(low, axis=0), np.max(high, axis=0)


class Moments(NamedTuple):
    """Mean and variance in float64 of what was read so far."""

    rows: float = 0
    """What they count together."""
    mean: Any = np.float64(0)
    variance: Any = np.float64(0)

    def and_of(self, part: np.ndarray, axis: int | None = None, weight: np.ndarray | None = None) -> "Moments":
        """The moments of these and of further rows (Chan, Golub and LeVeque 1983), which may count by weight."""
        count = len(part) if weight is None else float(weight.sum(dtype=np.float64))
        rows = self.rows + count
        share = count / rows
        middle, spread = _mean_and_variance(part, axis, weight)
        step = middle - self.mean
        variance = (1 - share) * self.variance + share * spread + share * (1 - share) * step**2
        return Moments(rows, self.mean + share * step, variance)


def _mean_and_variance(part: np.ndarray, axis: int | None, weight: np.ndarray | None) -> tuple[Any, Any]:
    if weight is None:
        return part.mean(axis=axis, dtype=np.float64), part.var(axis=axis, dtype=np.float64)

    def mean(values: np.ndarray) -> Any:
        of_features = np.average(values.astype(np.float64), axis=0, weights=weight)
        return of_features if axis == 0 else of_features.mean()

    middle = mean(part)
    return middle, mean(np.square(part - middle))


def moments(x: Rows, axis: int | None = None, weight: np.ndarray | None = None) -> tuple[Any, Any]:
    """Mean and standard deviation in float64, of each feature with `axis=0`; rows count by weight."""
    found = Moments()
    for part, counts in weighted_chunks(x, weight):
        found = found.and_of(part, axis, counts)
    return found.mean, np.sqrt(found.variance)


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


def _rows(file: _File, numbers: np.ndarray, convert: Callable[[np.ndarray], np.ndarray]) -> MappedRows:
    like = convert(file.read(numbers[:1]))
    return MappedRows(file, numbers, convert, like.shape[1:], like.dtype)


def _mapping(x: Any) -> Any:
    """The `numpy.memmap` that an array is a view of, or None."""
    while isinstance(x, np.ndarray) and not isinstance(x, np.memmap):
        x = x.base
    return x if getattr(x, "_mmap", None) is not None else None
