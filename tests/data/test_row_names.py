"""The names that a table's index gives to its rows: kept beside the answers, and taken in hints."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import vaeclust_jax as vc
from tests.fitting.made import config
from vaeclust_jax.data import ReadConfig, load
from vaeclust_jax.data.hints import read_hints
from vaeclust_jax.data.reading import Columns
from vaeclust_jax.errors import InputError


def written(path: Path, names: list[object], header: str = "sample", n: int = 40) -> Path:
    """Two groups of rows, each with its name."""
    x = np.random.default_rng(0).normal(size=(n, 3)) + 9 * (np.arange(n) % 2)[:, None]
    with path.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow([header, "a", "b", "c"])
        lines.writerows([name, *row] for name, row in zip(names, x.tolist(), strict=True))
    return path


def test_a_column_that_is_named_as_the_index(tmp_path: Path) -> None:
    names = [f"plate-{number:02}" for number in range(40)]
    found = load(written(tmp_path / "t.csv", names), ReadConfig(index_column="sample"))
    assert found.row_names == tuple(names)
    assert list(found.named) == ["sample"]
    assert found.of_rows(np.array([3, 7])).row_names == ("plate-03", "plate-07")


def test_an_index_that_is_found(tmp_path: Path) -> None:
    found = load(written(tmp_path / "t.csv", list(range(1001, 1041)), "id"))
    assert found.row_names is not None
    assert found.row_names[:2] == ("1001", "1002")


def test_row_numbers_are_no_names(tmp_path: Path) -> None:
    assert load(written(tmp_path / "t.csv", list(range(40)), "")).row_names is None


def test_names_of_rows_that_are_dropped_go_with_them(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id,a,b\nu,1,2\nv,,3\nw,5,6\nx,7,8\n")
    found = load(path, ReadConfig(index_column="id", missing="drop"))
    assert found.row_names == ("u", "w", "x")
    assert found.numbers.tolist() == [0, 2, 3]


def test_the_index_of_a_frame_in_parquet(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1.0, 2.0, 3.0], "b": [4.0, 5.0, 7.0]}, index=["u", "v", "w"])
    frame.to_parquet(tmp_path / "t.parquet")
    assert load(tmp_path / "t.parquet").row_names == ("u", "v", "w")


def test_hints_by_name(tmp_path: Path) -> None:
    found = load(written(tmp_path / "t.csv", [f"s{n}" for n in range(40)]), ReadConfig(index_column="sample"))
    hints = tmp_path / "hints.csv"
    hints.write_text("sample,label,cannot_link\ns3,odd,s4\ns5,odd,\n")
    read = read_hints(hints, found)
    assert read.cannot_link == [(3, 4)]
    assert read.partial_labels is not None
    assert np.flatnonzero(read.partial_labels == 0).tolist() == [3, 5]
    hints.write_text("sample,label\ns99,odd\n")
    with pytest.raises(InputError, match="sample 's99' is not among the 40 samples"):
        read_hints(hints, found)
    twice = load(written(tmp_path / "u.csv", ["same"] * 40), ReadConfig(index_column="sample"))
    with pytest.raises(InputError, match="several rows of u have one name: give a column row"):
        read_hints(hints, twice)


@pytest.mark.long
def test_the_command_writes_them(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", [f"s{n}" for n in range(40)])
    run = vc.fit(config(2), load(path, ReadConfig(index_column="sample")), 0)
    run.save(tmp_path / "model.vaeclust")
    more = written(tmp_path / "more.csv", [f"new {n}" for n in range(10)], n=10)
    command = [sys.executable, "-m", "vaeclust_jax.cli", "predict", "model.vaeclust", more.name, "--out", "labels.csv"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "labels.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["sample"] for row in rows] == [f"new {n}" for n in range(10)]
    assert list(run.to_frame(load(path, ReadConfig(index_column="sample")), backend="pandas")["sample"])[:2] == [
        "s0",
        "s1",
    ]


def test_columns_of_older_models_have_no_index() -> None:
    record = json.loads(json.dumps(Columns(("a", "b"), left_out=("id",), index="id").to_json()))
    assert Columns.from_json(record).index == "id"
    del record["index"]
    assert Columns.from_json(record).index is None
    with pytest.raises(InputError):
        Columns.from_json({**record, "index": 7})


def test_none_is_no_index_at_prediction_either(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", list(range(1001, 1041)), "id")
    trained = load(path)
    assert trained.row_names is not None
    assert load(path, ReadConfig(index_column="none"), like=trained).row_names is None
    pandas = pytest.importorskip("pandas")
    pandas.DataFrame({"a": [1.0, 2.0], "b": [4.0, 5.0]}, index=["u", "v"]).to_parquet(tmp_path / "t.parquet")
    assert load(tmp_path / "t.parquet", ReadConfig(index_column="none")).row_names is None
