"""From a name or path to a `Dataset`: looked up at home first, downloaded only if it is nowhere."""

import dataclasses
import difflib
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from vaeclust_jax.data.annotated import is_annotated, load_annotated
from vaeclust_jax.data.arrays import ARRAY_SUFFIXES, load_arrays
from vaeclust_jax.data.dataset import Dataset, check_array, check_labels
from vaeclust_jax.data.download import download_arrays
from vaeclust_jax.data.files import read_npz, write_npz
from vaeclust_jax.data.folders import has_images, load_folder, load_picture
from vaeclust_jax.data.mapped import StoredRows
from vaeclust_jax.data.no_files import checked_path
from vaeclust_jax.data.pictures import IMAGE_SUFFIXES, Pictures
from vaeclust_jax.data.prepare import Preparation
from vaeclust_jax.data.reading import NONE, Columns, ReadConfig
from vaeclust_jax.data.recordings import has_recordings, load_recordings
from vaeclust_jax.data.registry import DATASETS, Entry
from vaeclust_jax.data.table_files import is_saved_dataset, is_table
from vaeclust_jax.data.tables import load_table
from vaeclust_jax.errors import InputError, InputWarning

_READ = (
    "give an array file (.npz, .npy, .mat, .h5ad), a table (.csv, .tsv, .txt, .parquet, .feather), a folder of images "
    "or recordings, or a name"
)


@dataclass(frozen=True)
class Listing:
    """One line of `vaeclust data list`: a named data set and where it would be read from now."""

    name: str
    description: str
    shape: tuple[int, ...]
    num_classes: int | None
    where: str


def cache_dir() -> Path:
    """The folder of downloaded data: `$VAECLUST_CACHE`, or `data` in the user's cache folder."""
    import platformdirs

    chosen = os.environ.get("VAECLUST_CACHE")
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("vaeclust_jax")) / "data"


def load(
    name_or_path: str | os.PathLike[str], config: ReadConfig | None = None, like: Preparation | Dataset | None = None
) -> Dataset:
    """Loads a named data set, a file, or a folder of images or recordings.

    What was found out about a file and could have been meant in another way is an `InputWarning`, too.

    Args:
        name_or_path: a name in `DATASETS` (looked for in `$VAECLUST_DATA`, then in `cache_dir()`, then
            downloaded); an array file (`.npz`, `.npy`, `.mat`, `.h5ad`) or a `.zarr` folder; a table of vectors
            (`.csv`, `.tsv`, `.txt`, each packed or not, `.parquet`, `.feather`) or a folder that `save_to_disk` of
            Hugging Face's datasets wrote; a folder of images; or a folder of WAV recordings, which
            become spectra (`data.spectra`).
        config: what a file does not say itself, such as which column holds labels.
        like: of a model (`Run.preparation`), or another data set: a table's columns are then the same, by name.

    Returns:
        The data, checked.

    Raises:
        InputError: if the name is unknown, or the data cannot be had or used.
    """
    found = read(name_or_path, config, like)
    if found.taken:
        warnings.warn(f"{found.source}: {'; '.join(found.taken)}", InputWarning, stacklevel=2)
    return found


def read(
    name_or_path: str | os.PathLike[str], config: ReadConfig | None = None, like: Preparation | Dataset | None = None
) -> Dataset:
    """`load` for who says himself what is in `Dataset.taken`."""
    if str(name_or_path) in DATASETS:
        found = _load_named(str(name_or_path))
        _check_columns(found, config)
        if config is not None and like is None:
            _check_effect(found, config, None)
        return found
    if not str(name_or_path):  # as a path it would mean the current folder
        raise _unknown("")
    path = checked_path(name_or_path)
    try:
        found = _load_path(path, config or ReadConfig(), like)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    _check_columns(found, config)
    if config is not None and like is None:  # a model knows how its own kind of file is read
        _check_effect(found, config, path)
    elif config is not None and isinstance(like, Preparation):
        _check_named(found, config, path)
    return found


_EFFECT = {
    "a named set": (),
    "AnnData": ("array", "label_column", "subject_column"),
    "a table": ("label_column", "index_column", "subject_column", "drop_columns", "missing", "categorical"),
    "a folder of pictures": ("sizes", "longest_side", "intensity_range"),
    "a folder of recordings": ("recordings", "window"),
    "a file of arrays": ("array", "label_column", "subject_column", "intensity_range"),
}
"""Of each kind of data, the settings that change how they are read."""
_OF_ALL = ("column", "header")
"""Settings that are said elsewhere to be for tables, or harmless."""


def _check_effect(dataset: Dataset, config: ReadConfig, path: Path | None) -> None:
    """Refuses what was asked for of a file, or of a named set (None), and would have no effect."""
    if path is None:
        kind = "a named set"
    elif is_annotated(path):
        kind = "AnnData"
    elif dataset.columns is not None:
        kind = "a table"
    elif dataset.row_names is not None:
        kind = "a folder of pictures" if dataset.x.ndim == 4 else "a folder of recordings"
    else:
        kind = "a file of arrays"
    given = [one.name for one in dataclasses.fields(config) if getattr(config, one.name) not in (one.default, NONE)]
    if wrong := [name for name in given if name not in (*_EFFECT[kind], *_OF_ALL)]:
        flags = " and ".join(f"--{name.replace('_', '-')}" for name in wrong)
        raise InputError(f"{dataset.name} is {kind}, of which {flags} changes nothing: leave it out")


def _check_named(dataset: Dataset, config: ReadConfig, path: Path) -> None:
    """Refuses a column of labels or of names that a table for a model lacks: that the model does not need it."""
    if dataset.columns is None or is_annotated(path):
        return
    known = {dataset.columns.label, dataset.columns.index, *dataset.columns.left_out, None, NONE}
    for flag, name in (("--label-column", config.label_column), ("--index-column", config.index_column)):
        if name not in known:
            raise InputError(f"{path} has no column {name!r}, which {flag} names")


def _columns_like(like: Preparation | Dataset | None, config: ReadConfig) -> Columns | None:
    """Of a model; with the means of its training rows, if missing values are to become means and it kept none."""
    if like is None or like.columns is None:
        return None
    columns, means = like.columns, None
    if config.missing == "mean" and not columns.means:
        if isinstance(like, Dataset):
            means = None if isinstance(like.x, StoredRows) else like.x.mean(axis=0, dtype=np.float64)
        elif like.seen is not None and not like.by_row:
            means = like.seen.mean
    if means is None:
        return columns
    return dataclasses.replace(columns, means=dict(zip(columns.features, means.tolist(), strict=True)))


def _check_columns(dataset: Dataset, config: ReadConfig | None) -> None:
    if config is None:
        return
    if config.column is not None and dataset.columns is None:
        raise InputError(f"{dataset.name} is no table with named columns: leave --column out")
    if config.subject_column is not None and dataset.subjects is None:
        raise InputError(f"{dataset.name} has no columns that could say whose a row is: leave --subject-column out")


def _load_path(path: Path, config: ReadConfig, like: Preparation | Dataset | None) -> Dataset:
    pictures, columns = None if like is None else like.pictures, _columns_like(like, config)
    # A model that was trained on bytes, or in [0, 1], has no range to scale others by.
    of_arrays = pictures if like is None or pictures else Pictures()
    if is_annotated(path):
        return load_annotated(path, config, columns)
    if path.suffix.lower() == ".zarr" and path.is_dir():
        return load_arrays(path, config, of_arrays)
    if is_saved_dataset(path):
        return load_table(path, config, columns)
    if path.is_dir():
        if not has_recordings(path):
            return load_folder(path, config, pictures)
        if has_images(path):
            raise InputError(f"{path} holds recordings and images: give a folder of one kind")
        return load_recordings(path, config)
    if is_table(path) and path.is_file():
        return load_table(path, config, columns)
    if path.suffix.lower() in ARRAY_SUFFIXES and path.is_file():
        return load_arrays(path, config, of_arrays)
    if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file():
        return load_picture(path, config, pictures)
    if path.exists():
        raise InputError(
            f"{path} is {'a file that is not read' if path.is_file() else 'neither a file nor a folder'}; {_READ}"
        )
    if path.suffix or len(path.parts) > 1:
        raise InputError(f"{path} does not exist; {_READ}")
    raise _unknown(path.name)


def get(name: str) -> Path | Literal["embedded"]:
    """Makes sure a named data set is on this machine, downloading it if need be.

    Returns:
        Its `.npz` file, or "embedded" if it comes with an installed package.

    Raises:
        InputError: if the name is unknown or the data cannot be had.
    """
    if name not in DATASETS:
        raise _unknown(name)
    entry = DATASETS[name]
    if entry.embedded is not None:
        return "embedded"
    if entry.part_of is not None:
        return get(entry.part_of[0])
    return _find(name) or _download(name, entry)


def list_datasets() -> list[Listing]:
    """Every named data set and where it is found now; downloads nothing."""
    return [
        Listing(name, entry.description, entry.shape, entry.num_classes, _where(name))
        for name, entry in DATASETS.items()
    ]


def _where(name: str) -> str:
    entry = DATASETS[name]
    if entry.embedded is not None:
        return "embedded"
    if entry.part_of is not None:
        return _where(entry.part_of[0])
    if path := _find(name):
        return str(path)
    if entry.archives:
        return f"not here: would be downloaded from {entry.archives[0].urls[0]}"
    return f"not here: to be fetched by hand from {entry.home}"


def _unknown(name: str) -> InputError:
    near = difflib.get_close_matches(name.lower(), DATASETS, n=3, cutoff=0.5)
    advice = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(DATASETS)}"
    return InputError(f"{name!r} is no data set, file or folder; {advice} (`vaeclust data list` shows all)")


def _find(name: str) -> Path | None:
    folders = [cache_dir()]
    if chosen := os.environ.get("VAECLUST_DATA"):
        if not Path(chosen).is_dir():
            raise InputError(f"VAECLUST_DATA names {chosen}, which is not a folder")
        folders.insert(0, Path(chosen))
    paths = (folder / f"{name}.npz" for folder in folders)
    return next((path for path in paths if path.is_file()), None)


def _download(name: str, entry: Entry) -> Path:
    arrays = f"x {_allowed_shapes(entry)[-1]}{' and y' if entry.num_classes else ''}"
    by_hand = f"put {name}.npz with {arrays} into the folder that the environment variable VAECLUST_DATA names"
    if entry.decode is None:
        raise InputError(f"data set {name!r} cannot be downloaded: {entry.by_hand} from {entry.home} and {by_hand}")
    path = cache_dir() / f"{name}.npz"
    archives = cache_dir() / "archives" / name
    try:
        archives.mkdir(parents=True, exist_ok=True)
        x, y = download_arrays(entry.archives, entry.decode, entry.digest, archives)
        write_npz(path, x, y)
    except InputError as error:
        urls = " and ".join(archive.urls[0] for archive in entry.archives)
        raise InputError(
            f"data set {name!r} is not here and could not be downloaded: {error};"
            f" try again with a network, or download {urls} by hand into {archives}, or {by_hand}"
        ) from error
    except OSError as error:
        raise InputError(f"the cache folder {cache_dir()} (VAECLUST_CACHE) cannot be written: {error}") from error
    return path


def _load_named(name: str) -> Dataset:
    entry = DATASETS[name]
    if entry.part_of is not None:
        whole, start, stop = entry.part_of
        data = _load_named(whole)
        y = None if data.y is None else data.y[start:stop]
        return dataclasses.replace(data, x=data.x[start:stop], y=y, name=name, description=entry.description)
    where = get(name)
    x, y = read_npz(Path(where)) if entry.embedded is None else entry.embedded()
    if x.shape not in _allowed_shapes(entry):
        raise InputError(f"x of {where} has shape {x.shape}, but data set {name!r} is {_allowed_shapes(entry)[-1]}")
    labels, class_names = None, None
    if entry.num_classes is not None:
        if y is None:
            raise InputError(f"{where} has no labels y, but data set {name!r} has {entry.num_classes} classes")
        labels, found = check_labels(y, len(x), f"y of {where}")
        if len(found) != entry.num_classes:
            raise InputError(f"y of {where} has {len(found)} classes, but data set {name!r} has {entry.num_classes}")
        class_names = entry.class_names
    return Dataset(
        x=check_array(x.reshape(entry.shape), f"x of {where}"),
        y=labels,
        name=name,
        num_classes=entry.num_classes,
        class_names=class_names,
        description=entry.description,
        source=str(where),
    )


def _allowed_shapes(entry: Entry) -> tuple[tuple[int, ...], ...]:
    """As loaded, or stored without the last axis of length one."""
    return (entry.shape, entry.shape[:-1]) if entry.shape[-1] == 1 else (entry.shape,)
