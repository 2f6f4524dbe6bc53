"""A person's hints as a table: a line a row, with its class or with another row that it belongs with, or does not."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from vaeclust_jax.data.dataset import Dataset
from vaeclust_jax.data.reading import listed
from vaeclust_jax.errors import InputError
from vaeclust_jax.graph.hints import Hints

LABEL, LINKS = "label", ("must_link", "cannot_link")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def read_hints(path: Path, dataset: Dataset) -> Hints:
    """The hints of a CSV with a header: `row`, `file` or `sample`, and some of `label`, `must_link` and `cannot_link`.

    Rows have the numbers or names that `assignments.csv` has. Cells of links hold another row.
    What is empty says nothing, and other columns are not read: a page's export and `vaeclust suggest` write such files.
    Classes get the numbers of their names in order, of whole numbers by value.

    Raises:
        InputError: no such file, nothing in it that can be used, rows that are not there, or contradictions, by name.
    """
    lines = list(_lines(path))
    if not lines:
        raise InputError(f"{path} has no line below its header: a hint is a line with a row and its {LABEL}")
    columns = lines[0][1]
    rows_by = next((name for name in ("row", "file", "sample") if name in columns), "")
    if not rows_by or not {LABEL, *LINKS} & columns.keys():
        raise InputError(
            f"{path} must have a column row, file or sample, and {LABEL}, {LINKS[0]} or {LINKS[1]}, got "
            f"{listed(columns)}"
        )
    row_of = _finder(dataset, named=rows_by != "row")
    labels: dict[int, str] = {}
    links: dict[str, list[tuple[int, int]]] = {name: [] for name in LINKS}
    for number, cells in lines:
        place = f"{path}, line {number}"
        said = {name: text for name in (LABEL, *LINKS) if (text := cells.get(name, ""))}
        if not said:
            continue
        row = row_of(cells[rows_by], place)
        if LABEL in said and labels.setdefault(row, said[LABEL]) != said[LABEL]:
            both = f"{labels[row]!r} and {said[LABEL]!r}"
            raise InputError(f"{place}: hints contradict each other: {rows_by} {cells[rows_by]} is {both}")
        for name in LINKS:
            if name in said:
                links[name].append((row, row_of(said[name], place)))
    if not labels and not any(links.values()):
        raise InputError(f"{path} has no hints: fill in its column {LABEL}, {LINKS[0]} or {LINKS[1]}")
    names = sorted(set(labels.values()), key=_in_order)
    known = np.full(len(dataset.x), -1)
    known[list(labels)] = [names.index(name) for name in labels.values()]
    hints = Hints(known if labels else None, links[LINKS[0]], links[LINKS[1]], tuple(names))
    hints.constraints(len(dataset.x), _namer(dataset, named=rows_by != "row"))
    return hints


def _lines(path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    """The number of each line in the file, and its cells by column."""
    try:
        text = path.read_text(encoding="utf-8-sig", errors="surrogateescape")
        header = text.partition("\n")[0]
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if ";" in header else ",", strict=True)
        for cells in reader:
            yield reader.line_num, {name: _plain(cells.get(name)) for name in reader.fieldnames or () if name}
    except OSError as error:
        raise InputError(f"hints cannot be read from {path}: {error.strerror or error}") from error
    except csv.Error as error:
        raise InputError(f"{path} cannot be read as a CSV of hints: {error}") from error


def _plain(cell: object) -> str:
    """The text of a cell, without the quote that keeps spreadsheets from taking it for a formula."""
    text = cell.strip() if isinstance(cell, str) else ""
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text


def _finder(dataset: Dataset, *, named: bool) -> Callable[[str, str], int]:
    what = dataset.names_are if named else "row"
    if named and dataset.row_names is None:
        raise InputError(f"hints name rows, but those of {dataset.name} have no names: give a column row")
    keys = (dataset.row_names or ()) if named else map(str, dataset.numbers.tolist())
    known = {key: index for index, key in enumerate(keys)}
    if len(known) < len(dataset.x):
        raise InputError(f"several rows of {dataset.name} have one name: give a column row")

    def find(text: str, place: str) -> int:
        if text not in known:
            raise InputError(f"{place}: {what} {text!r} is not among the {len(known)} samples of {dataset.name}")
        return known[text]

    return find


def _namer(dataset: Dataset, *, named: bool) -> Callable[[int], str]:
    names = dataset.row_names if named else None
    return lambda row: f"row {dataset.numbers[row]}" if names is None else names[row]


def _in_order(name: str) -> tuple[int, int, str]:
    whole = name.isdecimal() and name.isascii() and len(name) < 19
    return (0, int(name), name) if whole else (1, 0, name)
