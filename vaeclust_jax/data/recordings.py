"""The person's own measurements: folders of recordings, one event a file or one event a window."""

import warnings
from pathlib import Path

import numpy as np

from vaeclust_jax.data.dataset import Dataset, check_labels
from vaeclust_jax.data.folders import classes_in, holds, left_out, shown
from vaeclust_jax.data.reading import ReadConfig, listed
from vaeclust_jax.data.spectra import HIGHEST, SAMPLING_RATE, event_spectra
from vaeclust_jax.errors import InputError

SOUND_SUFFIXES = (".wav", ".flac")


def has_recordings(folder: Path) -> bool:
    """Whether a folder, or one at most two below it, holds recordings."""
    return holds(folder, SOUND_SUFFIXES)


def load_recordings(folder: Path, config: ReadConfig | None = None) -> Dataset:
    """Loads a folder of recordings as `spectra.event_spectra`; the folders are classes as those of images are.

    Every file is one event on one channel at 20.8 kHz. With `config.recordings` "convert" others are resampled and
    mixed down; with `config.window` every window of a file is an event.

    Args:
        folder: of WAV files, or of FLAC files where soundfile is installed.
        config: how to read them.

    Raises:
        InputError: a file cannot be read, has several channels, is too short or of another sampling rate.
    """
    config = config or ReadConfig()
    found, taken = classes_in(folder, SOUND_SUFFIXES, "recordings")
    taken += left_out(folder, [path for _, path in found], SOUND_SUFFIXES, "recordings")
    spectra, classes, names, cut, converted = [], [], [], [], 0
    for kind, path in found:
        signal, rate, is_cut = _read(path)
        signal, changed = _at_our_rate(path, signal, rate, config)
        converted += changed
        cut += [path] if is_cut else []
        own = _spectra(path, signal, config)
        spectra.append(own)
        classes += [shown(kind)] * len(own)
        name = path.relative_to(folder).as_posix()
        names += [name] if config.window is None else [f"{name}[{number}]" for number in range(len(own))]
    if cut:
        short = listed([path.name for path in cut])
        taken.append(f"{len(cut)} of {len(found)} recordings are shorter than their headers say: {short}")
    if converted:
        taken.append(f"{converted} of {len(found)} recordings were resampled to {SAMPLING_RATE} Hz or mixed down")
    if config.window is not None:
        taken.append(f"every window of {config.window:g} s is a sample: {len(names)} of {len(found)} recordings")
    x = np.concatenate(spectra)
    if silent := int((x == 0).all(axis=1).sum()):
        taken.append(f"{silent} of {len(x)} samples are silent: 0 in every bin")
    labelled = found[0][0] is not None
    y, class_names = check_labels(np.array(classes), len(classes)) if labelled else (None, None)
    return Dataset(
        x=x,
        y=y,
        name=shown(folder.resolve().name),
        class_names=class_names,
        row_names=tuple(names),
        description="Welch spectra of recordings below 2 kHz",
        source=str(folder),
        taken=tuple(taken),
    )


def _read(path: Path) -> tuple[np.ndarray, int, bool]:
    """The signal (t,) or (t, channels), its sampling rate in Hz, and whether the file is cut short."""
    try:
        if path.suffix.lower() == ".flac":
            import soundfile

            return *soundfile.read(path), False
        from scipy.io import wavfile

        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always", wavfile.WavFileWarning)  # of chunks that hold no sound, too
            rate, signal = wavfile.read(path)
        return signal, rate, any("prematurely" in str(one.message) for one in found)
    except ModuleNotFoundError as error:
        raise InputError(f"{path} needs soundfile: pip install 'vaeclust_jax[sound]', or save it as WAV") from error
    except Exception as error:  # a damaged header may fail in any way
        kind = path.suffix[1:].upper()
        raise InputError(f"{path} cannot be read as a {kind} file: {str(error)[:150]}") from error


def _at_our_rate(path: Path, signal: np.ndarray, rate: int, config: ReadConfig) -> tuple[np.ndarray, bool]:
    """The signal on one channel at our rate, and whether it had to be changed.

    Raises:
        InputError: it has to be and that was not asked for, or its rate is too low for our frequencies.
    """
    convert = config.recordings == "convert"
    if signal.ndim != 1 and not convert:
        raise InputError(f"{path} must have one channel, got {signal.shape[1]}: write --recordings convert")
    if rate == SAMPLING_RATE and signal.ndim == 1:
        return signal, False
    if not convert:
        raise InputError(f"{path}: sampling_rate must be {SAMPLING_RATE} Hz, got {rate}: write --recordings convert")
    if rate < 2 * HIGHEST:
        raise InputError(f"{path}: a rate of {rate} Hz holds nothing up to {HIGHEST:g} Hz: at least {2 * HIGHEST:g} Hz")
    if signal.ndim != 1:
        signal = signal.mean(axis=1)
    if rate != SAMPLING_RATE:
        from scipy.signal import resample_poly

        common = int(np.gcd(rate, SAMPLING_RATE))
        signal = resample_poly(signal.astype(np.float64), SAMPLING_RATE // common, rate // common)
    return signal, True


def _spectra(path: Path, signal: np.ndarray, config: ReadConfig) -> np.ndarray:
    if config.window is not None:
        length = round(config.window * SAMPLING_RATE)
        if len(signal) < length:
            raise InputError(f"{path} lasts {len(signal) / SAMPLING_RATE:.3g} s, less than --window {config.window:g}")
        signal = signal[: len(signal) // length * length].reshape(-1, length)
    try:
        return event_spectra(np.atleast_2d(signal), SAMPLING_RATE)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
