"""A table of hints: rows by number and by file, what is in its cells, and everything that is wrong with one."""

from pathlib import Path

import numpy as np
import pytest

from vaeclust_jax.data import Dataset
from vaeclust_jax.data.hints import read_hints
from vaeclust_jax.errors import InputError

DATA = Dataset(np.zeros((6, 3), np.float32), None, "toys", row_numbers=np.array([0, 1, 2, 4, 5, 9]))
FILES = Dataset(np.zeros((3, 3), np.float32), None, "toys", row_names=("a.png", "=b.png", "c, d.png"))


def written(folder: Path, text: str) -> Path:
    path = folder / "hints.csv"
    path.write_bytes(text.encode())
    return path


def test_rows_have_the_numbers_of_their_file_and_classes_the_order_of_their_names(tmp_path: Path) -> None:
    text = "\ufeffcluster,row,label,must_link,cannot_link\r\n3,9,10,,\r\n3,4,2,,\r\n1,1,,5,0\r\n,1,,,9\r\n0,0,,,\r\n"
    hints = read_hints(written(tmp_path, text), DATA)
    assert hints.names == ("2", "10")  # by value
    assert np.asarray(hints.partial_labels).tolist() == [-1, -1, -1, 0, -1, 1]
    assert (hints.must_link, hints.cannot_link) == ([(1, 4)], [(1, 0), (1, 5)])


def test_files_have_names_and_a_quote_that_keeps_spreadsheets_from_a_formula_is_none_of_it(tmp_path: Path) -> None:
    text = "file;label;must_link\n'=b.png;'-dog;\n\"c, d.png\"; cat ;\na.png;;c, d.png\na.png;cat;\n"
    hints = read_hints(written(tmp_path, text), FILES)
    assert hints.names == ("-dog", "cat")
    assert np.asarray(hints.partial_labels).tolist() == [1, 0, 1]
    assert hints.must_link == [(0, 2)]


def test_the_same_line_twice_says_nothing_new(tmp_path: Path) -> None:
    once, twice = ("row,label\n0,a\n1,b\n", "row,label\n0,a\n1,b\n0,a\n")
    assert read_hints(written(tmp_path, once), DATA).digest == read_hints(written(tmp_path, twice), DATA).digest


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "has no line below its header"),
        ("row,label\n", "has no line below its header"),
        ("row,label\n0,\n1, \n", "has no hints: fill in its column label"),
        (
            "row,name\n0,a\n",
            "must have a column row, file or sample, and label, must_link or cannot_link, got 'row', 'name'",
        ),
        ("label\na\n", "must have a column row, file or sample"),
        ("row,label\n0,a\n3,b\n", "line 3: row '3' is not among the 6 samples of toys"),
        ("row,label\n-1,a\n", "line 2: row '-1' is not among the 6 samples"),
        ("row,label\nx,a\n", "line 2: row 'x' is not among"),
        ("row,must_link\n0,77\n", "line 2: row '77' is not among"),
        ("row,label\n0,a\n0,b\n", "line 3: hints contradict each other: row 0 is 'a' and 'b'"),
        ("row,label,must_link\n9,a,4\n4,b,\n", "row 4 and row 9 are to be together, and are 'b' and 'a'"),
        ("row,label,cannot_link\n9,a,4\n4,a,\n", "row 9 and row 4 are to be apart, and are both 'a'"),
        ("file,label\na.png,a\n", "hints name rows, but those of toys have no names: give a column row"),
        ('row,label\n0,"a\n', "cannot be read as a CSV of hints"),
    ],
)
def test_what_cannot_be_used_is_said(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(InputError) as error:
        read_hints(written(tmp_path, text), DATA)
    assert sentence in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"hints cannot be read from .*none.csv: No such file"):
        read_hints(tmp_path / "none.csv", DATA)
    with pytest.raises(InputError, match="hints cannot be read from"):
        read_hints(tmp_path, DATA)
