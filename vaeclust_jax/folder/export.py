"""The tables of a run as files for other programs: Markdown, LaTeX (booktabs) and CSV."""

import csv
import io
import re
from pathlib import Path

from vaeclust_jax.errors import InputError
from vaeclust_jax.folder.run_folder import as_text, check_writable
from vaeclust_jax.folder.table import Cell, Spread, Table, read_tables
from vaeclust_jax.whole_file import refuse_link, write_whole

_LATEX = str.maketrans(
    {character: f"\\{character}" for character in "%_&#${}"}
    | {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}"}
    | {"±": r"$\pm$", "\N{MULTIPLICATION SIGN}": r"$\times$", "<": "$<$", ">": "$>$", "|": r"\textbar{}"}
)
_MARKDOWN = str.maketrans(
    {character: f"\\{character}" for character in r"\|*_`[]~$#"} | {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
)


def export_tables(folder: Path) -> list[Path]:
    """Write the tables of a run as `folder/tables/<name>.md`, `.tex` and `.csv`.

    Args:
        folder: of a run; its `tables.json` is read.

    Returns:
        The files.

    Raises:
        InputError: the tables cannot be read or written, or the name of one is no file name.
    """
    tables = read_tables(folder / "tables.json")
    for table in tables:
        if not re.fullmatch(r"[A-Za-z0-9-]+", table.name):
            raise InputError(f"a table's name must be letters, digits and dashes, got {table.name!r}")
    refuse_link(folder / "tables")
    check_writable(folder / "tables")
    written = []
    for table in tables:
        for ending, text in (("md", markdown(table)), ("tex", latex(table)), ("csv", comma_separated(table))):
            written.append(folder / "tables" / f"{table.name}.{ending}")
            write_whole(written[-1], text)
    return written


def markdown(table: Table) -> str:
    """A table in GitHub's Markdown."""
    heading, rows = _texts(table, _MARKDOWN)
    rule = ["---" if column.format == "text" else "---:" for column in table.columns]
    lines = [f"| {' | '.join(cells)} |" for cells in (heading, rule, *rows)]
    parts = [f"**{_line(table.title, _MARKDOWN)}**", "\n".join(lines)]
    if table.note:
        parts.append(f"*{_line(table.note, _MARKDOWN)}*")
    return "\n\n".join(parts) + "\n"


def latex(table: Table) -> str:
    """A table for LaTeX with the package booktabs."""
    heading, rows = _texts(table, _LATEX)
    alignment = "".join("l" if column.format == "text" else "r" for column in table.columns)
    note = [rf"\par\smallskip\footnotesize {_line(table.note, _LATEX)}"] if table.note else []
    lines = [
        r"% needs \usepackage{booktabs}",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{_line(table.title, _LATEX)}}}",
        rf"\label{{tab:{table.name}}}",
        rf"\begin{{tabular}}{{{alignment}}}",
        r"\toprule",
        _latex_row(heading),
        r"\midrule",
        *map(_latex_row, rows),
        r"\bottomrule",
        r"\end{tabular}",
        *note,
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def comma_separated(table: Table) -> str:
    """A table as CSV with every digit; a column with spreads becomes two, an undefined cell stays empty."""
    cells_of = list(zip(*table.rows, strict=True)) if table.rows else [()] * len(table.columns)
    spread = [any(isinstance(cell, Spread) for cell in cells) for cells in cells_of]
    heading: list[str] = []
    for column, wide in zip(table.columns, spread, strict=True):
        heading += [column.name, f"{column.name}_std"] if wide else [column.name]
    content = io.StringIO()
    writer = csv.writer(content, lineterminator="\n")
    writer.writerow(map(as_text, heading))
    for row in table.rows:
        writer.writerow(as_text(value) for cell, wide in zip(row, spread, strict=True) for value in _values(cell, wide))
    return content.getvalue()


def _values(cell: Cell, wide: bool) -> list[str | int | float | None]:
    mean, std = cell if isinstance(cell, Spread) else (cell, None)
    return [mean, std] if wide else [mean]


def _texts(table: Table, escapes: dict[int, str]) -> tuple[list[str], list[list[str]]]:
    heading = [_line(column.name, escapes) for column in table.columns]
    return heading, [[_line(text, escapes) for text in row] for row in table.texts()]


def _line(text: str, escapes: dict[int, str]) -> str:
    """The text on one line: a line break would end a row."""
    return " ".join(text.split()).translate(escapes)


def _latex_row(cells: list[str]) -> str:
    """A row; a bracket or star at its start would be read as an option of what ended the row before."""
    row = " & ".join(cells)
    return ("{}" if row.startswith(("[", "*")) else "") + row + r" \\"
