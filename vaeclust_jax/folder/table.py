"""A table of results, independent of how it is shown: terminal, page, Markdown, LaTeX and CSV all read this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, NamedTuple

from vaeclust_jax.errors import InputError
from vaeclust_jax.folder.run_folder import write_json
from vaeclust_jax.folder.typed_json import from_json, read_json

_LONG = 1e7
NOT_DEFINED = "—"

Format = Literal["text", "integer", "score", "p"]


class Spread(NamedTuple):
    """A mean over seeds with its standard deviation (n - 1), None where there is one seed."""

    mean: float
    std: float | None


def spread(mean: float | None, std: float | None) -> Spread | None:
    """None where the mean is not defined."""
    return None if mean is None else Spread(mean, std)


Cell = str | int | float | Spread | None
"""None is a value that is not defined; it is shown as a dash, never as 0."""


class Column(NamedTuple):
    """A column's heading, and how its numbers are written."""

    name: str
    format: Format = "score"


@dataclass(frozen=True)
class Table:
    """Rows of cells under named columns.

    Attributes:
        name: of the files it is exported to; letters, digits and dashes.
        title: a line over the table.
        columns: in their order.
        rows: one cell a column each.
        note: what a reader has to know; shown under the table.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise InputError(f"table {self.name} has {len(self.columns)} columns, but a row of {len(row)}: {row}")

    def without_empty(self) -> Table:
        """The same without the columns in which nothing is defined."""
        kept = [number for number in range(len(self.columns)) if any(row[number] is not None for row in self.rows)]
        rows = tuple(tuple(row[number] for number in kept) for row in self.rows)
        return replace(self, columns=tuple(self.columns[number] for number in kept), rows=rows)

    def texts(self) -> list[list[str]]:
        """The rows as they are read."""
        return [
            [cell_text(cell, column.format) for cell, column in zip(row, self.columns, strict=True)]
            for row in self.rows
        ]


def cell_text(cell: Cell, format: Format) -> str:
    """A cell as it is read, such as "0.716 ± 0.025", or a dash for what is not defined."""
    if cell is None:
        return NOT_DEFINED
    if isinstance(cell, str):
        return cell
    if isinstance(cell, Spread):
        mean = cell_text(cell.mean, format)
        return mean if cell.std is None else f"{mean} ± {cell_text(cell.std, format)}"
    if format == "p":
        return "< 0.0001" if cell < 1e-4 else f"{cell:.2g}"
    if format == "integer" or isinstance(cell, int):
        return str(cell)
    return f"{cell:.3f}" if abs(cell) < _LONG else f"{cell:.2e}"  # such as the error of a forecast that ran away


def print_tables(tables: Sequence[Table]) -> None:
    """Prints tables to stdout: as wide as the terminal, or wider where a name or a number would be cut."""
    import sys

    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table as RichTable

    console = Console(width=None if sys.stdout.isatty() else 160)
    for table in tables:
        least = _least_widths(table)
        shown = RichTable(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True)
        if (narrowest := sum(least) + 2 * (len(least) - 1)) > console.width:
            shown.width = narrowest
        for number, column in enumerate(table.columns):
            shown.add_column(
                escape(column.name),
                justify="left" if column.format == "text" else "right",
                min_width=least[number],
                no_wrap=_is_name(number, column),
                overflow="fold",
            )
        for cells in table.texts():
            shown.add_row(*map(escape, cells))
        console.print(table.title, style="italic", markup=False, highlight=False)
        console.print(shown, crop=False)
        console.print(f"{table.note}\n", style="dim", markup=False, highlight=False)


def _is_name(number: int, column: Column) -> bool:
    """Whether a column says what a row is of."""
    return number < 2 and column.format == "text"


def _least_widths(table: Table) -> list[int]:
    """What the cells of each column need: names are not broken, other texts between words, as before a ±."""
    from rich.cells import cell_len

    least = [0] * len(table.columns)
    for row in table.texts():
        for number, text in enumerate(row):
            pieces = [text] if _is_name(number, table.columns[number]) else text.split()
            least[number] = max(least[number], *map(cell_len, pieces), 0)
    return least


def write_tables(path: Path, tables: Sequence[Table]) -> None:
    """Writes tables as JSON, for `read_tables`."""
    write_json(path, tables)


def read_tables(path: Path) -> list[Table]:
    """What `write_tables` wrote.

    Raises:
        InputError: no such file, or not one of ours.
    """
    return list(from_json(tuple[Table, ...], read_json(path), path))
