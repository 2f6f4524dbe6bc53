"""Tables at the command line: what was taken is printed, kept and shown, and columns are asked for by name."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.conftest import TINY
from tests.fitting.made import blobs

Run = Callable[..., tuple[int, str, str]]
X, Y = blobs()
NAMES = list("abcde")


def write(path: Path, columns: dict[str, Any]) -> Path:
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(columns)
        rows.writerows(zip(*columns.values(), strict=True))
    return path


def columns(x: np.ndarray = X) -> dict[str, Any]:
    return {"id": np.arange(len(x)), **dict(zip(NAMES, x.T, strict=True)), "species": Y[: len(x)]}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, process: Run) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("trained")
    table = write(folder / "table.csv", columns())
    code, out, err = process(
        "run", "kmeans", "--dataset", table, "--clusters", 3, "--epochs", 2, "--out", folder, *TINY
    )
    assert code == 0, err
    return Path(out.splitlines()[-1]), err


def labels(path: Path) -> list[str]:
    with path.open() as file:
        return [row["cluster"] for row in csv.DictReader(file)]


def test_what_was_taken_is_printed_kept_and_shown(trained: tuple[Path, str], vaeclust: Run) -> None:
    folder, err = trained
    said = [
        "table: 120 rows of 5 features: 'a', 'b', 'c', 'd', 'e'",
        "table: labels: column 'species' (--label-column none takes it as a feature)",
        "table: column 'id' was left out: it is called like an index (--index-column none keeps it)",
    ]
    assert err.splitlines() == said
    data = json.loads((folder / "config.json").read_text())["data"]
    assert data["taken"] == [line.removeprefix("table: ") for line in said]
    assert data["columns"]["names"] == NAMES
    assert vaeclust("report", folder)[0] == 0
    assert "column &#39;species&#39;" in (folder / "report.html").read_text()


def test_columns_are_taken_by_name_in_any_order(trained: tuple[Path, str], vaeclust: Run, tmp_path: Path) -> None:
    given = columns()
    for name, order in (("same", list(given)), ("other", ["more", *reversed(given)])):
        table = write(tmp_path / f"{name}.csv", {key: given.get(key, np.zeros(len(X))) for key in order})
        code, _, err = vaeclust("predict", trained[0], table, "--out", tmp_path / f"{name}.labels")
        assert code == 0
        assert ("'more'" in err) == (name == "other")
    assert labels(tmp_path / "same.labels") == labels(tmp_path / "other.labels")


def test_a_missing_column_is_refused_by_name(trained: tuple[Path, str], vaeclust: Run, tmp_path: Path) -> None:
    given = columns()
    del given["c"]
    code, _, err = vaeclust("predict", trained[0], write(tmp_path / "t.csv", given), "--out", tmp_path / "l.csv")
    assert code == 2
    assert "lacks 'c' of the 5 columns that the model was trained on" in err
    assert not (tmp_path / "l.csv").exists()


def test_other_units_are_refused_unless_forced(trained: tuple[Path, str], vaeclust: Run, tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", columns(1000 * X))
    code, _, err = vaeclust("predict", trained[0], table, "--out", tmp_path / "l.csv")
    assert code == 2
    assert "120 of 120 rows lie far outside the range of the training rows: feature '" in err
    code, _, err = vaeclust("predict", trained[0], table, "--out", tmp_path / "l.csv", "--force")
    assert code == 0
    assert "warning: 120 of 120" in err
    assert err.count("120 of 120") == 1
    one = X.copy()
    one[7] *= 1000
    code, _, err = vaeclust(
        "predict", trained[0], write(tmp_path / "o.csv", columns(one)), "--out", tmp_path / "l.csv", "--overwrite"
    )
    assert code == 0
    assert "warning: 1 of 120 rows" in err
    with (tmp_path / "l.csv").open() as file:
        unlike = [float(row["unlike"]) for row in csv.DictReader(file)]
    assert int(np.argmax(unlike)) == 7


def test_dropped_rows_keep_their_numbers(trained: tuple[Path, str], vaeclust: Run, tmp_path: Path) -> None:
    given = columns(X[:9])
    given["b"] = ["", *given["b"][1:]]
    table = write(tmp_path / "t.csv", given)
    code, _, err = vaeclust("predict", trained[0], table, "--out", tmp_path / "l.csv")
    assert code == 2
    assert "row 0 (from 0) of column 'b'" in err
    assert vaeclust("predict", trained[0], table, "--out", tmp_path / "l.csv", "--missing", "drop")[0] == 0
    with (tmp_path / "l.csv").open() as file:
        assert [row["row"] for row in csv.DictReader(file)] == [str(number) for number in range(1, 9)]


def test_check_says_what_would_be_trained_on_and_what_is_odd(vaeclust: Run, tmp_path: Path) -> None:
    given = columns() | {"flat": np.ones(len(X)), "code": Y * 3.5}
    given["a"] = np.where(np.arange(len(X)) == 5, 1e6, given["a"])
    code, out, err = vaeclust("check", write(tmp_path / "t.csv", given))
    assert code == 0
    assert "labels: column 'species'" in err
    assert out.splitlines() == [
        "120 vectors of 7, float32",
        f"values from {X[:, 1:].min():.6g} to 1e+06",
        "labels of 3 classes: 0 40, 1 40, 2 40",
        "odd: constant features: 'flat'",
        "odd: 1 samples hold outliers, the first is row 5: features 'a'",
        "odd: features that say the class: 'code'; drop them unless that is meant",
    ]


@pytest.mark.parametrize("flag", ["--no-header", "--header"])
def test_the_header_is_a_switch(vaeclust: Run, trained: tuple[Path, str], tmp_path: Path, flag: str) -> None:
    table = write(tmp_path / "t.csv", columns())
    code, _, err = vaeclust("predict", trained[0], table, flag, "--out", tmp_path / "l.csv")
    assert code == (0 if flag == "--header" else 2)
    assert ("lacks" in err) == (flag == "--no-header")
