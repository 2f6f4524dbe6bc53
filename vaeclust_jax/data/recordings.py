"""The person's own measurements: folders of WAV recordings, one event a file."""

import warnings
from pathlib import Path

import numpy as np

from vaeclust_jax.data.dataset import Dataset
from vaeclust_jax.data.spectra import event_spectra
from vaeclust_jax.errors import InputError


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
