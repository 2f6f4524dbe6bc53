"""The exports, read back by readers of their own."""

import csv
import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.page.made_run import made_tables
from vaeclust_jax.errors import InputError
from vaeclust_jax.folder.export import comma_separated, export_tables, latex, markdown
from vaeclust_jax.folder.table import Column, Spread, Table, write_tables

HOSTILE = r"50 % of a_b & c # $x$ {y} ~z ^w \v <b> | `code` *bold* [link](x)"
texts = st.text(st.sampled_from("ab %_&#${}~^\\<>|*`[]±×é\n\t-"), max_size=12)  # noqa: RUF001

LATEX = {
    r"\textbackslash{}": "\\",
    r"\textasciitilde{}": "~",
    r"\textasciicircum{}": "^",
    r"\textbar{}": "|",
    r"$\pm$": "±",
    r"$\times$": "×",  # noqa: RUF001
    "$<$": "<",
    "$>$": ">",
    **{f"\\{character}": character for character in "%_&#${}"},
}


def read_latex(text: str) -> str:
    """What LaTeX sets; a special character outside of the known forms is an error."""
    pattern = "|".join(map(re.escape, sorted(LATEX, key=len, reverse=True)))
    assert not re.search(r"[%_&#${}~^\\<>|]", re.sub(pattern, "", text)), text
    return re.sub(pattern, lambda found: LATEX[found.group()], text)


def latex_rows(text: str) -> list[list[str]]:
    body = text.split("\\toprule\n")[1].split("\\bottomrule")[0].replace("\\midrule\n", "")
    rows = [line.removesuffix(r" \\").removeprefix("{}") for line in body.splitlines()]
    return [[read_latex(cell) for cell in re.split(r"(?<!\\) ?& ?", row)] for row in rows]


def read_markdown(text: str) -> str:
    """What a reader of GitHub's Markdown sees; a live character is an error."""
    pattern = r"\\([\\|*_`\[\]~$#])|&amp;|&lt;|&gt;"
    assert not re.search(r"[\\|*_`\[\]~$#&<>]", re.sub(pattern, "", text)), text
    names = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}
    return re.sub(pattern, lambda found: found[1] or names[found[0]], text)


def markdown_rows(text: str) -> list[list[str]]:
    """The cells between the bars that no backslash escapes."""
    rows = []
    for line in text.splitlines():
        if line.startswith("| "):
            cells = re.findall(r"((?:\\.|[^|\\])*)\|", line)[1:]
            rows.append([read_markdown(cell.strip()) for cell in cells])
    return [row for number, row in enumerate(rows) if number != 1]


def of_texts(rows: list[tuple[str, str]]) -> Table:
    return Table("t", "title", (Column("first", "text"), Column("second")), tuple(rows))


def one_line(text: str) -> str:
    return " ".join(text.split())


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=3))
def test_any_text_survives_latex(rows: list[tuple[str, str]]) -> None:
    assert latex_rows(latex(of_texts(rows)))[1:] == [[one_line(cell) for cell in row] for row in rows]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=3))
def test_any_text_survives_markdown(rows: list[tuple[str, str]]) -> None:
    assert markdown_rows(markdown(of_texts(rows)))[1:] == [[one_line(cell) for cell in row] for row in rows]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(texts, st.floats(allow_nan=False, allow_infinity=False)), max_size=4))
def test_csv_keeps_every_digit_and_every_character(rows: list[tuple[str, float]]) -> None:
    found = list(csv.reader(io.StringIO(comma_separated(of_texts(rows)), newline="")))
    assert found[0] == ["first", "second"]
    expected = [
        (f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text, value) for text, value in rows
    ]
    assert [(text, float(number)) for text, number in found[1:]] == expected


def test_no_spreadsheet_takes_a_name_for_a_formula() -> None:
    table = Table("t", "t", (Column("=1+1", "text"), Column("ACC")), (("=cmd()", -0.5),))
    found = list(csv.reader(io.StringIO(comma_separated(table))))
    assert found == [["'=1+1", "ACC"], ["'=cmd()", "-0.5"]]


def test_a_spread_takes_two_columns_of_csv_and_what_is_not_defined_is_empty() -> None:
    columns = (Column("method", "text"), Column("ACC"), Column("seeds", "integer"), Column("p", "p"))
    rows = (
        ("a", Spread(0.1 + 0.2, 1 / 3), 3, 1e-9),
        ("b", Spread(0.5, None), 1, None),
        ("c", None, 3, 0.04),
        ("d", 0.25, 3, 0.04),
    )
    found = list(csv.reader(io.StringIO(comma_separated(Table("t", "t", columns, rows)))))
    assert found == [
        ["method", "ACC", "ACC_std", "seeds", "p"],
        ["a", "0.30000000000000004", "0.3333333333333333", "3", "1e-09"],
        ["b", "0.5", "", "1", ""],
        ["c", "", "", "3", "0.04"],
        ["d", "0.25", "", "3", "0.04"],
    ]


def test_markdown_reads_like_the_terminal_and_aligns_numbers() -> None:
    table = made_tables()[0]
    text = markdown(table)
    assert markdown_rows(text) == [[column.name for column in table.columns], *table.texts()]
    assert text.splitlines()[3] == "| --- | ---: | ---: | ---: | ---: | ---: |"
    assert "—" in text
    assert text.startswith(f"**{table.title}**\n\n")
    assert text.endswith(f"*{table.note}*\n")


def test_latex_has_a_booktabs_table_with_title_note_and_plus_minus() -> None:
    table = made_tables()[1]
    text = latex(table)
    assert latex_rows(text)[1:] == table.texts()
    for line in (
        r"\caption{vaedec against the others, paired over seeds \& 100 \% of the rows}",
        r"\begin{tabular}{lrrr}",
        r"vae-kmeans & 3 & 0.081 $\pm$ 0.020 & 0.031 \\",
        r"k-means & 3 & 0.139 $\pm$ 0.012 & $<$ 0.0001 \\",
        r"\par\smallskip\footnotesize Wilcoxon signed-rank test; p of one test each, not corrected.",
    ):
        assert line in text.splitlines()


def test_titles_headings_and_notes_are_escaped_too() -> None:
    table = Table("t", HOSTILE, (Column(HOSTILE, "text"),), ((HOSTILE,),), HOSTILE)
    for text, read in ((latex(table), read_latex), (markdown(table), read_markdown)):
        escaped = [line for line in text.splitlines() if "50" in line]
        assert len(escaped) == 4
        for line in escaped:
            core = re.search(r"50.*\(x\)", line)
            assert core is not None
            assert read(core.group()) == HOSTILE


def test_a_bracket_at_the_start_of_a_row_is_no_option_of_the_row_before() -> None:
    lines = latex(of_texts([("[1ex]", "a"), ("*", "b")])).splitlines()
    assert r"{}[1ex] & a \\" in lines
    assert r"{}* & b \\" in lines


def test_files_are_named_after_tables_and_replace_older_ones(tmp_path) -> None:
    write_tables(tmp_path / "tables.json", made_tables())
    for _ in range(2):
        found = export_tables(tmp_path)
    names = [f"{name}.{ending}" for name in ("scores", "paired") for ending in ("md", "tex", "csv")]
    assert [path.name for path in found] == names
    assert {path.name for path in (tmp_path / "tables").iterdir()} == set(names)
    assert (tmp_path / "tables" / "scores.md").read_text(encoding="utf-8") == markdown(made_tables()[0])


@pytest.mark.parametrize("name", ["../t", "a/b", "", ".", "a b"])
def test_a_table_cannot_be_written_elsewhere(tmp_path, name: str) -> None:
    write_tables(tmp_path / "tables.json", [Table(name, "t", (Column("a"),), ())])
    with pytest.raises(InputError, match="letters, digits and dashes"):
        export_tables(tmp_path)
    assert not (tmp_path / "tables").exists()


def test_no_tables_to_export(tmp_path) -> None:
    with pytest.raises(InputError, match=r"tables\.json cannot be read"):
        export_tables(tmp_path)
