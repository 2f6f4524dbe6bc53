"""Row numbers that are computed where somebody asks for them: of 10^8 rows an array of them would take 0.8 GB."""

from typing import Any

import numpy as np
from jaxtyping import Int


class AllBut:
    """The numbers from 0 to n - 1 without a few, in their order, in the place of an array of them.

    Args:
        n: of all rows.
        left_out: numbers that are not there, sorted, each once.
    """

    def __init__(self, n: int, left_out: Int[np.ndarray, " m"] | None = None):
        self._n = n
        self._left_out = np.zeros(0, int) if left_out is None else left_out

    def __len__(self) -> int:
        return self._n - len(self._left_out)

    def __getitem__(self, index: Any) -> Int[np.ndarray, " k"]:
        places = np.arange(*index.indices(len(self))) if isinstance(index, slice) else np.asarray(index)
        # Of the numbers left out, how many lie before the one at each place.
        before = self._left_out - np.arange(len(self._left_out))
        return places + np.searchsorted(before, places, side="right")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[:].astype(dtype or int, copy=False)

    def place_of(self, number: Int[np.ndarray, " k"]) -> Int[np.ndarray, " k"]:
        """How many of these are below each number."""
        return number - np.searchsorted(self._left_out, number)

    def without(self, places: Int[np.ndarray, " k"]) -> "AllBut":
        """Those that are not at these places."""
        return AllBut(self._n, np.union1d(self._left_out, self[places]))


Numbers = Int[np.ndarray, " n"] | AllBut
"""Of rows, in their order."""


def place_of(numbers: Numbers, number: Int[np.ndarray, " k"]) -> Int[np.ndarray, " k"]:
    """How many of sorted row numbers are below each number."""
    return numbers.place_of(number) if isinstance(numbers, AllBut) else np.searchsorted(numbers, number)
