"""`assignments.csv` read back: what was written of the first seed."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vaeclust_jax.errors import InputError
from vaeclust_jax.folder import write_assignments
from vaeclust_jax.folder.assignment_file import read_assignments


def made(**changes: Any) -> dict[str, Any]:
    columns = {
        "seed": [4, 4, 4, 1, 1, 1],
        "row": [0, 2, 5] * 2,
        "part": ["train"] * 6,
        "cluster": [2, 0, 2, 0, 0, 0],
        "probability": np.array([0.5, 1 / 3, 1.0, 1, 1, 1]),
    }
    return columns | changes


def test_the_first_seed_comes_back(tmp_path: Path) -> None:
    names = ["a,b.png", 'c"d.png', "\udcff"]
    write_assignments(tmp_path / "a.csv", made(file=names * 2))
    found = read_assignments(tmp_path / "a.csv")
    assert (found.row, found.cluster, found.file) == ([0, 2, 5], [2, 0, 2], names)
    assert found.probability == pytest.approx([0.5, 1 / 3, 1.0], abs=1e-8)


@pytest.mark.parametrize("column", ["file", "sample"])
def test_the_column_of_names_is_known(tmp_path: Path, column: str) -> None:
    write_assignments(tmp_path / "a.csv", made(**{column: ["a", "b", "c"] * 2}))
    found = read_assignments(tmp_path / "a.csv")
    assert (found.file, found.names_are) == (["a", "b", "c"], column)


def test_samples_need_no_files(tmp_path: Path) -> None:
    write_assignments(tmp_path / "a.csv", made())
    assert read_assignments(tmp_path / "a.csv").file is None


@pytest.mark.parametrize(
    "text",
    ["", "row,cluster\n0,1\n", "seed,row,cluster,probability\n0,0,one,0.5\n", "seed,row,cluster,probability\n0\n"],
)
def test_a_file_that_is_none_of_ours(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(InputError, match=r"a\.csv cannot be read as the assignments of a run"):
        read_assignments(tmp_path / "a.csv")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read as the assignments"):
        read_assignments(tmp_path / "a.csv")
