"""Rows in an order that a disk can follow: an epoch's blocks are permuted, and rows within a window of them.

Rows far apart cost a read each, and a permutation of 10^8 numbers 0.4 GB. So an epoch takes the blocks in a random
order, as many at a time as a window has room for, and shuffles the rows of that window.

**Bias.** Each row is in an epoch once, and in any batch with the same probability, so that a batch's mean is right in
expectation. It varies more than that of a full shuffle where rows of a block are alike. With N blocks of M rows, w of
them a window, batches of b, and for any value of a row its variance s^2 between the means of blocks (with N - 1) and
S^2 within a window (with wM - 1),

    Var(mean of a batch) = (1 - w / N) s^2 / w + (1 - b / (w M)) E[S^2] / b.

The first term is the price: it does not fall with the batch. It is 0 for one window, and for rows in random order s^2
is S^2 / M, so that the price is that of a batch of w M rows. For a file sorted by class with blocks of one class
each, a class of share p has p (1 - p) / w: its share in a window varies by 0.05 for p = 0.2 and w = 64.
"""

import hashlib
import threading
import weakref
from collections.abc import Callable
from typing import Any, Protocol

import jax
import numpy as np
from jaxtyping import Array, Float, Int

from vaeclust_jax.errors import InputError
from vaeclust_jax.streamed import HostRows

WINDOW_BYTES, _MOST_BYTES = 2**26, 2**28
"""Of the rows of a window as the programs read them; three or four are in memory at a time."""
_BLOCKS = 8
"""Of the largest kind that a window holds, where it may."""


class BlockRows(HostRows, Protocol):
    """Rows whose blocks begin at `edges`, the last of which is their number."""

    @property
    def edges(self) -> Int[np.ndarray, " b"]: ...  # noqa: D102


@jax.tree_util.register_static
class ShuffledBlocks:
    """Stands for the training rows in a program that reads them window by window, the next one beside its steps.

    A window is a function of (key, its number) alone. As `Streamed`, it does not keep the rows' files open.

    Args:
        rows: float32; the caller keeps them.
        window_rows: rows a window; None: some 64 MB of them.
    """

    def __init__(self, rows: BlockRows, window_rows: int | None = None):
        self.shape = rows.shape
        self._rows = weakref.ref(rows)
        self._edges = rows.edges
        if window_rows is None:
            size = 4 * int(np.prod(rows.shape[1:]))
            most = max(WINDOW_BYTES, min(_BLOCKS * size * int(np.diff(self._edges).max()), _MOST_BYTES))
            window_rows = max(1, most // size)
        self._window_rows = min(window_rows, len(self))
        self._ahead: dict[tuple[bytes, int], _Reading] = {}
        self.error: InputError | None = None
        """What went wrong in a program, which has its own words for it."""

    def __len__(self) -> int:
        return self.shape[0]

    def num_windows(self, batch_size: int) -> int:
        """Windows an epoch."""
        return -(-len(self) // self.window_rows(batch_size))

    def window_rows(self, batch_size: int) -> int:
        """Rows a window, whole batches."""
        return -(-self._window_rows // batch_size) * batch_size

    def window(self, key: Array, number: Array, batch_size: int) -> Float[Array, "m ..."]:
        """The rows of a window, shuffled; those behind the last row are zeros. Inside a program.

        Args:
            key: of the epoch.
            number: of the window, from 0.
            batch_size: rows a gradient step.
        """
        answer = jax.ShapeDtypeStruct((self.window_rows(batch_size), *self.shape[1:]), np.float32)

        def read(key_data: np.ndarray, number: np.ndarray) -> np.ndarray:
            return self.read(np.asarray(key_data), int(number), batch_size)

        return jax.pure_callback(read, answer, jax.random.key_data(key), number, vmap_method="sequential")

    def read(self, key_data: Int[np.ndarray, " d"], number: int, batch_size: int) -> Float[np.ndarray, "m ..."]:
        """`window` on the host; the next one is then read beside what follows."""
        name = key_data.tobytes()
        reading = self._ahead.pop((name, number), None) or self._begin(key_data, number, batch_size)
        try:
            found = reading.result()
        except InputError as error:
            self.error = error
            raise
        if number + 1 < self.num_windows(batch_size):
            self._ahead[name, number + 1] = self._begin(key_data, number + 1, batch_size)
        return found

    def places(self, key_data: Int[np.ndarray, " d"], number: int, batch_size: int) -> list[Int[np.ndarray, " m"]]:
        """The places of a window's rows among the training rows, a block or part of one at a time, before shuffling."""
        order = self._generator(key_data, "blocks").permutation(len(self._edges) - 1)
        sizes = np.diff(self._edges)[order]
        ends = np.cumsum(sizes)
        first = number * self.window_rows(batch_size)
        last = min(first + self.window_rows(batch_size), len(self))
        parts = []
        for at in range(int(np.searchsorted(ends, first, side="right")), len(order)):
            begin = int(ends[at] - sizes[at])  # in the epoch's order
            if begin >= last:
                break
            start = self._edges[order[at]]
            parts.append(np.arange(start + max(first - begin, 0), start + min(last - begin, int(sizes[at]))))
        return parts

    def _begin(self, key_data: np.ndarray, number: int, batch_size: int) -> "_Reading":
        return _Reading(lambda: self._read(key_data, number, batch_size))

    def _read(self, key_data: np.ndarray, number: int, batch_size: int) -> Float[np.ndarray, "m ..."]:
        rows = self._rows()
        assert rows is not None, "the caller keeps them"
        parts = self.places(key_data, number, batch_size)
        order = self._generator(key_data, "rows", number).permutation(sum(map(len, parts)))
        found = np.zeros((self.window_rows(batch_size), *self.shape[1:]), np.float32)
        start = 0
        for places in parts:
            found[order[start : start + len(places)]] = np.asarray(rows[places], np.float32)
            start += len(places)
        return found

    def _generator(self, key_data: np.ndarray, what: str, number: int = 0) -> np.random.Generator:
        seed = hashlib.sha256(key_data.tobytes() + f"{what} {number}".encode()).digest()
        return np.random.default_rng(np.frombuffer(seed, np.uint32))


class _Reading:
    """What a thread of its own finds."""

    def __init__(self, function: Callable[[], np.ndarray]):
        self._function = function
        self._found: Any = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._found = self._function()
        except BaseException as error:  # raised where the result is asked for
            self._found = error

    def result(self) -> np.ndarray:
        self._thread.join()
        if isinstance(self._found, BaseException):
            raise self._found
        return self._found
