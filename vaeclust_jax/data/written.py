"""Numbers as people and spreadsheets write them: thousands in groups, percentages, the minus sign of typesetters."""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from vaeclust_jax.data.kinds import is_text
from vaeclust_jax.data.reading import listed

if TYPE_CHECKING:
    import pyarrow

MISSING = ("", "NA", "N/A", "n/a", "#N/A", "na", "NaN", "nan", "NAN", "-nan", "NULL", "null", "None", "none", "<NA>",
           "?", ".", "-", "--", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!")  # fmt: skip
"""Cells that hold nothing."""
TELLING = 10
"""Cells that are not all written alike by chance."""
_GLANCE = 1000
"""Cells by which most columns of words are told from numbers."""
_SPACES = "[ \u00a0\u202f'\u2019]"
_PERCENT = "[ \u00a0\u202f]?%"
_MINUS = "\u2212"
_AROUND = ' \t\u00a0"'
_MARKS = {",": "commas", ".": "points", _SPACES: "spaces or apostrophes"}


def decimal_of(rows: Sequence[Sequence[str]], separator: str) -> str:
    """The decimal mark of a text table: a comma only where the separator is another and no point is one.

    A mark before three digits each time may group thousands. It does in a column that has shorter whole numbers too.
    """
    if separator == ",":
        return "."
    rows = [[cell.strip() for cell in row] for row in rows[1:] or rows]
    cells = [cell for row in rows for cell in row]
    commas, points = (any(_is_decimal(cell, mark) for cell in cells) for mark in ",.")
    if commas or points:
        return "." if points else ","
    columns = list(zip(*rows, strict=False))
    if any(_groups(column, ",") for column in columns):
        return "."
    weak = any(re.fullmatch(r"[-+]?[1-9]\d{0,2},\d{3}", cell) for cell in cells)
    weak_points = any(re.fullmatch(r"[-+]?[1-9]\d{0,2}\.\d{3}", cell) for cell in cells)
    return "," if (weak and not weak_points) or any(_groups(column, ".") for column in columns) else "."


def _is_decimal(cell: str, mark: str) -> bool:
    """Whether the mark can be nothing but the decimal one."""
    if mark not in cell:  # of millions of cells in wide tables
        return False
    mark, other = re.escape(mark), re.escape("." if mark == "," else ",")
    number = rf"[-+]?(?:\d*|[1-9]\d{{0,2}}(?:{other}\d{{3}})+){mark}\d+(?:[eE][-+]?\d+)?"
    return bool(re.fullmatch(rf"{number}(?:{_PERCENT})?", cell)) and not re.fullmatch(
        rf"[-+]?[1-9]\d{{0,2}}{mark}\d{{3}}", cell
    )


def _groups(column: Sequence[str], mark: str, least: int = TELLING) -> bool:
    cells = [cell for cell in column if cell not in MISSING]
    whole = rf"[-+]?(?:0|[1-9]\d{{0,2}}(?:{re.escape(mark)}\d{{3}})*)"
    marked = sum(mark in cell for cell in cells)
    return len(cells) >= least and 0 < marked < len(cells) and all(re.fullmatch(whole, cell) for cell in cells)


def ambiguous(
    names: Sequence[str], rows: Sequence[Sequence[str]], separator: str, decimal: str, texts: Collection[str] = ()
) -> list[str]:
    """Sentences on columns whose numbers are written as codes or thousands are, and read as numbers all the same.

    Those among `texts` are not read as numbers.
    """
    thousands, codes = [], []
    marked = decimal == "," or separator == ";"
    for name, *column in zip(names, *(row for row in rows[1:] if len(row) == len(names)), strict=True):
        if name in texts:
            continue
        cells = [cell.strip() for cell in column if cell.strip()]
        if marked and _groups(cells, decimal, least=2):  # too few of them for `decimal_of`
            thousands.append(name)
        if len(cells) < TELLING:
            continue
        if marked and all(re.fullmatch(rf"-?[1-9]\d{{0,2}}{re.escape(decimal)}\d{{3}}", cell) for cell in cells):
            thousands.append(name)
        elif all(cell.isdecimal() for cell in cells) and any(re.fullmatch(r"0\d+", cell) for cell in cells):
            codes.append(name)
    said = []
    if thousands:
        marks = "point" if decimal == "." else "comma"
        said.append(
            f"three digits follow every {marks} of {listed(thousands)}: if they are thousands, write no {marks}s"
        )
    if codes:
        said.append(f"read as numbers, though leading zeros look like codes: {listed(codes)} (--drop-columns)")
    return said


def number_of(cell: str, decimal: str) -> float | None:
    """The number in a cell, by any of the ways that `with_numbers` reads; None of anything else."""
    cell = cell.strip().strip('"')
    if "_" in cell:  # Python reads 1_000
        return None
    if decimal == "." or "." not in cell:
        try:
            return float(cell.replace(decimal, "."))
        except ValueError:
            pass
    for mark, point in _forms(decimal):
        if re.fullmatch(rf"{_pattern(mark, point)}(?:{_PERCENT})?", cell):
            cell = re.sub(_PERCENT, "", cell).replace(_MINUS, "-")
            return float((re.sub(_quoted(mark), "", cell) if mark else cell).replace(point, "."))
    try:
        return float(cell)
    except ValueError:
        return None


def with_numbers(
    table: "pyarrow.Table", names: Collection[str], decimal: str
) -> tuple["pyarrow.Table", tuple[str, ...]]:
    """The table with numbers in the place of text columns that hold nothing else, and sentences on how they are read.

    Args:
        table: with names.
        names: of the columns that may be features; others stay as they are.
        decimal: the decimal mark of the other columns.
    """
    said: dict[str, list[str]] = {}
    for place, name in enumerate(table.column_names):
        if name not in names or not is_text(table[name].type):
            continue
        found = _numbers(table[name], decimal)
        if found is None:
            continue
        table = table.set_column(place, name, found[0])
        for one in found[1]:
            said.setdefault(one, []).append(name)
    return table, tuple(f"{listed(columns)}: {how}" for how, columns in said.items())


def _numbers(column: "pyarrow.ChunkedArray", decimal: str) -> tuple["pyarrow.ChunkedArray", list[str]] | None:
    import pyarrow
    from pyarrow import compute

    text = compute.utf8_trim(column.cast("string"), characters=_AROUND)
    text = compute.if_else(compute.is_in(text, value_set=pyarrow.array(MISSING)), None, text)
    glance = text.drop_null().slice(0, _GLANCE).to_pylist()
    if not glance:
        return None
    percent = glance[0].endswith("%")
    for mark, point in _forms(decimal):
        pattern = _pattern(mark, point) + (_PERCENT if percent else "")
        if not all(re.fullmatch(pattern, cell) for cell in glance):
            continue
        if not compute.all(compute.match_substring_regex(text, f"^(?:{pattern})$")).as_py():
            continue
        said = []
        if mark:
            if not compute.any(compute.match_substring_regex(text, rf"\d{_quoted(mark)}\d")).as_py():
                continue
            point_instead = "; write points if they are decimal marks" if mark == "," else ""
            said.append(f"{_MARKS[mark]} group the thousands (--drop-columns if they are codes{point_instead})")
        if percent:
            said.append("percentages are read as the numbers before the %")
        elif point != decimal:
            said.append("the decimal mark is a comma" if point == "," else "the decimal mark is a point")
        text = compute.replace_substring_regex(text, rf"{_PERCENT}$|^\+", "")
        if mark:
            text = compute.replace_substring_regex(text, _quoted(mark), "")
        text = compute.replace_substring(text, _MINUS, "-")
        return compute.replace_substring(text, point, ".").cast("float64"), said
    return None


def _forms(decimal: str) -> Iterator[tuple[str, str]]:
    """Pairs of a mark that groups thousands, "" for none, and a decimal mark, from the likeliest on."""
    other = "," if decimal == "." else "."
    yield "", decimal
    yield other, decimal
    yield _SPACES, decimal
    yield decimal, other


def _pattern(mark: str, point: str) -> str:
    """Of one number, as Python and arrow both read it."""
    mark, point = _quoted(mark), _quoted(point)
    whole = rf"\d+|[1-9]\d{{0,2}}(?:{mark}\d{{3}})+" if mark else r"\d+"
    return rf"[-+{_MINUS}]?(?:(?:{whole})(?:{point}\d*)?|{point}\d+)(?:[eE][-+]?\d+)?"


def _quoted(mark: str) -> str:
    return r"\." if mark == "." else mark
