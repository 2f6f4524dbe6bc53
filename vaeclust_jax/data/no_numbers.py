"""Columns of a table that hold no numbers: refused with the flag to write."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vaeclust_jax.data.kinds import is_text, is_time, to_numbers
from vaeclust_jax.data.reading import listed
from vaeclust_jax.errors import InputError

if TYPE_CHECKING:
    import pyarrow


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
    elif len(column) > 1 and len(column.unique()) == len(column) and not any(map(_reads, column.to_pylist())):
        why = (
            f"holds another text in every row: write --index-column {name!r} if it names the rows, or --drop-columns "
            f"{name!r}"
        )
    else:
        row, value = next(((n, v) for n, v in enumerate(column.to_pylist()) if not _reads(v)), (0, ""))
        why = (
            f"holds text ({str(value)[:40]!r} in row {row}, from 0): write --drop-columns {name!r}, --label-column "
            f"{name!r} if it holds the classes, --subject-column {name!r} if it says whose a row is, or --categorical "
            "onehot"
        )
    raise InputError(f"{path}: column {name!r} {why}{others}")


def _is_no_number(column: "pyarrow.ChunkedArray") -> bool:
    return is_text(column.type) or is_time(column.type) or to_numbers(column.slice(0, 1)) is None


def _reads(value: object) -> bool:
    try:
        return value is None or float(str(value)) is not None
    except ValueError:
        return False
