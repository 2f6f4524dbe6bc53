"""Rows that stay in their file are the rows of the array, whoever asks for them and in whatever parts."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from vaeclust_jax.data import PrepareConfig, checked_rows, fit_preparation, mapped
from vaeclust_jax.data.mapped import StoredRows, chunks, is_streamed, mapped_rows
from vaeclust_jax.data.moments import extremes, moments
from vaeclust_jax.errors import InputError

RNG = np.random.default_rng(0)
VECTORS = RNG.normal(1e3, 5, (100, 7)).astype(np.float32)
PIXELS = RNG.integers(0, 256, (50, 6, 4), np.uint8)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapped, "_BYTES_IN_MEMORY", 1000)
    monkeypatch.setattr(mapped, "_BYTES_AT_ONCE", 7 * 4 * 9)  # nine vectors


def in_file(x: np.ndarray, folder: Path, mode: str = "r") -> np.memmap:
    np.save(folder / "x.npy", x)
    return np.load(folder / "x.npy", mmap_mode=mode)  # type: ignore[no-any-return]


def test_what_stays_in_its_file(tmp_path: Path) -> None:
    x = in_file(VECTORS, tmp_path)
    assert is_streamed(x)
    assert is_streamed(np.asarray(x)[::2].reshape(-1, 7)), "views too"
    assert not is_streamed(VECTORS)
    assert not is_streamed(x[:20]), "small ones are read"
    assert not is_streamed(x + 1), "what is computed is in memory"
    assert not is_streamed(x[np.arange(100)])
    assert not is_streamed([[1.0]])


@pytest.mark.parametrize("mode", ["r", "r+", "c"])
def test_rows_are_those_of_the_array_and_read_when_asked_for(
    tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mapped._File, "_BYTES_MAPPED", 0)  # pages are given back after every read
    x = in_file(VECTORS, tmp_path, mode)
    if mode != "r":
        x[3] = 1.5
    reads: list[int] = []

    def noting(rows: np.ndarray) -> np.ndarray:
        reads.append(len(rows))
        return rows

    rows = mapped_rows(x, noting)
    assert rows is not None
    assert (rows.shape, rows.ndim, rows.dtype, len(rows)) == ((100, 7), 2, np.float32, 100)
    part = rows[np.array([3, 99, 3, 4])][1:]
    assert reads == [1], "only what one row looks like"
    np.testing.assert_array_equal(np.asarray(part), np.array(x)[[99, 3, 4]])
    assert reads == [1, 3]
    np.testing.assert_array_equal(np.asarray(rows.converted(lambda rows: rows[:, :2] * 2)), np.array(x)[:, :2] * 2)


def test_within_one_read_pages_are_given_back_before_they_are_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mapped._File, "_BYTES_AROUND", 1000)  # a row that is read may map so much
    monkeypatch.setattr(mapped._File, "_BYTES_MAPPED", 3000)
    given_back: list[int] = []
    x = in_file(VECTORS, tmp_path)
    file = mapped._File(x, x)
    file._map = SimpleNamespace(madvise=given_back.append)
    apart = np.arange(0, 100, 11)
    np.testing.assert_array_equal(file.read(apart), VECTORS[apart])
    assert len(given_back) == 1, "parts of three rows: 1644 + 1644 bytes are too many, 1644 + 1028 are not"
    np.testing.assert_array_equal(file.read(np.arange(6)), VECTORS[:6])
    assert len(given_back) == 2, "1084 bytes more are"


def test_a_pass_over_all_rows_reads_them_in_parts(tmp_path: Path) -> None:
    rows = checked_rows(in_file(VECTORS, tmp_path))
    parts = list(chunks(rows))
    assert [len(part) for part in parts] == [9] * 11 + [1]
    np.testing.assert_array_equal(np.concatenate(parts), VECTORS)
    assert [part is VECTORS for part in chunks(VECTORS)] == [True]


@pytest.mark.parametrize("axis", [0, None])
def test_extremes_and_moments(tmp_path: Path, axis: int | None) -> None:
    rows = checked_rows(in_file(VECTORS, tmp_path))
    expected = VECTORS.mean(axis, dtype=np.float64), VECTORS.std(axis, dtype=np.float64)
    for found, wanted in zip(moments(VECTORS, axis), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)
    for found, wanted in zip(moments(rows, axis), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12)
    for x in (VECTORS, rows):
        low, high = extremes(x)
        np.testing.assert_array_equal(low, VECTORS.min(axis=0))
        np.testing.assert_array_equal(high, VECTORS.max(axis=0))


@pytest.mark.parametrize("axis", [0, None])
def test_moments_of_rows_that_count_by_weight(tmp_path: Path, axis: int | None) -> None:
    counts = np.random.default_rng(0).integers(1, 5, len(VECTORS))
    again = np.repeat(VECTORS, counts, axis=0).astype(np.float64)
    for x in (VECTORS, checked_rows(in_file(VECTORS, tmp_path))):
        mean, std = moments(x, axis, counts / counts.max())
        np.testing.assert_allclose(mean, again.mean(axis), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(std, again.std(axis), rtol=1e-9)


@pytest.mark.parametrize("scaling", ["standardise", "minmax", "minmax-row", "none"])
def test_vectors_are_prepared_alike(tmp_path: Path, scaling: str) -> None:
    config, rows = PrepareConfig(scaling=scaling), in_file(VECTORS, tmp_path)  # type: ignore[arg-type]
    expected, found = fit_preparation(VECTORS, config), fit_preparation(rows, config)
    lazy = found.rows(rows)
    assert isinstance(lazy, StoredRows)
    np.testing.assert_allclose(np.asarray(lazy), expected.apply(VECTORS), rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(np.asarray(lazy), found.apply(rows))


def test_images_are_prepared_alike(tmp_path: Path) -> None:
    config, rows = PrepareConfig(image_size=(3, 3)), in_file(PIXELS, tmp_path)
    expected, found = fit_preparation(PIXELS, config), fit_preparation(rows, config)
    assert found.to_json() == expected.to_json()
    np.testing.assert_array_equal(np.asarray(found.rows(rows)), expected.apply(PIXELS))


def test_a_value_that_cannot_be_used_is_said_when_it_is_read(tmp_path: Path) -> None:
    x = VECTORS.copy()
    x[70, 2] = np.nan
    rows = checked_rows(in_file(x, tmp_path))
    np.asarray(rows[:70])
    with pytest.raises(InputError, match="x must be finite, got 1 NaN or infinite values"):
        np.asarray(rows[60:80])
