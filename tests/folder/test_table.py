"""A table as it is read, written, read back and printed."""

import json
import re
import sys
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaeclust_jax.errors import InputError
from vaeclust_jax.folder.table import Column, Spread, Table, cell_text, print_tables, read_tables, write_tables

COLUMNS = (Column("method", "text"), Column("seed", "integer"), Column("ACC"), Column("p", "p"))
TABLE = Table(
    "scores",
    "Scores",
    COLUMNS,
    (("vaedec", 3, Spread(0.71649, 0.02531), 0.034), ("k-means on pixels", None, Spread(0.5, None), 3e-7)),
    "Mean ± standard deviation.",
)


@pytest.mark.parametrize(
    ("cell", "format", "text"),
    [
        (None, "text", "—"),
        (None, "score", "—"),
        (None, "p", "—"),
        ("as it is", "score", "as it is"),
        ("0.5", "p", "0.5"),
        (0.71649, "score", "0.716"),
        (0.0, "score", "0.000"),
        (-0.0416, "score", "-0.042"),
        (123.4567, "score", "123.457"),
        (Spread(0.71649, 0.02531), "score", "0.716 ± 0.025"),
        (Spread(0.71649, 0.0), "score", "0.716 ± 0.000"),
        (Spread(0.71649, None), "score", "0.716"),
        (3, "integer", "3"),
        (0, "integer", "0"),
        (3, "score", "3"),
        (0.034, "p", "0.034"),
        (0.0347, "p", "0.035"),
        (0.5, "p", "0.5"),
        (1.0, "p", "1"),
        (1e-4, "p", "0.0001"),
        (9.9e-5, "p", "< 0.0001"),
        (0.0, "p", "< 0.0001"),
    ],
)
def test_a_cell_is_read_as(cell: Any, format: Any, text: str) -> None:
    assert cell_text(cell, format) == text


def test_the_texts_of_a_table_are_those_of_its_cells_by_column() -> None:
    assert TABLE.texts() == [
        ["vaedec", "3", "0.716 ± 0.025", "0.034"],
        ["k-means on pixels", "—", "0.500", "< 0.0001"],
    ]


def test_a_row_of_another_length_is_one_sentence() -> None:
    with pytest.raises(InputError) as caught:
        Table("scores", "Scores", COLUMNS, (("vaedec", 3, 0.7, 0.1), ("k-means", 3)))
    assert str(caught.value) == "table scores has 4 columns, but a row of 2: ('k-means', 3)"


numbers = st.floats(allow_nan=False, allow_infinity=False)
cells = st.one_of(
    st.none(),
    st.text(max_size=5),
    st.integers(-(10**9), 10**9),
    numbers,
    st.builds(Spread, numbers, st.none() | numbers),
)


@pytest.mark.long
@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(cells, cells), max_size=4), st.text(max_size=8))
def test_tables_come_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any], note: str
) -> None:
    path = tmp_path_factory.mktemp("tables") / "tables.json"
    columns = (Column("one", "p"), Column("ä", "text"))
    tables = [Table("made", "T", columns, tuple(rows), note), TABLE]
    write_tables(path, tables)
    found = read_tables(path)
    assert found == tables
    for one, other in zip(found, tables, strict=True):
        assert [[type(cell) for cell in row] for row in one.rows] == [
            [type(cell) for cell in row] for row in other.rows
        ]


FIELDS = {"name": "a", "title": "A", "columns": [{"name": "x", "format": "score"}], "rows": [[0.5]], "note": ""}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[{",
        "5",
        "null",
        '["text"]',
        "[{}]",
        json.dumps([{**FIELDS, "rows": [[0.5, 0.6]]}]),
        json.dumps([{**FIELDS, "rows": [5]}]),
        json.dumps([{**FIELDS, "rows": [[{"mean": 0.5}]]}]),
        json.dumps([{**FIELDS, "columns": [{"title": "x"}]}]),
        json.dumps([{**FIELDS, "columns": [{"name": "x", "format": "%s"}]}]),
        json.dumps([{**FIELDS, "rows": [[[0.5]]]}]),
        json.dumps([{**FIELDS, "rows": [[10**400]]}]),
        json.dumps([{**FIELDS, "note": "\ud800"}]),
        "[" * 100 + "]" * 100,
        "[" * 100_000,
    ],
    ids=[
        "empty", "cut", "a number", "null", "texts", "no fields", "row too long", "no row", "half a spread", "a column",
        "a format", "a list as a cell", "a huge number", "half a character", "deep", "deeper",
    ],
)  # fmt: skip
def test_a_damaged_file_is_one_sentence(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tables.json"
    path.write_text(content)
    with pytest.raises(InputError) as caught:
        read_tables(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200 + len(str(path))


def test_a_file_that_is_no_text_or_not_there_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "tables.json").write_bytes(b"\xff\xfe\x00")
    for name in ("tables.json", "missing.json", "."):
        with pytest.raises(InputError, match="cannot be read as JSON of a run"):
            read_tables(tmp_path / name)


# Printed ---------------------------------------------------------------------------------------------


def shown(tables: list[Table], capsys: pytest.CaptureFixture[str]) -> str:
    print_tables(tables)
    return capsys.readouterr().out


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A terminal of so many columns."""

    def terminal(columns: int) -> None:
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setenv("TERM", "xterm")

    return terminal


def test_a_printed_table_holds_title_headings_cells_and_note(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown([TABLE, Table("second", "Another", (Column("x"),), ((0.25,),))], capsys)
    for word in ("Scores", "method", "ACC", *chain(*TABLE.texts()), TABLE.note, "Another", "0.250"):
        assert word in text
    assert text.index("Scores") < text.index("Another")


WIDE = Table(
    "scores",
    "Scores",
    (Column("method", "text"), Column("protocol", "text"), *map(Column, ("ACC", "NMI", "ARI", "AMI", "silhouette"))),
    tuple((name, "validation", *[Spread(0.71649, 0.02531)] * 5) for name in ("vaedec", "deterministic-vae-kmeans")),
    "A note. " * 20,
)


@pytest.mark.parametrize("columns", [5, 60, 80, 100, 200])
def test_a_narrow_terminal_keeps_names_and_numbers(
    columns: int, terminal: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal(columns)
    text = re.sub(r"\x1b\[[0-9;]*m", "", shown([WIDE], capsys))
    for word in ("vaedec", "deterministic-vae-kmeans", "validation"):
        assert word in text
    assert text.count("0.716") == text.count("0.025") == text.count("±") == 10  # wrapped, not cut
    assert "…" not in text
    assert ("0.716 ± 0.025" in text) == (columns == 200)
    assert (max(map(len, text.splitlines())) <= columns) == (columns >= 80)


def test_without_a_terminal_its_width_is_not_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert "0.716 ± 0.025" in shown([WIDE], capsys)


def test_an_empty_table_or_cell_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    columns = (Column("one", "text"), Column("two", "text"), Column("three", "text"))
    text = shown([Table("a", "None", columns, ()), Table("b", "Empty", columns, (("", "", ""),))], capsys)
    assert text.count("three") == 2


def test_brackets_are_text(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("a", "[red]T[/red]", (Column("[x]", "text"),), (("[0.1, 0.2]",), ("[/bold]",)), "note [b]")
    text = shown([table], capsys)
    for word in ("[red]T[/red]", "[x]", "[0.1, 0.2]", "[/bold]", "note [b]"):
        assert word in text
