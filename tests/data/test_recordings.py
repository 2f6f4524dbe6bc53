"""Recordings and tables of one's own: read as they are, or refused in one sentence."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from vaeclust_jax.data import ReadConfig, load
from vaeclust_jax.data.spectra import SAMPLING_RATE, WINDOW, event_spectra, frequencies
from vaeclust_jax.errors import InputError, InputWarning


def write(path: Path, samples: int = 2 * WINDOW, rate: int = SAMPLING_RATE, channels: int = 1) -> np.ndarray:
    path.parent.mkdir(exist_ok=True)
    signal = np.random.default_rng(samples).normal(0, 3000, (samples, channels)).astype(np.int16).squeeze()
    wavfile.write(path, rate, signal)
    return signal


def test_a_flat_folder_of_recordings_has_no_labels(tmp_path):
    signals = [write(tmp_path / "a.wav"), write(tmp_path / "b.WAV", 3 * WINDOW)]
    (tmp_path / "notes.txt").write_text("mosquitoes")
    found = load(tmp_path)
    assert found.y is None
    assert found.row_names == ("a.wav", "b.WAV")
    for row, signal in zip(found.x, signals, strict=True):
        np.testing.assert_array_equal(row, event_spectra(signal[np.newaxis], SAMPLING_RATE)[0])


def test_sub_folders_are_classes(tmp_path):
    for name in ("flies/1.wav", "bees/1.wav", "bees/2.wav"):
        write(tmp_path / name)
    found = load(tmp_path)
    assert found.class_names == ("bees", "flies")
    assert found.y.tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"samples": WINDOW - 1}, "at least as long as the window"),
        ({"rate": 44_100}, "sampling_rate must be 20800 Hz, got 44100"),
        ({"channels": 2}, "must have one channel, got 2"),
    ],
)
def test_a_recording_that_cannot_be_used_is_named(tmp_path, settings, says):
    write(tmp_path / "good.wav")
    write(tmp_path / "late.wav", **settings)
    with pytest.raises(InputError) as error:
        load(tmp_path)
    assert says in str(error.value)
    assert "late.wav" in str(error.value)


@pytest.mark.parametrize(("rate", "channels"), [(44_100, 1), (SAMPLING_RATE, 2), (48_000, 2)])
def test_other_rates_and_channels_are_converted_on_request(tmp_path, rate, channels):
    t = np.arange(rate) / rate
    tone = np.stack([1000 * np.sin(2 * np.pi * 600 * t)] * channels, axis=1).astype(np.int16).squeeze()
    wavfile.write(tmp_path / "a.wav", rate, tone)
    with pytest.warns(InputWarning, match="1 of 1 recordings were resampled"):
        found = load(tmp_path, ReadConfig(recordings="convert"))
    assert abs(frequencies()[found.x[0].argmax()] - 600) < 11


def test_windows_of_a_long_recording_are_samples(tmp_path):
    signal = write(tmp_path / "a.wav", 5 * WINDOW)
    with pytest.warns(InputWarning, match="every window"):
        found = load(tmp_path, ReadConfig(window=2 * WINDOW / SAMPLING_RATE))
    assert found.row_names == ("a.wav[0]", "a.wav[1]")
    np.testing.assert_array_equal(
        found.x[1], event_spectra(signal[np.newaxis, 2 * WINDOW : 4 * WINDOW], SAMPLING_RATE)[0]
    )
    with pytest.raises(InputError, match="less than --window"):
        load(tmp_path, ReadConfig(window=9.0))


def test_flac_is_read_as_wav_is(tmp_path):
    soundfile = pytest.importorskip("soundfile")
    (tmp_path / "f").mkdir()
    signal = write(tmp_path / "w" / "a.wav")
    soundfile.write(tmp_path / "f" / "a.flac", signal, SAMPLING_RATE)
    np.testing.assert_allclose(load(tmp_path / "f").x, load(tmp_path / "w").x, atol=1e-3)


def test_recordings_two_folders_deep_are_found(tmp_path):
    for name in ("train/flies/1.wav", "train/bees/1.wav", "test/flies/1.wav", "test/bees/1.wav"):
        (tmp_path / name).parent.mkdir(parents=True)
        write(tmp_path / name)
    with pytest.warns(InputWarning, match="are parts"):
        assert load(tmp_path).class_names == ("bees", "flies")


def test_a_damaged_recording_is_one_sentence(tmp_path):
    (tmp_path / "bad.wav").write_bytes(b"RIFF nothing")
    with pytest.raises(InputError, match=r"bad\.wav cannot be read as a WAV file"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("text", "x", "classes"),
    [
        ("1,2\n3,4\n", [[1, 2], [3, 4]], None),
        ("a,b\n1,2\n3,4\n\n", [[1, 2], [3, 4]], None),
        ("\ufeffa, y ,b\n1,fly,2\n3,bee,4\n", [[1, 2], [3, 4]], ("bee", "fly")),
        ("1e-3,-2\n", [[0.001, -2]], None),
    ],
)
def test_tables_are_read(tmp_path, text, x, classes):
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    found = load(path)
    np.testing.assert_allclose(found.x, x)
    assert found.class_names == classes


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "at least one row of numbers"),
        ("a,b\n", "at least one row of numbers"),
        ("1,2\n3\n", "2 values in every row, got 1 in row 1 (from 0)"),
        ("1,2\n3,four\n", "--label-column"),
        ("1,2\n3,nan\n", "must be finite"),
    ],
)
def test_a_table_that_cannot_be_used_is_one_sentence(tmp_path, text, says):
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        load(path)
    assert says in str(error.value)
    assert str(path) in str(error.value)


def test_bytes_that_are_no_text_are_one_sentence(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="cannot be read as CSV"):
        load(path)


def test_silence_is_said(tmp_path):
    write(tmp_path / "a.wav")
    wavfile.write(tmp_path / "b.wav", SAMPLING_RATE, np.zeros(SAMPLING_RATE, np.int16))
    with pytest.warns(InputWarning, match="1 of 2 samples are silent"):
        assert (load(tmp_path).x[1] == 0).all()


def test_a_recording_that_is_cut_short_is_said(tmp_path):
    for name in ("a.wav", "b.wav"):
        write(tmp_path / name, 4 * WINDOW)
    content = (tmp_path / "b.wav").read_bytes()
    (tmp_path / "b.wav").write_bytes(content[: len(content) // 4 * 3])
    with pytest.warns(InputWarning, match="shorter than"):
        found = load(tmp_path)
    assert found.taken == ("1 of 2 recordings are shorter than their headers say: 'b.wav'",)
