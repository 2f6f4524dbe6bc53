"""Whether the first row of a text table holds the names of its columns or a sample."""

from collections.abc import Sequence

import numpy as np

from vaeclust_jax.data.no_numbers import UNIT
from vaeclust_jax.data.written import MISSING, number_of
from vaeclust_jax.errors import InputError

_FEW = 6
"""Columns below which sorted numbers in one row are no sign of a header: chance sorts them too."""

Row = Sequence[str]


def is_header(rows: Sequence[Row], decimal: str) -> tuple[bool, str]:
    """Whether the first row is a header, and why.

    Text over numbers is one. Numbers are one if they only grow, evenly or along many columns, or lie far from
    everything below; the rows below must look otherwise.

    Args:
        rows: the first rows of the table, as text.
        decimal: the decimal mark, "." or ",".

    Raises:
        InputError: numbers that may be either.
    """
    first, below = rows[0], rows[1:]
    names = [cell.strip() not in MISSING and number_of(cell, decimal) is None for cell in first]
    if any(names):
        return _names_over_numbers(rows, names, decimal)
    head = np.array([_value(cell, decimal) for cell in first])
    rest = np.array([[_value(cell, decimal) for cell in row] for row in below if len(row) == len(first)])
    if not len(rest) or np.isfinite(head).sum() < 2:
        return False, "the first row holds numbers like those below"
    shown = ", ".join(cell.strip() for cell in first[:3] if cell.strip())
    if _far_from(head, rest):
        return True, f"the first row ({shown}, ...) lies far from all others"
    looks = _even if len(head) < _FEW or _even(head) else _grows
    if looks(head) and np.mean([looks(row) for row in rest]) < 0.05:
        if len(head) < _FEW and all(value in column for value, column in zip(head, rest.T, strict=True)):
            raise InputError(f"the first row ({shown}, ...) may be names or a sample: write --header or --no-header")
        return True, f"the first row ({shown}, ...) counts upward and the others do not"
    return False, "the first row holds numbers like those below"


def _names_over_numbers(rows: Sequence[Row], names: Sequence[bool], decimal: str) -> tuple[bool, str]:
    numeric = [
        any(number_of(row[column], decimal) is not None for row in rows[1:] if column < len(row))
        for column in range(len(names))
    ]
    if not any(name and number for name, number in zip(names, numeric, strict=True)) and any(
        number and not name and cell.strip() not in MISSING
        for name, number, cell in zip(names, numeric, rows[0], strict=True)
    ):
        return False, "its first row holds numbers and text where the others do"
    if cell := _cell_amid_numbers(rows, names, numeric, decimal):
        shown = ", ".join(one.strip() for one in rows[0][:3])
        raise InputError(
            f"the first row ({shown}, ...) may be names or a sample in which {cell[:40]!r} is no number: write "
            "--header or --no-header"
        )
    return True, "its first row holds names"


def _cell_amid_numbers(rows: Sequence[Row], names: Sequence[bool], numeric: Sequence[bool], decimal: str) -> str:
    """The first text of a first row that is a number but for a sign or a unit, or stands amid numbers of a sample."""
    texts = [column for column, name in enumerate(names) if name and numeric[column]]
    plain = [column for column, cell in enumerate(rows[0]) if np.isfinite(_value(cell, decimal))]
    units = sum(bool(UNIT.fullmatch(rows[0][column])) for column in texts)
    if not texts or not plain or 2 * (len(plain) + units) <= len(texts) + len(plain):
        return ""
    head = np.array([_value(rows[0][column], decimal) for column in plain])
    rest = np.array([[_value(row[column], decimal) for column in plain] for row in rows[1:] if len(row) == len(names)])
    looks = _even if len(head) < _FEW else _grows
    counts = len(head) == 2 and head[1] - head[0] == 1  # pandas names columns so
    are_names = (not units and (counts or looks(head) or looks(head[::-1]))) or _far_from(head, rest)
    return "" if are_names else rows[0][texts[0]].strip()


def _far_from(head: np.ndarray, rest: np.ndarray) -> bool:
    """Further from every column's values than they are from each other."""
    known = np.isfinite(head) & np.isfinite(rest).all(axis=0)
    if known.sum() < 2 or len(rest) < 5:
        return False
    low, high = rest[:, known].min(axis=0), rest[:, known].max(axis=0)
    return bool(((head[known] < 2 * low - high) | (head[known] > 2 * high - low)).all())


def _grows(row: np.ndarray) -> bool:
    row = row[np.isfinite(row)]
    return len(row) > 2 and bool((np.diff(row) > 0).all())


def _even(row: np.ndarray) -> bool:
    row = row[np.isfinite(row)]
    steps = np.diff(row)
    return len(row) > 2 and bool(steps.min() > 0 and np.ptp(steps) <= 0.01 * steps.mean())


def _value(cell: str, decimal: str) -> float:
    number = number_of(cell, decimal)
    return np.nan if number is None else number
