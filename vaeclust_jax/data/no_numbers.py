"""Columns of a table that hold no numbers: refused with the flag to write."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from vaeclust_jax.data.kinds import is_text, is_time, to_numbers
from vaeclust_jax.data.reading import listed
from vaeclust_jax.data.written import MISSING
from vaeclust_jax.errors import InputError

if TYPE_CHECKING:
    import pyarrow

UNIT = re.compile(r"\s*[(<>~]?\s*[-+]?\s*[^\w\s.,-]?\s*[-+]?\d[\d,]*(?:[.,]\d+)?(?:[eE][-+]?\d+)?\s*[^\d\s-]{0,8}\s*")
"""$ 12.50, 3.2 mm, (4.1), <0.05."""
_DIGITS = re.compile(r"""[="\s]*[-+]?\d[\d\s.,:/\u00b1\u00b7\u00b0\u2013\u2032\u2033'"+-]*""")
"""50.3 \u00b1 0.1, 3/7, 12-13, ="50.3"."""


def check_numeric(table: "pyarrow.Table", names: Sequence[str], path: object) -> None:
    """Refuses columns that hold no numbers.

    Raises:
        InputError: says what the first of them holds and which flag to write, and names the others.
    """
    wrong = [name for name in names if _is_no_number(table[name])]
    if not wrong:
        return
    column, name = table[wrong[0]], wrong[0]
    more = f"{listed(wrong[1:])} {'holds' if len(wrong) == 2 else 'hold'} no numbers either"
    others = f"; {more}, and --drop-columns takes several" if wrong[1:] else ""
    if is_time(column.type):
        why = f"holds times: write --drop-columns {name!r}, or --index-column {name!r} if it names the rows"
    elif not is_text(column.type):
        why = f"holds {column.type}, no numbers: write --drop-columns {name!r}"
    else:
        why = _why_text(column.to_pylist(), name)
    raise InputError(f"{path}: column {name!r} {why}{others}")


def _why_text(values: list[object], name: str) -> str:
    """What a column of text holds, by its first cell that is no number."""
    row, cell = next(((n, v) for n, v in enumerate(values) if not _reads(v)), (0, None))
    if cell is None:
        return (
            f"holds numbers as text: save it as numbers, or write --drop-columns {name!r}, or --label-column {name!r} "
            "if it holds the classes"
        )
    where, cells = f"{str(cell)[:40]!r} in row {row}, from 0", [str(value) for value in values if value is not None]
    numbers = sum(map(_reads, cells))
    if 2 * numbers > len(cells) and re.fullmatch(r"\s*[-+]?\d+,\d+\s*", str(cell)):
        return f"holds numbers with decimal points or none and some with commas ({where}): write points alone"
    if 2 * numbers > len(cells):
        return (
            f"holds numbers and a text ({where}): empty the cell if it is missing, remove the row if it is no sample, "
            f"or write --drop-columns {name!r}"
        )
    if cells and all(map(UNIT.fullmatch, cells)):
        return (
            f"holds numbers with a sign, a unit or another decimal mark ({where}): write plain numbers, or "
            f"--drop-columns {name!r}"
        )
    if numbers == 0 and cells and all(map(_DIGITS.fullmatch, cells)):
        return (
            f"holds numbers that are written in another way, or names of digits ({where}): write plain numbers, "
            f"--index-column {name!r} if it names the rows, or --drop-columns {name!r}"
        )
    if numbers == 0 and 1 < len(values) == len(set(values)):
        return (
            f"holds another text in every row: write --index-column {name!r} if it names the rows, or --drop-columns "
            f"{name!r}"
        )
    return (
        f"holds text ({where}): write --drop-columns {name!r}, --label-column {name!r} if it holds the classes, "
        f"--subject-column {name!r} if it says whose a row is, or --categorical onehot"
    )


def check_as_trained(table: "pyarrow.Table", names: Sequence[str], path: object) -> None:
    """Refuses columns that hold no numbers, of a table for a model that was trained on them: none can be dropped.

    Raises:
        InputError: names the first of them, and its first cell that is no number.
    """
    for name in names:
        if _is_no_number(table[name]):
            got = _first_text(table[name])
            raise InputError(f"{path}: column {name!r} must hold numbers, as it did in training, got {got}")


def check_series(table: "pyarrow.Table", name: str, path: object) -> None:
    """Refuses a column that is to be a series and holds no numbers.

    Raises:
        InputError: names its first cell that is none.
    """
    if _is_no_number(table[name]):
        got = _first_text(table[name])
        raise InputError(
            f"{path}: column {name!r} must hold numbers to be a series, got {got}: name another by --column, or write "
            "numbers"
        )


def _first_text(column: "pyarrow.ChunkedArray") -> str:
    row, cell = next(((n, v) for n, v in enumerate(column.to_pylist()) if not _reads(v)), (0, column[0]))
    return f"{str(cell)[:40]!r} in row {row} (from 0)"


def _is_no_number(column: "pyarrow.ChunkedArray") -> bool:
    return is_text(column.type) or is_time(column.type) or to_numbers(column.slice(0, 1)) is None


def _reads(value: object) -> bool:
    cell = str(value).strip()
    try:
        return value is None or cell in MISSING or (cell.isascii() and "_" not in cell and float(cell) is not None)
    except ValueError:
        return False
