"""Spectra of events: against sines whose spectrum is known, scipy's own loop, and input that cannot be used."""

import numpy as np
import pytest
from scipy.signal import welch

from vaeclust_jax.data.spectra import NUM_BINS, SAMPLING_RATE, WINDOW, event_spectra, frequencies
from vaeclust_jax.errors import InputError

T = np.arange(2 * WINDOW) / SAMPLING_RATE


def test_there_are_193_bins_below_2_khz():
    assert NUM_BINS == 193
    assert frequencies()[-1] < 2000 <= frequencies()[-1] + SAMPLING_RATE / WINDOW


@pytest.mark.parametrize("bin_number", [3, 40, 150])
def test_a_sine_is_a_peak_at_its_bin(bin_number):
    noise = 1e-3 * np.random.default_rng(0).normal(size=len(T))
    (found,) = event_spectra([np.sin(2 * np.pi * frequencies()[bin_number] * T) + noise], SAMPLING_RATE)
    assert found.argmax() == bin_number
    assert found[bin_number] == 1
    assert found.min() == 0


def test_each_event_is_its_own_welch_spectrum_whatever_is_beside_it():
    signals = np.random.default_rng(1).normal(size=(3, 3 * WINDOW)) * [[1], [100], [1e-3]]
    found = event_spectra(signals, SAMPLING_RATE)
    for signal, row in zip(signals, found, strict=True):
        f, power = welch(signal, SAMPLING_RATE, nperseg=WINDOW)
        log = np.log10(power[f < 2000])
        np.testing.assert_allclose(row, (log - log.min()) / (log.max() - log.min()), atol=1e-4)
    assert found.dtype == np.float32


def test_silence_is_zero():
    assert not event_spectra(np.zeros((2, WINDOW)), SAMPLING_RATE).any()


@pytest.mark.parametrize(
    ("signals", "rate", "says"),
    [
        (np.ones((1, WINDOW - 1)), SAMPLING_RATE, "at least as long as the window, 2000 samples"),
        (np.ones((1, WINDOW)), 44_100, "sampling_rate must be 20800 Hz, got 44100"),
        (np.ones(WINDOW), SAMPLING_RATE, "one event a row"),
        (np.ones((0, WINDOW)), SAMPLING_RATE, "one event a row"),
        (np.full((1, WINDOW), np.nan), SAMPLING_RATE, "must be finite"),
        (np.full((1, WINDOW), "a"), SAMPLING_RATE, "must be numbers"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(signals, rate, says):
    with pytest.raises(InputError) as error:
        event_spectra(signals, rate)
    assert says in str(error.value)
