"""Files of MATLAB, of any version: numbers, texts, cells of these and sparse matrices as arrays."""

from pathlib import Path
from typing import Any

import numpy as np

from vaeclust_jax.data.frames import dense
from vaeclust_jax.data.reading import listed
from vaeclust_jax.errors import InputError


def read_mat(path: Path) -> tuple[dict[str, np.ndarray], list[str]]:
    """The arrays of a file by name, and the names of what is none: structures, tables, cells of arrays.

    Raises:
        InputError: the file is damaged, of MATLAB 7.3 without h5py, or holds no array.
    """
    from scipy.io import loadmat

    try:
        with path.open("rb") as file:
            is_hdf = b"MATLAB 7.3" in file.read(128)
        if is_hdf:
            found = _read_hdf(path)
        else:
            found = {name: _array(value) for name, value in loadmat(path).items() if not name.startswith("__")}
    except (InputError, MemoryError):
        raise
    except Exception as error:  # a damaged file may fail in any way
        raise InputError(f"{path} cannot be read as a .mat file: {str(error)[:150]}") from error
    arrays = {name: value for name, value in found.items() if value is not None}
    if found and not arrays:
        raise InputError(
            f"{path} holds no plain arrays, only {listed(found)}: save the fields of a structure as arrays "
            "(MATLAB's save -struct), and tables as CSV"
        )
    return arrays, [name for name, value in found.items() if value is None]


def _array(value: Any) -> np.ndarray | None:
    """What `loadmat` found as an array of numbers or texts; None of anything else."""
    value = dense(value)
    if isinstance(value, np.ndarray) and value.dtype.kind == "O":
        return _of_cells(value)
    return value if isinstance(value, np.ndarray) and value.dtype.kind in "biufU" else None


def _of_cells(cells: np.ndarray) -> np.ndarray | None:
    """Cells of one text each, or of one number, as an array of their shape; None of others."""
    kinds = {getattr(cell, "dtype", cells.dtype).kind for cell in cells.flat}
    if kinds == {"U"} and all(cell.size < 2 for cell in cells.flat):
        return np.array([str(cell.item()) if cell.size else "" for cell in cells.flat]).reshape(cells.shape)
    if kinds and kinds <= set("biuf") and all(cell.size == 1 for cell in cells.flat):
        return np.array([cell.item() for cell in cells.flat]).reshape(cells.shape)
    return None


def _read_hdf(path: Path) -> dict[str, np.ndarray | None]:
    try:
        import h5py
    except ImportError:
        raise InputError(f"{path} is of MATLAB 7.3: pip install 'vaeclust_jax[hdf5]', or save it with -v7") from None
    with h5py.File(path) as file:
        # What begins with # is what cells refer to.
        return {name: _of_hdf(one, file) for name, one in file.items() if not name.startswith("#")}


def _of_hdf(one: Any, file: Any) -> np.ndarray | None:
    """`_array` of what MATLAB 7.3 wrote, whose first axis is the last one there."""
    kind = one.attrs.get("MATLAB_class", b"")
    if "MATLAB_sparse" in one.attrs:
        from scipy.sparse import csc_matrix

        rows, starts = int(one.attrs["MATLAB_sparse"]), one["jc"][()]
        return np.asarray(dense(csc_matrix((one["data"][()], one["ir"][()], starts), (rows, len(starts) - 1))))
    if not hasattr(one, "dtype"):  # a structure
        return None
    if one.attrs.get("MATLAB_empty", 0):
        return np.zeros(0, "U1" if kind == b"char" else float)
    values = np.ascontiguousarray(np.transpose(one[()]))
    if kind == b"cell":
        cells = np.empty(values.shape, object)
        for place, reference in np.ndenumerate(values):
            cells[place] = _of_hdf(file[reference], file)
        return _of_cells(cells)
    if kind == b"char":
        return np.array([row.astype("<u2").tobytes().decode("utf-16-le", "replace") for row in values])
    return values if values.dtype.kind in "biuf" else None
