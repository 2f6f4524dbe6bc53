"""Rows of runs say all that makes them again."""

import re
from pathlib import Path

import pytest

from benchmarks import runs
from benchmarks.runs import read
from vaeclust_jax.errors import InputError


def test_the_rows_say_all_that_makes_them_again() -> None:
    found = read()
    assert set(found) <= set(runs.RUNS)
    for name, one in found.items():
        assert one.command == runs.RUNS[name]
        assert re.fullmatch("[0-9a-f]{12}", one.commit or ""), "of code that is committed"
        assert one.threads >= 1
        assert one.cpu_seconds > 0
        assert {"python", "jax", "flax", "numpy", "scikit-learn"} <= set(one.versions)
        assert all(
            len(values) in (1, len(one.seeds))
            for of in one.scores.values()
            for by in of.values()
            for values in by.values()
        )


def test_a_damaged_file_is_said(tmp_path: Path) -> None:
    assert read(tmp_path / "none.json") == {}
    (tmp_path / "bad.json").write_text('[{"name": "x"}]')
    with pytest.raises(InputError, match="cannot be read as rows of runs"):
        read(tmp_path / "bad.json")


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        runs.main(["no-such-run"])
    assert "names must be among digits, " in capsys.readouterr().err
