"""Rows that stay on the host: a program asks for them while it runs."""

import weakref
from typing import Any, Protocol

import jax
import numpy as np
from jaxtyping import Array, Int


class HostRows(Protocol):
    """An array (n, ...), or rows that `numpy.asarray` reads parts of."""

    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102
    def __len__(self) -> int: ...
    def __getitem__(self, index: Any) -> Any: ...


@jax.tree_util.register_static
class Streamed:
    """Stands for an array of rows (n, ...) where that does not fit on the device.

    Inside a program, an index (an array of row numbers) calls the host for those rows, and the program is otherwise
    the one of an array: same keys, same batches, same numbers. Outside, an index gives rows of the host. A program is
    compiled for its rows, and outlives them: it must not keep their file open, hence the weak reference.

    Args:
        rows: float32; the caller keeps them.
    """

    dtype = np.dtype(np.float32)

    def __init__(self, rows: HostRows):
        self.shape = rows.shape
        self._rows = weakref.ref(rows)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> Any:
        if not isinstance(index, jax.core.Tracer):
            return self._rows()[index]  # type: ignore[index]
        answer = jax.ShapeDtypeStruct((*index.shape, *self.shape[1:]), self.dtype)
        return jax.pure_callback(self._read, answer, index, vmap_method="broadcast_all")

    def _read(self, index: Int[Array, "..."]) -> np.ndarray:
        numbers = np.asarray(index)
        rows = np.asarray(self[numbers.ravel()], self.dtype)
        return rows.reshape(*numbers.shape, *self.shape[1:])


def spaced(number: int, most: int) -> Int[np.ndarray, " m"]:
    """Row numbers, so many of a number, evenly spaced: data sets may be sorted by class."""
    return np.linspace(0, number - 1, min(number, most)).astype(int)
