"""Arrays in files, under the names that people use: .npy, .npz and .mat."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np

from vaeclust_jax.data.blocks import ZarrFile
from vaeclust_jax.data.dataset import Dataset, check_array, check_labels
from vaeclust_jax.data.files import read_numpy
from vaeclust_jax.data.frames import dense
from vaeclust_jax.data.mapped import MOST_LABELS, StoredRows, is_large, is_mapped, is_zarr, mapped_rows, stored_rows
from vaeclust_jax.data.matlab import read_mat
from vaeclust_jax.data.pictures import Pictures, in_unit_range
from vaeclust_jax.data.reading import NONE, ReadConfig, listed
from vaeclust_jax.errors import InputError

ARRAY_SUFFIXES = (".npy", ".npz", ".mat")
_SAMPLES = ("x", "X", "data", "Data", "features", "fea", "images", "samples", "inputs")
_LABELS = ("y", "Y", "labels", "label", "target", "targets", "classes", "gnd", "truth")
_PARTS = ("train", "val", "valid", "validation", "test")


def load_arrays(path: Path, config: ReadConfig, like: Pictures | None = None) -> Dataset:
    """Loads samples (see `check_array`) and, where the file has them, labels (see `check_labels`).

    Args:
        path: of a .npy, .npz or .mat file (MATLAB's 7.3 needs h5py), or a .zarr folder (which needs zarr).
        config: `array` and `label_column` name the arrays; without, those of usual names are taken.
        like: of a model: its range of intensities is taken.

    Raises:
        InputError: if the file or its arrays cannot be used.
    """
    taken: list[str] = []
    no_arrays: list[str] = []
    if path.suffix.lower() == ".mat":
        arrays, no_arrays = read_mat(path)
    else:
        arrays = _read_zarr(path) if path.suffix.lower() == ".zarr" else _read_numpy(path)
    if config.array is None:
        arrays = _joined(arrays, path, taken)
    x_name, raw_x = _samples(arrays, config.array, path, taken)
    y_name = _labels_name(arrays, config.label_column, path, raw_x)
    whose = config.subject_column
    if whose is not None and whose not in arrays:
        raise InputError(f"{path} has no array {whose!r}, which --subject-column names: it has {listed(arrays)}")
    used = {x_name, y_name, whose}
    raw_y = None if y_name is None else arrays[y_name]
    stored = _stored(raw_x, f"{x_name} of {path}")
    if stored is not None:
        taken.append(stored.said)
    elif is_mapped(raw_x):
        taken.append(f"it takes {raw_x.nbytes / 1e9:,.1f} GB and stays in its file")
    if y_name not in (None, "y"):
        taken.append(f"labels: array {y_name!r}")
    if raw_y is not None and raw_y.ndim == 2 and 1 in raw_y.shape:
        raw_y = np.ravel(raw_y)
    if path.suffix.lower() == ".mat" and raw_y is not None and raw_x.shape[0] != len(raw_y) == raw_x.shape[-1]:
        raw_x = np.moveaxis(raw_x, -1, 0)  # samples are MATLAB's last axis
        taken.append("samples are on the last axis")
    elif path.suffix.lower() == ".mat" and raw_x.ndim > 2:
        taken.append(f"samples are on the first axis of {raw_x.shape}: if they are on the last, move it to the front")
    if unused := [*(name for name in arrays if name not in used), *no_arrays]:
        taken.append(f"arrays left out: {listed(unused)}")
    if stored is not None:
        x, pictures = cast(np.ndarray, stored), None
    else:
        raw_x, pictures, said = in_unit_range(raw_x, config, like, f"{x_name} of {path}")
        taken += said
        x = check_array(raw_x, f"{x_name} of {path}")
    y, class_names = (None, None)
    if raw_y is not None and stored is not None and raw_y.size > MOST_LABELS:
        taken.append(f"labels: {y_name!r} left out, since they are more than {MOST_LABELS}")
    elif raw_y is not None:
        raw_y = np.asarray(raw_y)
        y, class_names = _checked(raw_y, len(x), f"{y_name} of {path}")
    subjects = None
    if whose is not None:
        subjects, names = check_labels(np.asarray(arrays[whose]), len(x), f"{whose} of {path}")
        taken.append(f"array {whose!r} says whose a row is, of {len(names)} subjects")
    return Dataset(
        x, y, path.stem, class_names=class_names, source=str(path), pictures=pictures, taken=tuple(taken),
        subjects=subjects,
    )  # fmt: skip


def _checked(y: np.ndarray, n: int, name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels, or what to write where the array holds something else."""
    try:
        return check_labels(y, n, name)
    except InputError as error:
        one_hot = y.ndim == 2 and y.dtype.kind in "biuf" and bool((y.sum(axis=1) == 1).all())
        hint = "save y.argmax(axis=1)" if one_hot else "write --label-column none to leave it out"
        raise InputError(f"{error}: {hint}") from error


def _stored(x: Any, name: str) -> StoredRows | None:
    """The rows of an array that stays in its file and is read by blocks; None of any other."""

    def check(rows: np.ndarray) -> np.ndarray:
        return check_array(rows, name)

    found = stored_rows(ZarrFile(x, name), check) if is_zarr(x) else mapped_rows(x, check)
    return found if found is not None and found.by_blocks else None


def _joined(arrays: dict[str, np.ndarray], path: Path, taken: list[str]) -> dict[str, np.ndarray]:
    """Samples that come in parts, as x_train and x_test or test_images, one below the other; others as they are.

    Raises:
        InputError: parts of different shapes.
    """
    found: dict[tuple[str, str], str] = {}
    for name in arrays:
        first, _, second = name.partition("_")
        for part, kind in ((first, second), (second, first)):
            for what, known in (("x", _SAMPLES), ("y", _LABELS)):
                if part.lower() in _PARTS and kind in known:
                    found[what, part.lower()] = name
    parts = [part for part in _PARTS if ("x", part) in found]
    if not parts or set(_SAMPLES) & set(arrays):
        return arrays
    if large := [name for name in found.values() if is_zarr(arrays[name])]:
        raise InputError(f"{path}: {listed(large)} stay in their files and are not joined: write --array with one name")
    labels = [arrays[found["y", part]] for part in parts if ("y", part) in found]
    names = [found["x", part] for part in parts]
    if len({arrays[name].shape[1:] for name in names}) > 1:
        raise InputError(f"{path}: the samples of {listed(names)} differ in shape: write --array with the name of one")
    joined = {"x": np.concatenate([arrays[name] for name in names])}
    if len(labels) == len(parts):
        joined["y"] = np.concatenate([np.ravel(part) if 1 in part.shape[1:] else part for part in labels])
    said = "with their labels" if "y" in joined else "without labels, which not all of them have"
    taken.append(f"{' and '.join(names)} are the samples, {said} (--array takes one of them)")
    return joined | {name: array for name, array in arrays.items() if name not in found.values()}


def _samples(
    arrays: Mapping[str, np.ndarray], asked: str | None, path: Path, taken: list[str]
) -> tuple[str, np.ndarray]:
    if asked is not None:
        if asked not in arrays:
            raise InputError(f"{path} has no array {asked!r}, which --array names: it has {listed(arrays)}")
        return asked, arrays[asked]
    alone = [name for name, array in arrays.items() if array.dtype.kind != "U"] or list(arrays)
    known = [name for name in _SAMPLES if name in arrays] or (alone if len(alone) == 1 else [])
    if len(known) != 1 and "x" not in known:
        why = f"got {sorted(arrays) or 'no arrays'}" if len(arrays) < 9 else f"got {listed(arrays)}"
        raise InputError(f"{path} must hold an array named x, {why}: write --array with the name of one")
    name = known[0]
    if name != "x" and path.suffix.lower() != ".npy":
        taken.append(f"samples: array {name!r} (--array)")
    return name, arrays[name]


def _labels_name(arrays: Mapping[str, np.ndarray], asked: str | None, path: Path, x: np.ndarray) -> str | None:
    if asked == NONE:
        return None
    if asked is not None:
        if asked not in arrays:
            raise InputError(f"{path} has no array {asked!r}, which --label-column names: it has {listed(arrays)}")
        return asked
    found = [name for name in _LABELS if name in arrays and not _names_classes(arrays[name], x)]
    if len(found) > 1 and "y" not in found:
        raise InputError(f"{path} has several arrays that may be labels, {listed(found)}: write --label-column")
    return found[0] if found else None


def _names_classes(y: np.ndarray, x: np.ndarray) -> bool:
    """Whether it names every class once, in the place of every sample's."""
    return y.dtype.kind == "U" and y.size not in (x.shape[0], x.shape[-1]) and len(np.unique(y)) == y.size


def _read_numpy(path: Path) -> dict[str, np.ndarray]:
    found = read_numpy(path)
    if not {"data", "shape", "format"} <= set(found):
        return found
    from scipy.sparse import load_npz  # what its save_npz wrote

    try:
        stored = load_npz(path)
    except Exception as error:  # a damaged file may fail in any way
        raise InputError(f"{path} cannot be read as a sparse matrix of scipy's: {str(error)[:150]}") from error
    return {"x": dense(stored)}


def _read_zarr(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a Zarr folder: of a group by name, or the one that it is; large ones are not read."""
    try:
        import zarr
    except ModuleNotFoundError as error:
        raise InputError(f"{path} needs zarr: pip install 'vaeclust_jax[zarr]'") from error
    try:
        found: Any = zarr.open(path, mode="r")
        arrays = {"x": found} if hasattr(found, "shape") else dict(found.arrays())
        return {name: one if is_large(one.nbytes) else np.asarray(one[...]) for name, one in arrays.items()}
    except Exception as error:  # a damaged folder may fail in any way
        raise InputError(f"{path} cannot be read as a Zarr folder: {str(error)[:150]}") from error
