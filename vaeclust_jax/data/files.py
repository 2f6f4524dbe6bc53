"""Files of numpy's arrays, read without a pickle and written whole."""

from pathlib import Path
from typing import Any

import numpy as np

from vaeclust_jax.data.mapped import is_large
from vaeclust_jax.errors import InputError
from vaeclust_jax.whole_file import whole_file

_NUMPY = (b"PK\x03\x04", b"PK\x05\x06", b"\x93NUMPY")
_PICKLE = b"\x80"


def read_numpy(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an `.npz` file by name, or that of an `.npy` file under the name x; a large one stays in its file.

    Raises:
        InputError: if the file is damaged or holds pickled objects.
    """
    try:
        with path.open("rb") as file:
            large = path.suffix.lower() == ".npy" and is_large(path.stat().st_size)
            found: Any = np.load(path if large else file, "r" if large else None, allow_pickle=False)
            if not isinstance(found, np.ndarray):
                return {name: found[name] for name in found.files}
    except Exception as error:  # zip, zlib, lzma and numpy each have their own words for a damaged file
        why = str(error)[:150]
        if "pickle" in why:
            if _begins_like(path, (*_NUMPY, _PICKLE)):
                raise InputError(
                    f"{path} holds pickled Python objects, which could run code and are never read;"
                    " save plain arrays of numbers with numpy.savez(path, x=..., y=...)"
                ) from error
            why = "it does not begin like one"  # NumPy takes any other file for a pickle
        raise InputError(
            f"{path} cannot be read as an {path.suffix} file, it may be damaged or cut short: {why}"
        ) from error
    if path.suffix.lower() == ".npz":
        raise InputError(f"{path} is one array and no .npz file: call it .npy")
    return {"x": found}


def _begins_like(path: Path, kinds: tuple[bytes, ...]) -> bool:
    with path.open("rb") as file:
        return file.read(max(map(len, kinds))).startswith(kinds)


def read_npz(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Reads the raw arrays `x` and `y` of an `.npz` file; `y` is None where the file has none.

    Raises:
        InputError: if the file is damaged, holds pickled objects or has no `x`.
    """
    arrays = read_numpy(path)
    if "x" not in arrays:
        raise InputError(f"{path} must hold an array named x, got {sorted(arrays) or 'no arrays'}")
    return arrays["x"], arrays.get("y")


def write_npz(path: Path, x: np.ndarray, y: np.ndarray | None) -> None:
    """Writes `x` and, where known, `y`; the file appears whole or not at all."""
    arrays = {"x": x} if y is None else {"x": x, "y": y}
    with whole_file(path) as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)
