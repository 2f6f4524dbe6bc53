"""The person's own measurements: folders of WAV recordings, one event a file, and CSV tables of features."""

import csv
import warnings
from pathlib import Path

import numpy as np

from vaeclust_jax.data.dataset import Dataset, check_array, check_labels
from vaeclust_jax.data.spectra import event_spectra
from vaeclust_jax.errors import InputError

_LABELS = "y"


def has_recordings(folder: Path) -> bool:
    """Whether a folder, or one of its sub-folders, holds WAV files."""
    return bool(_recordings_in(folder)) or any(_recordings_in(sub) for sub in folder.iterdir() if sub.is_dir())


def load_recordings(folder: Path) -> Dataset:
    """Loads a folder of WAV files as `spectra.event_spectra`, flat (no labels) or with one sub-folder a class.

    Every file is one event on one channel; they may differ in length.

    Raises:
        InputError: a file cannot be read, has several channels, is too short or of another sampling rate.
    """
    paths, classes = _recordings_in(folder), {}
    if not paths:
        subs = sorted(sub for sub in folder.iterdir() if sub.is_dir())
        classes = {sub.name: found for sub in subs if (found := _recordings_in(sub))}
        paths = [path for found in classes.values() for path in found]
    counts = [len(found) for found in classes.values()]
    return Dataset(
        x=np.concatenate([_spectrum(path) for path in paths]),
        y=np.repeat(np.arange(len(classes), dtype=np.int32), counts) if classes else None,
        name=folder.resolve().name,
        class_names=tuple(classes) or None,
        row_names=tuple(path.relative_to(folder).as_posix() for path in paths),
        description="Welch spectra of recordings below 2 kHz",
        source=str(folder),
    )


def _recordings_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() == ".wav" and path.is_file())


def _spectrum(path: Path) -> np.ndarray:
    from scipy.io import wavfile

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", wavfile.WavFileWarning)  # of chunks that hold no sound
            rate, signal = wavfile.read(path)
    except Exception as error:  # a damaged header may fail in any way
        raise InputError(f"{path} cannot be read as a WAV file: {error}") from error
    if signal.ndim != 1:
        raise InputError(f"{path} must have one channel, got {signal.shape[1]}")
    try:
        return event_spectra(signal[np.newaxis], rate)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def load_csv(path: Path) -> Dataset:
    """Loads a CSV table of vectors, one sample a row; a first row of names is optional, a column named y holds labels.

    Raises:
        InputError: a row of another length, or something that is not a number.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as CSV: {error}") from error
    names = [name.strip() for name in rows.pop(0)] if rows and not all(map(_is_number, rows[0])) else []
    if not rows:
        raise InputError(f"{path} must hold at least one row of numbers, got none")
    width = len(names or rows[0])
    for number, row in enumerate(rows, 1):
        if len(row) != width:
            raise InputError(f"{path} must have {width} values in every row, got {len(row)} in row {number}")
    labels = names.index(_LABELS) if _LABELS in names else None
    columns = [column for column in range(width) if column != labels]
    try:
        values = np.array([[float(row[column]) for column in columns] for row in rows])
    except ValueError as error:
        raise InputError(f"{path} must hold numbers, labels only in a column named {_LABELS}: {error}") from error
    x = check_array(values.astype(np.float32), f"x of {path}")
    if labels is None:
        return Dataset(x, None, path.stem, source=str(path))
    y, class_names = check_labels(np.array([row[labels] for row in rows]), len(x), f"y of {path}")
    return Dataset(x, y, path.stem, class_names=class_names, source=str(path))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
