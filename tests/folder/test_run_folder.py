import csv
import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from vaeclust_jax.errors import InputError
from vaeclust_jax.folder import check_writable, new_run_folder, run_folder, write_assignments, write_history, write_json


def read_csv(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_folder_is_named_after_experiment_and_time(tmp_path):
    folder = new_run_folder(tmp_path / "deep" / "runs", "mnist-vade")
    assert folder.is_dir()
    assert folder.parent == tmp_path / "deep" / "runs"
    assert re.fullmatch(r"mnist-vade-\d{8}-\d{6}(-\d+)?", folder.name)


def test_runs_of_the_same_second_get_folders_of_their_own(tmp_path, monkeypatch):
    class Frozen:
        @staticmethod
        def now():
            return datetime(2024, 3, 9, 7, 5, 1)

    monkeypatch.setattr(run_folder, "datetime", Frozen)
    first = new_run_folder(tmp_path, "run")
    (first / "kept").write_text("content")
    with ThreadPoolExecutor(8) as pool:
        others = list(pool.map(lambda _: new_run_folder(tmp_path, "run"), range(16)))
    assert first.name == "run-20240309-070501"
    assert {folder.name for folder in others} == {f"run-20240309-070501-{number}" for number in range(2, 18)}
    assert (first / "kept").read_text() == "content"
    assert not any(list(folder.iterdir()) for folder in others)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/abs"])
def test_experiment_must_be_a_plain_name(tmp_path, name):
    with pytest.raises(InputError, match="experiment must be a plain name"):
        new_run_folder(tmp_path, name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ask", [check_writable, lambda parent: new_run_folder(parent, "run")])
def test_a_parent_that_cannot_be_used_is_named(tmp_path, ask):
    file = tmp_path / "file"
    file.write_text("mine")
    for parent in (file, file / "below", Path("/proc/runs"), Path("/proc")):
        with pytest.raises(InputError, match="the output folder must be one that can be written to") as caught:
            ask(parent)
        assert repr(str(parent)) in str(caught.value)
    assert file.read_text() == "mine"


def test_checking_leaves_an_empty_folder(tmp_path):
    check_writable(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_json_knows_arrays_and_has_no_nan(tmp_path):
    path = tmp_path / "summary.json"
    write_json(
        path,
        {
            "z": np.float32(0.5),
            "a": np.arange(2),
            "n": [np.nan, float("inf"), None, (1, True)],
            "path": Path("x") / "y",
            "name": "é",
            3: np.int64(4),
            "b": np.bool_(False),
        },
    )
    text = path.read_text(encoding="utf-8")
    found = json.loads(text, parse_constant=lambda name: pytest.fail(name))
    assert found == {
        "z": 0.5,
        "a": [0, 1],
        "n": [None, None, None, [1, True]],
        "path": "x/y",
        "name": "é",
        "3": 4,
        "b": False,
    }
    assert list(found) == ["z", "a", "n", "path", "name", "3", "b"]
    assert text.startswith('{\n  "z"')
    assert text.endswith("}\n")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "summary.json"
    write_json(path, {"acc": 0.5})
    with pytest.raises(TypeError):
        write_json(path, {"acc": 0.6, "bad": object()})
    assert json.loads(path.read_text()) == {"acc": 0.5}
    assert [file.name for file in tmp_path.iterdir()] == ["summary.json"]


def test_history_round_trip(tmp_path):
    loss = np.random.default_rng(0).normal(size=20).astype(np.float32) * 1e3
    rows = [{"seed": 0, "stage": "vae", "epoch": epoch + 1, "loss": value} for epoch, value in enumerate(loss)]
    rows.append({"seed": 0, "stage": "joint", "epoch": np.int64(1), "cluster": 0.25, "loss": float(loss[0])})
    write_history(tmp_path / "history.csv", rows)
    found = read_csv(tmp_path / "history.csv")
    assert list(found[0]) == ["seed", "stage", "epoch", "loss", "cluster"]
    np.testing.assert_array_equal(np.array([row["loss"] for row in found[:-1]], np.float32), loss)
    assert (found[0]["cluster"], found[-1]["cluster"], found[-1]["epoch"]) == ("", "0.25", "1")


def test_assignments_round_trip(tmp_path):
    table = {"sample": range(3), "name": ["a", 'b, "c"', "d\ne"], "p": np.float32([0.1, 1.0, 1 / 3])}
    write_assignments(tmp_path / "a.csv", table)
    found = read_csv(tmp_path / "a.csv")
    assert [row["name"] for row in found] == table["name"]
    assert [int(row["sample"]) for row in found] == [0, 1, 2]
    np.testing.assert_array_equal(np.array([row["p"] for row in found], np.float32), table["p"])


def test_assignments_of_different_lengths(tmp_path):
    with pytest.raises(InputError, match=r"columns of one length; got \{'sample': 2, 'cluster': 1\}"):
        write_assignments(tmp_path / "a.csv", {"sample": [0, 1], "cluster": [1]})
    assert list(tmp_path.iterdir()) == []
