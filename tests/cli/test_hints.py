"""Hints from run to run: suggested, filled in, read, recorded, kept in folder and model, and refused."""

import csv
import json
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import vaeclust_jax as vc
from tests.cli.conftest import TINY, Answer
from tests.cli.test_resume import contents, ended, started
from vaeclust_jax.folder.records.metrics_file import read_metrics
from vaeclust_jax.page.page import write_page

Run = Callable[..., Answer]
SETTINGS = [*TINY, "--epochs", "3", "--clusters", "3", "--quiet", "--no-page"]


@pytest.fixture(scope="module")
def blobs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.arange(90) % 3
    path = tmp_path_factory.mktemp("blobs") / "blobs.npz"
    np.savez(path, x=rng.normal(size=(90, 5)) + 6 * np.eye(3, 5)[y], y=y)
    return path, y


def last(folder: Path) -> Path:
    return max(folder.glob("vaegraph-*"), key=lambda one: one.name)


@pytest.mark.long
def test_suggested_rows_are_filled_in_and_given_back(
    vaeclust: Run, blobs: tuple[Path, np.ndarray], tmp_path: Path
) -> None:
    data, y = blobs
    code, _, err = vaeclust("run", data, *SETTINGS, "--out", tmp_path / "runs")
    assert code == 0, err
    asked = tmp_path / "asked.csv"
    assert vaeclust("suggest", last(tmp_path / "runs"), "--number", 6, "--out", asked)[0] == 0
    rows = list(csv.DictReader(asked.open()))
    assert len({row["row"] for row in rows}) == 6
    assert not any(row["label"] for row in rows)
    assert "is there already: --overwrite" in vaeclust("suggest", last(tmp_path / "runs"), "--out", asked)[2]
    names = ["cat", "ant", "bee"]
    with asked.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows({**row, "label": names[y[int(row["row"])]]} for row in rows)
    code, out, err = vaeclust("run", data, *SETTINGS, "--hints", asked, "--out", tmp_path / "hinted")
    assert code == 0, err
    assert "Semi-supervised: it read a person's hints (the classes of 6 rows)" in " ".join(out.split())
    folder = last(tmp_path / "hinted")
    assert (folder / "hints.csv").read_bytes() == asked.read_bytes()
    config = json.loads((folder / "config.json").read_text())["hints"]
    assert (config["labels"], config["must_link"], config["names"]) == (6, 0, ["ant", "bee", "cat"])
    record = read_metrics(folder / "metrics.json")
    assert record.hints.rows == 6
    assert record.protocol["scored_on"] == "all: all 84 rows without a hint (of 90)"
    assert "the training read a person's hints, the classes of 6 rows" in record.protocol["labels_used_for"]
    run, found = vc.load(folder), [int(row["cluster"]) for row in csv.DictReader((folder / "assignments.csv").open())]
    hinted = np.asarray(run.hints.partial_labels)
    told = hinted >= 0
    assert told.sum() == 6
    rest = (np.array([2, 0, 1])[y] == np.array(found))[~told]  # class c is cluster c, in the order of the names
    assert record.mean.acc == pytest.approx(rest.mean(), abs=1e-9)
    assert "Semi-supervised" in write_page(folder).read_text()
    code, _, err = vaeclust("suggest", folder, "--out", tmp_path / "more.csv")
    assert code == 0, err
    more = [int(row["row"]) for row in csv.DictReader((tmp_path / "more.csv").open())]
    assert not told[more].any()


@pytest.mark.slow
def test_a_killed_run_with_hints_goes_on_bit_for_bit_by_its_own_copy_of_them(
    process: Run, blobs: tuple[Path, np.ndarray], tmp_path: Path, environment: dict[str, str]
) -> None:
    data, y = blobs
    hints = tmp_path / "hints.csv"
    hints.write_text("row,label,must_link\n" + "".join(f"{row},{'abc'[y[row]]},\n" for row in range(6)) + "7,,10\n")
    words = ["run", str(data), *SETTINGS, "--tolerance", "0", "--epochs", "12", "--checkpoint-epochs", "1"]
    words += ["--hints", str(hints), "--out"]
    code, _, err = process(*words, tmp_path / "whole")
    assert (code, err) == (0, "")
    killed = tmp_path / "killed"
    killed.mkdir()
    command, folder = started([*words, str(killed)], killed, environment)
    assert ended(command, signal.SIGKILL)[0] == -signal.SIGKILL
    hints.write_text("row,label\n0,z\n")  # another one by now
    code, _, err = process("run", "--resume", folder, "--quiet")
    assert code == 0, err
    whole = contents(last(tmp_path / "whole"))
    assert contents(folder) == whole
    assert any(b'"must_link": 1' in found for name, found in whole.items() if name == "config.json")


@pytest.mark.parametrize(
    ("text", "more", "sentence"),
    [
        ("row,label\n0,a\n0,b\n", (), "row 0 is 'a' and 'b'"),
        ("row,label\n500,a\n", (), "row '500' is not among the 90 samples"),
        ("", (), "has no line below its header"),
        ("row,label\n0,a\n1,b\n2,c\n3,d\n", (), "hints name 4 classes, which need as many clusters"),
        ("row,label\n0,a\n", ("kmeans",), "takes no hints: vaegraph (GraphDEC) does"),
    ],
)
def test_hints_that_cannot_be_used_are_refused_before_anything_is_trained(
    vaeclust: Run, blobs: tuple[Path, np.ndarray], tmp_path: Path, text: str, more: tuple[str, ...], sentence: str
) -> None:
    (tmp_path / "hints.csv").write_text(text)
    out = ("--hints", tmp_path / "hints.csv", "--out", tmp_path / "runs")
    code, _, err = vaeclust("run", *more, blobs[0], *SETTINGS, *out)
    assert (code, len(err.splitlines())) == (2, 1), err
    assert sentence in err
    assert not list((tmp_path / "runs").glob("*"))
