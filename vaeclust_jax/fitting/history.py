"""A model's history in its file: bounded when it is written, and checked when it is read."""

from typing import Any

from vaeclust_jax.training.loop import History

MOST_EPOCHS = 10_000
_MOST_COLUMNS = 200
_NEEDED = {"seed": int, "stage": str, "epoch": int}


def kept_history(history: History) -> History:
    """The last epochs, as many as a file holds."""
    return history[-MOST_EPOCHS:]


def checked_history(value: Any) -> History:
    """Rows that a file holds, of whom it may be.

    Raises:
        ValueError: no such rows, or more than are ever written.
    """
    if not isinstance(value, list) or len(value) > MOST_EPOCHS or not all(map(_is_row, value)):
        raise ValueError("its history is no list of epochs")
    return value


def _is_row(row: Any) -> bool:
    return (
        isinstance(row, dict)
        and len(row) <= _MOST_COLUMNS
        and all(type(row.get(name)) is kind for name, kind in _NEEDED.items())
        and all(isinstance(cell, bool | int | float | str | None) for cell in row.values())
    )
