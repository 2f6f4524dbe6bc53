"""From optical recordings of insects to the features that the dynamic beta-VAE clusters.

Source: Rydhmer and Selvan, Dynamic beta VAEs for quantifying biodiversity by clustering optically recorded insect
signals, 2021, and the data released with its code: Welch spectra of recordings at 20.8 kHz, the bins below 2 kHz,
log10, each event scaled to [0, 1] by its own extremes.
"""

import numpy as np
from jaxtyping import Float

from vaeclust_jax.data.scaling import scale_rows
from vaeclust_jax.errors import InputError

SAMPLING_RATE = 20_800
"""Hz."""
WINDOW = 2000
"""Samples of a Welch segment (Hann, half overlapping): bins 10.4 Hz apart."""
HIGHEST = 2000.0
"""Hz; bins from here on are left out."""
NUM_BINS = int(np.ceil(HIGHEST * WINDOW / SAMPLING_RATE))
"""193: from 0 to 1996.8 Hz."""
_FLOOR = 1e-30  # silence has no logarithm


def frequencies() -> Float[np.ndarray, " 193"]:
    """The frequencies of the bins, Hz."""
    return np.arange(NUM_BINS) * SAMPLING_RATE / WINDOW


def event_spectra(signals: Float[np.ndarray, "n t"], sampling_rate: float) -> Float[np.ndarray, "n 193"]:
    """The features of events: log10 of the Welch power spectrum below 2 kHz, each event scaled to [0, 1].

    Args:
        signals: one event a row, in any unit.
        sampling_rate: of the signals, Hz.

    Returns:
        float32. An event without any power (silence) is 0 in every bin.

    Raises:
        InputError: events shorter than a window, another sampling rate, or values that are not finite.
    """
    signals = np.asarray(signals)
    if signals.ndim != 2 or len(signals) == 0 or signals.dtype.kind not in "iuf":
        raise InputError(f"signals must be numbers, one event a row (n, samples), got {signals.dtype} {signals.shape}")
    if sampling_rate != SAMPLING_RATE:
        raise InputError(
            f"sampling_rate must be {SAMPLING_RATE} Hz, got {sampling_rate}: "
            "scipy.signal.resample_poly brings a recording to another rate"
        )
    if signals.shape[1] < WINDOW:
        raise InputError(
            f"events must be at least as long as the window, {WINDOW} samples "
            f"({1000 * WINDOW / SAMPLING_RATE:.0f} ms), got {signals.shape[1]}"
        )
    if not np.isfinite(signals).all():
        raise InputError("signals must be finite, got NaN or infinite values")
    from scipy.signal import welch

    power = welch(signals.astype(np.float32), sampling_rate, nperseg=WINDOW)[1][:, :NUM_BINS]
    return scale_rows(np.log10(np.maximum(power, _FLOOR)))
