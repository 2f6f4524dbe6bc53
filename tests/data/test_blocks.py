"""Rows in Zarr and in shards of parquet are those of the array, read by blocks; what cannot be read so is said."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from vaeclust_jax.data import ReadConfig, StoredRows, blocks, mapped
from vaeclust_jax.data.loading import read
from vaeclust_jax.data.mapped import chunks
from vaeclust_jax.data.numbers import AllBut, place_of
from vaeclust_jax.errors import InputError

zarr = pytest.importorskip("zarr")

X = np.random.default_rng(0).normal(size=(103, 3)).astype(np.float32)
Y = np.arange(len(X)) % 4


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapped, "_BYTES_IN_MEMORY", 100)
    monkeypatch.setattr(mapped, "_BYTES_AT_ONCE", 3 * 4 * 9)  # nine rows
    monkeypatch.setattr(mapped, "memory", lambda: 4000)
    for room in (blocks, mapped):
        monkeypatch.setattr(room, "BYTES_OF_BLOCK", 3 * 4 * 12)  # twelve


def in_zarr(path: Path, x: np.ndarray = X, chunk: int = 5, **arrays: np.ndarray) -> Path:
    group = zarr.open_group(path, mode="w")
    for name, values in {"x": x, **arrays}.items():
        group.create_array(name, data=values, chunks=(min(chunk, len(values)), *values.shape[1:]))
    return path


def in_shards(folder: Path, *parts: np.ndarray, group: int = 8, names: str = "abc", **columns: Any) -> Path:
    folder.mkdir(exist_ok=True)
    for number, part in enumerate(parts):
        table = pyarrow.table({name: part[:, place] for place, name in enumerate(names[: part.shape[1]])})
        for name, values in columns.items():
            table = table.append_column(name, [values[number]])
        parquet.write_table(table, folder / f"{number}.parquet", row_group_size=group)
    return folder


def stored(path: Path, **config: Any) -> StoredRows:
    found = read(path, ReadConfig(**config)).x
    assert isinstance(found, StoredRows)
    assert found.by_blocks
    return found


@pytest.mark.parametrize("kind", ["zarr", "parquet", "npy"])
def test_rows_are_those_of_the_array(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapped, "MOST_SCATTERED", 50)
    if kind == "npy":
        np.save(tmp_path / "x.npy", X)
    path = {"zarr": lambda: in_zarr(tmp_path / "x.zarr"), "npy": lambda: tmp_path / "x.npy"}.get(
        kind, lambda: in_shards(tmp_path / "x", X[:40], X[40:40], X[40:])
    )()
    rows = stored(path)
    assert (rows.shape, rows.ndim, rows.dtype, len(rows), rows.nbytes) == (X.shape, 2, np.float32, 103, X.nbytes)
    np.testing.assert_array_equal(np.asarray(rows), X)
    parts = list(chunks(rows))
    assert [len(part) for part in parts] == [9] * 11 + [4]
    np.testing.assert_array_equal(np.concatenate(parts), X)
    scattered = np.array([101, 3, 3, 77, 0])
    np.testing.assert_array_equal(np.asarray(rows[scattered]), X[scattered])
    assert rows.edges[0] == 0
    assert rows.edges[-1] == 103
    sizes = np.diff(rows.edges)
    assert sizes.max() == {"zarr": 10, "parquet": 8, "npy": 12}[kind]  # two chunks of five are nearest to twelve
    few = rows.without(np.array([0, 50, 102]))
    np.testing.assert_array_equal(np.asarray(few), np.delete(X, [0, 50, 102], axis=0))
    assert few.edges[-1] == len(few) == 100


def test_a_block_is_read_once_while_a_pass_needs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = stored(in_shards(tmp_path / "x", X, group=50))
    read_blocks: list[int] = []
    original = blocks.ParquetFile._block
    monkeypatch.setattr(
        blocks.ParquetFile, "_block", lambda self, number: (read_blocks.append(number), original(self, number))[1]
    )
    np.testing.assert_array_equal(np.concatenate(list(chunks(rows))), X)
    assert read_blocks == [1, 2], "the first one was read when it was opened"


def test_an_array_of_zarr_is_taken_as_a_mapped_one_is(tmp_path: Path) -> None:
    array = zarr.open(in_zarr(tmp_path / "x.zarr"), mode="r")["x"]
    found = mapped.mapped_rows(array, lambda rows: rows)
    assert found is not None
    np.testing.assert_array_equal(np.asarray(found), X)
    assert mapped.mapped_rows(zarr.array(X[:5]), lambda rows: rows) is None, "small ones are read"


def test_labels_come_with_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(in_zarr(tmp_path / "x.zarr", y=Y))
    np.testing.assert_array_equal(found.y, Y)
    assert "read by blocks" in found.taken[0]
    np.testing.assert_array_equal(found.of_rows(np.array([4, 9])).x, X[[4, 9]])
    np.testing.assert_array_equal(found.of_rows(np.array([4, 9])).y, Y[[4, 9]])
    np.testing.assert_array_equal(found.of_rows(np.array([4, 9])).numbers, [4, 9])
    shards = in_shards(tmp_path / "shards", X[:50], X[50:], label=[Y[:50], Y[50:]])
    table = read(shards)
    np.testing.assert_array_equal(table.y, Y)
    assert table.columns is not None
    assert table.columns.names == ("a", "b", "c")
    monkeypatch.setattr(mapped, "MOST_LABELS", 100)
    from vaeclust_jax.data import arrays, tables

    monkeypatch.setattr(arrays, "MOST_LABELS", 100)
    monkeypatch.setattr(tables, "MOST_LABELS", 100)
    for path in (tmp_path / "x.zarr", shards):
        left_out = read(path)
        assert left_out.y is None
        assert any("left out" in line for line in left_out.taken)


def test_columns_of_shards_come_in_the_order_of_the_model(tmp_path: Path) -> None:
    like = read(in_shards(tmp_path / "one", X))
    turned = in_shards(tmp_path / "two", X[:, ::-1], names="cba")
    np.testing.assert_array_equal(np.asarray(read(turned, like=like).x), X)
    with pytest.raises(InputError, match="lacks 'c'"):
        read(in_shards(tmp_path / "three", X[:, :2]), like=like)


def test_a_pattern_of_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = in_shards(tmp_path / "x", X[:50], X[50:80], X[80:])
    (folder / "notes.csv").write_text("a\n1\n")
    np.testing.assert_array_equal(np.asarray(read(folder / "*.parquet").x), X)
    monkeypatch.setattr(mapped, "memory", lambda: 10**9)
    np.testing.assert_array_equal(read(folder / "*.parquet").x, X)
    with pytest.raises(InputError, match="does not exist"):
        read(folder / "no-*.parquet")


def test_what_cannot_be_read_by_blocks_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = zarr.open_group(tmp_path / "texts.zarr", mode="w")
    texts.create_array("x", data=np.array(["abc"] * 2000, "U9"))
    with pytest.raises(InputError, match="must hold integers, booleans or floats, got dtype"):
        read(tmp_path / "texts.zarr")
    with pytest.raises(InputError, match=r"must be vectors \(n, F\) or images"):
        read(in_zarr(tmp_path / "flat.zarr", np.zeros(2000, np.float32)))
    monkeypatch.setattr(blocks, "_MOST_BYTES", 40 * 12)
    with pytest.raises(InputError, match=r"stored in parts of up to .* write it again with parts of at most"):
        read(in_zarr(tmp_path / "whole.zarr", chunk=103))
    with pytest.raises(InputError, match="row_group_size"):
        read(in_shards(tmp_path / "whole", X, group=103))


def test_shards_that_do_not_go_together_are_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must have the same columns: 'c' are in one alone"):
        read(in_shards(tmp_path / "columns", X, X[:, :2]))
    with pytest.raises(InputError, match=r"column .a. must have one type in all shards: it is double in 1\.parquet"):
        read(in_shards(tmp_path / "types", X, X.astype(np.float64)))
    with pytest.raises(InputError, match="at least one row of numbers, got none"):
        read(in_shards(tmp_path / "empty", X[:0], X[:0]))
    mixed = in_shards(tmp_path / "mixed", X)
    (mixed / "more.csv").write_text("a,b,c\n1,2,3\n")
    with pytest.raises(InputError, match=r"parquet \(1 files\) and other tables \('more.csv'\)"):
        read(mixed)
    broken = in_shards(tmp_path / "broken", X)
    (broken / "1.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"1.parquet cannot be read as a parquet"):
        read(broken)
    with pytest.raises(InputError, match="leave --missing and --categorical out"):
        read(in_shards(tmp_path / "missing", X), ReadConfig(missing="mean"))


def test_a_value_that_is_not_there_is_said_with_its_rows(tmp_path: Path) -> None:
    x = X.copy()
    x[57, 1] = np.nan
    for path in (in_zarr(tmp_path / "x.zarr", x), in_shards(tmp_path / "x", x[:30], x[30:])):
        with pytest.raises(InputError, match=r"rows 54 to 62: x of .* must be finite, got 1 NaN"):
            list(chunks(stored(path)))


def test_files_that_change_while_they_are_read(tmp_path: Path) -> None:
    folder = in_shards(tmp_path / "x", X[:50], X[50:])
    rows = stored(folder)
    np.asarray(rows[:50])
    in_shards(tmp_path / "other", X[:50], X[50:70])
    (tmp_path / "other" / "1.parquet").replace(folder / "1.parquet")
    with pytest.raises(InputError, match=r"another file than when reading began|cannot be read any more"):
        np.asarray(rows)
    (folder / "1.parquet").unlink()
    with pytest.raises(InputError, match=r"cannot be read any more: .*1.parquet"):
        np.asarray(rows)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.data())
def test_all_but_a_few_numbers(n: int, data: st.DataObject) -> None:
    left_out = np.array(sorted(data.draw(st.sets(st.integers(0, n - 1)))), int)
    expected = np.setdiff1d(np.arange(n), left_out)
    numbers = AllBut(n, left_out)
    assert len(numbers) == len(expected)
    np.testing.assert_array_equal(np.asarray(numbers), expected)
    step = data.draw(st.integers(1, 5))
    np.testing.assert_array_equal(numbers[::step], expected[::step])
    places = np.array(data.draw(st.lists(st.integers(0, max(len(expected) - 1, 0)))), int)[: len(expected) * 9]
    if len(expected):
        np.testing.assert_array_equal(numbers[places], expected[places])
    more = np.unique(places) if len(expected) else places[:0]
    np.testing.assert_array_equal(np.asarray(numbers.without(more)), np.delete(expected, more))
    every = np.arange(n + 1)
    np.testing.assert_array_equal(place_of(numbers, every), np.searchsorted(expected, every))
    np.testing.assert_array_equal(place_of(expected, every), np.searchsorted(expected, every))
