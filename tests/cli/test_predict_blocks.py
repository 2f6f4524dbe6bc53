"""`vaeclust predict` of data larger than memory: the rows of the file in memory, some at a time, as CSV and parquet."""

import csv
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

import vaeclust_jax as vc
from tests.fitting.made import blobs, config
from vaeclust_jax.cli.predict import predict
from vaeclust_jax.data import mapped

zarr = pytest.importorskip("zarr")


@pytest.mark.long
def test_rows_are_labelled_some_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    x, y = blobs(300)
    run = vc.fit(config(method="kmeans"), x, 0)
    run.save(tmp_path / "model.npz")
    group = zarr.open_group(tmp_path / "x.zarr", mode="w")
    group.create_array("x", data=x, chunks=(40, 5))
    group.create_array("y", data=y, chunks=(100,))
    words = ["--no-compilation-cache", str(tmp_path / "model.npz"), str(tmp_path / "x.zarr"), "--out"]
    predict([*words, str(tmp_path / "whole.csv")])
    whole = (tmp_path / "whole.csv").read_text()
    assert "rows, evenly spaced" not in capsys.readouterr().err
    monkeypatch.setattr(mapped, "memory", lambda: 4000)
    monkeypatch.setattr(mapped, "_BYTES_AT_ONCE", 5 * 4 * 70)
    parts: list[int] = []
    original = vc.Run.embed
    monkeypatch.setattr(vc.Run, "embed", lambda self, x: (parts.append(len(x)), original(self, x))[1])
    predict([*words, str(tmp_path / "parts.csv")])
    assert parts[:5] == [70, 70, 70, 70, 20]
    said = capsys.readouterr().err
    assert "read by blocks" in said
    assert "(of 300 of the 300 rows, evenly spaced)" in said
    assert (tmp_path / "parts.csv").read_text() == whole
    predict([*words, str(tmp_path / "labels.parquet")])
    table = parquet.read_table(tmp_path / "labels.parquet")
    rows = list(csv.DictReader(whole.splitlines()))
    assert table.column_names == list(rows[0])
    for name in table.column_names:
        np.testing.assert_allclose(table[name].to_numpy(), [float(row[name]) for row in rows], rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(table["cluster"], run.predict(x))
