"""What a model says of each sample as columns, and as a frame of pandas or polars."""

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from jaxtyping import Float

from vaeclust_jax.data import Dataset
from vaeclust_jax.data.frames import library_of
from vaeclust_jax.errors import InputError

BACKENDS = ("pandas", "polars")


def cluster_table(probabilities: Float[np.ndarray, "n k"]) -> dict[str, np.ndarray]:
    """cluster, its probability, and the entropy of the assignment (nats) from q (n, K)."""
    from scipy.special import entr  # takes long to import

    return {
        "cluster": probabilities.argmax(axis=1),
        "probability": probabilities.max(axis=1),
        "entropy": entr(probabilities).sum(axis=1),
    }


def frame_library(backend: str | None, x: Any) -> str:
    """The library that makes the frame: the one asked for, that of `x`, or the first that is installed.

    Raises:
        InputError: no such library, or none that is installed.
    """
    if backend not in (None, *BACKENDS):
        raise InputError(f"backend must be one of {', '.join(BACKENDS)}, got {backend!r}")
    own = library_of(x)
    wanted = (backend,) if backend else (own,) if own in BACKENDS else BACKENDS
    found = next((name for name in wanted if find_spec(name)), None)
    if found is None:
        raise InputError(f"a frame needs {' or '.join(wanted)}: pip install {wanted[0]}")
    return found


def frame_of(columns: Mapping[str, np.ndarray], x: Any, library: str) -> Any:
    """The rows of `x` with what is said of them.

    Args:
        columns: (n,) each, by name.
        x: the samples; a data set gives the numbers and names of its rows, a frame of pandas its index.
        library: "pandas" or "polars".
    """
    numbers = x.numbers if isinstance(x, Dataset) else np.arange(len(next(iter(columns.values()))))
    table: dict[str, Any] = {"row": numbers, **columns}
    if isinstance(x, Dataset):
        table |= x.named
    frame = import_module(library).DataFrame(table)
    if library == "pandas" and library_of(x) == "pandas":
        frame.index = x.index
    return frame
