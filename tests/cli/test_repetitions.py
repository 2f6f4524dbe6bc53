"""`vaeclust run --splits N` and `--groups N`: runs beside each other, what they say together, and every refusal."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import TINY, Answer
from vaeclust_jax.cli.repetitions import asked_for, repetitions_of
from vaeclust_jax.cli.run import parse_run
from vaeclust_jax.errors import InputError
from vaeclust_jax.folder.latest import run_at
from vaeclust_jax.folder.records.repetitions import RepetitionsRecord

Run = Callable[..., Answer]


@pytest.mark.long
def test_splits_are_runs_of_their_own_and_one_record(vaeclust: Run, files: Path, tmp_path: Path) -> None:
    words = ["run", "kmeans", files / "vectors.npz", "-k", 3, *TINY, "--epochs", 2, "--seeds", 2, "--validation", 0.2]
    words += ["--splits", 2, "--first-seed", 4, "--no-page", "--quiet"]
    code, out, err = vaeclust(*words, "--out", tmp_path)
    assert (code, err) == (0, "")
    folder = Path(out.splitlines()[-1])
    assert folder == (tmp_path / "latest").resolve()
    found = RepetitionsRecord.read(folder / "repetitions.json")
    assert [(one.folder, one.split_seed, one.seeds) for one in found.repetitions] == [
        ("split-0", 0, (4, 5)),
        ("split-1", 1, (6, 7)),
    ]
    held_out = set()
    for of, row in zip(found.repetitions, found.results[found.method]["all"].seeds, strict=True):
        metrics = json.loads((folder / of.folder / "metrics.json").read_text())
        assert metrics["mean"]["acc"] == pytest.approx(row.acc)
        assert f"split with seed {of.split_seed}" in metrics["protocol"]["fitted_on"]
        held_out.add((folder / of.folder / "assignments.csv").read_text().count("validation"))
    assert held_out == {2 * round(0.2 * metrics["dataset"]["shape"][0])}
    assert found.findings[0] in out
    assert "Mean ± standard deviation over splits" in out

    # One that was ended early goes on: the second split had only begun.
    whole = (folder / "repetitions.json").read_bytes()
    (folder / "repetitions.json").unlink()
    (folder / "timing.json").unlink()
    shutil.rmtree(folder / "split-1")
    (folder / "split-1").mkdir()
    first = (folder / "split-0" / "metrics.json").stat().st_mtime_ns
    code, _, err = vaeclust("run", "--resume", folder, "--splits", 3)
    assert code == 2
    assert "was started with other settings" in err
    code, out, err = vaeclust("run", "--resume", folder, "--quiet")
    assert (code, err) == (0, "")
    assert (folder / "repetitions.json").read_bytes() == whole
    assert (folder / "split-0" / "metrics.json").stat().st_mtime_ns == first
    code, _, err = vaeclust("run", "--resume", folder)
    assert code == 2
    assert "has ended: there is nothing left to do" in err
    assert run_at(tmp_path / "latest") == folder / "split-1"  # a run like any other


def asked(*words: str) -> bool:
    return asked_for(parse_run(list(words)))


def test_one_split_is_an_ordinary_run() -> None:
    assert not asked("--splits", "1", "--groups=1")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--splits", "0"], "splits must be at least 1 and at most 1000, got 0"),
        (["--splits", "-2"], "splits must be at least 1 and at most 1000, got -2"),
        (["--splits", "1001", "--validation", "0.2"], "splits must be at least 1 and at most 1000, got 1001"),
        (["--groups", "0"], "groups must be at least 1"),
        (["--splits", "2", "--groups", "2"], "splits and groups do not go together"),
        (["--splits", "3"], "splits need rows to hold out, and there are none: add --validation 0.2, or give --groups"),
        (["gan", "--groups", "2"], "splits and groups are of runs that cluster: gan is of generation"),
        (["--groups", "3", "--first-seed", "4294967294"], "seeds must be below 2[*][*]32"),
        (["--splits", "3", "--validation", "0.2", "--split-seed", "4294967295"], "split_seed must be below 2[*][*]32"),
    ],
)  # fmt: skip
def test_refusals_come_before_anything_is_read(words: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        asked(*words)


def test_groups_share_the_split_and_no_seed() -> None:
    args = parse_run(["--groups", "3", "--seeds", "3", "--split-seed", "7"])
    assert asked_for(args)
    found = repetitions_of(args)
    assert [one.split_seed for one in found] == [7, 7, 7]
    assert [seed for one in found for seed in one.seeds] == list(range(9))


def test_more_splits_than_there_are_leave_nothing_behind(vaeclust: Run, tmp_path: Path) -> None:
    (tmp_path / "few.csv").write_text("a,b\n" + "\n".join(f"{n},{n * n % 7}" for n in range(5)))
    words = [tmp_path / "few.csv", "-k", 2, "--validation", 0.2, "--splits", 6, *TINY]
    code, _, err = vaeclust("run", "kmeans", *words, "--out", tmp_path / "runs")
    assert code == 2
    assert "splits must be at most 5, the ways to hold 1 of 5 rows out" in err
    assert list((tmp_path / "runs").glob("*")) == []
    (tmp_path / "few.csv").write_text("a,b,who\n" + "\n".join(f"{n},{n * n % 7},{'xyz'[n % 3]}" for n in range(12)))
    code, _, err = vaeclust("run", "kmeans", *words, "--subject-column", "who", "--out", tmp_path / "runs")
    assert code == 2
    assert "splits must be at most 3, the ways to hold 1 of 3 subjects out" in err
