"""Tables of one's own: text, parquet and feather, a sample a row, as vectors with names."""

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from vaeclust_jax.data.columns import choose_columns, numeric_names
from vaeclust_jax.data.dataset import Dataset, check_array, check_labels
from vaeclust_jax.data.evenness import said_of_steps
from vaeclust_jax.data.kinds import LARGEST_WHOLE, is_text, to_numbers
from vaeclust_jax.data.mapped import MOST_LABELS, is_large
from vaeclust_jax.data.no_numbers import check_as_trained, check_series
from vaeclust_jax.data.reading import NONE, Columns, ReadConfig, listed
from vaeclust_jax.data.shards import (
    check_shards,
    head_of,
    label_column,
    name_of,
    rows_of_shards,
    shards_of,
)
from vaeclust_jax.data.table_files import read_table
from vaeclust_jax.data.text import AsWritten
from vaeclust_jax.data.written import with_numbers
from vaeclust_jax.errors import InputError

if TYPE_CHECKING:
    import pyarrow

_ROWS = 10_000
"""By which it is judged whether float32 is fine enough."""
_FOR_NOTHING = (999.0, 9999.0, 99999.0)
"""Values, of either sign, that instruments write where they have measured nothing."""
_SUMMARIES = frozenset(
    ("total", "totals", "sum", "mean", "average", "avg", "median", "sd", "std", "std dev", "stdev", "se", "sem", "n",
     "count", "min", "max", "gesamt", "summe", "mittelwert", "moyenne", "somme", "media", "suma")
)  # fmt: skip
"""What rows below a table are called that hold no sample."""
_CODE = re.compile(r"0\d+|\d+[eE]\d+|[A-Za-z]+")
"""Of a class: as a number it would be spelled otherwise."""
_COARSEST = 1e-4
"""Of a feature's deviation: float32 is kept from rounding more than that away."""


def load_table(path: Path, config: ReadConfig, like: Columns | None = None) -> Dataset:
    """Loads a table of vectors.

    Args:
        path: of text (.csv, .tsv, ..., packed or not), feather or parquet; of the latter a folder, or part-*.parquet.
        config: which columns are what; what it leaves open is found, and said in `Dataset.taken`.
        like: the columns that a model was trained on: taken by their names, in any order.

    Raises:
        InputError: a table that cannot be read, columns missing, text or missing values where there should be numbers.
    """
    shards = shards_of(path)
    if shards and is_large(check_shards(shards)):
        return _stored(path, shards, config, like)
    table, taken, decimal, frame_index, as_written = read_table(path, config)
    if len(table) == 0:
        raise InputError(f"{path} must hold at least one row of numbers, got none")
    if config.column is not None:
        if config.column not in table.column_names:
            raise InputError(f"{path} has no column {config.column!r}: it has {listed(table.column_names)}")
        taken = (*taken, *said_of_steps(table, config.column))
        table, config = table.select([config.column]), replace(config, label_column=NONE, index_column=NONE)
    if decimal:
        table, written = with_numbers(table, numeric_names(table, config, like), decimal)
        taken = (*taken, *written)
    if config.column is not None:
        check_series(table, config.column, path)
    if like is None:
        columns, found = choose_columns(table, config, path)
    else:
        columns, found = _as_trained(table, like, config, path)
    kept, dropped = _complete(table, columns, config, path, as_written)
    named = frame_index
    if columns.index is not None:
        named = table[columns.index] if as_written is None else as_written(columns.index)
    if dropped:
        table, named = table.filter(kept), None if named is None else named.filter(kept)
    if columns.label is not None and as_written is not None:
        spelled = as_written(columns.label)
        table = _with_spelled_labels(table, columns.label, spelled.filter(kept) if dropped else spelled)
    x, columns, filled = _features(table, columns, config, path)
    y, class_names = (None, None) if columns.label is None else _labels(table, columns.label, path)
    subjects = None if config.subject_column is None else _labels(table, config.subject_column, path)[0]
    texts = None if named is None else ["" if value is None else str(value) for value in named.to_pylist()]
    found = (*found, *([] if texts is None else _summaries(texts)))
    return Dataset(
        x=check_array(x, f"x of {path}"),
        y=y,
        name=name_of(path),
        class_names=class_names,
        source=str(path),
        columns=columns,
        row_numbers=np.flatnonzero(kept) if dropped else None,
        taken=(*taken, *found, *dropped, *filled),
        subjects=subjects,
        row_names=None if texts is None else _names(texts, np.flatnonzero(kept)),
        names_are="sample",
    )


def _summaries(names: Sequence[str]) -> list[str]:
    """A sentence on the last rows, if they are called like sums or means of those above, or alone have no name."""
    last = len(names)
    while last > 0 and names[last - 1].strip().lower().rstrip(".:") in _SUMMARIES:
        last -= 1
    if last == len(names) and last > 1 and not names[-1].strip() and all(name.strip() for name in names[:-1]):
        return [f"row {last - 1}, the last, has no name as the others do: remove it if it sums them up"]
    found = names[last:]
    return (
        [f"the last rows are called {listed(found)}: remove them if they sum up the others"] if last and found else []
    )


def _names(texts: Sequence[str], numbers: np.ndarray) -> tuple[str, ...] | None:
    """What the index calls each row; None if these are the rows' numbers."""
    return None if list(texts) == list(map(str, numbers.tolist())) else tuple(texts)


def _stored(path: Path, shards: Sequence[Path], config: ReadConfig, like: Columns | None) -> Dataset:
    """A table that stays in its shards."""
    head = head_of(shards)
    if config.column is not None:
        config = replace(config, label_column=NONE, index_column=NONE, drop_columns=())
        head = head.select([name for name in head.column_names if name == config.column])
    columns, found = choose_columns(head, config, path) if like is None else _as_trained(head, like, config, path)
    rows = rows_of_shards(shards, columns, config, head)
    y, class_names = None, None
    taken = [rows.said, *found]
    if columns.label is not None and len(rows) > MOST_LABELS:
        taken.append(f"labels: {columns.label!r} left out, since they are more than {MOST_LABELS}")
        columns = replace(columns, label=None, left_out=(*columns.left_out, columns.label))
    elif columns.label is not None:
        y, class_names = _labels(label_column(shards, columns.label), columns.label, path)
    return Dataset(
        x=cast(np.ndarray, rows), y=y, name=name_of(path), class_names=class_names,
        source=str(path), columns=columns, taken=tuple(taken),
    )  # fmt: skip


def _as_trained(
    table: "pyarrow.Table", like: Columns, config: ReadConfig, path: Path
) -> tuple[Columns, tuple[str, ...]]:
    """The columns of a model, by name."""
    table_names = set(table.column_names)
    missing = [name for name in like.names if name not in table_names]
    if missing:
        raise InputError(
            f"{path} lacks {listed(missing)} of the {len(like.names)} columns that the model was trained on: it has "
            f"{listed(table.column_names)}"
        )
    asked = config.label_column
    label = asked if asked in table_names else like.label if like.label in table_names else None
    index = config.index_column if config.index_column in {*table_names, NONE} else like.index
    check_as_trained(table, [name for name in like.names if name not in (like.categories or {})], path)
    if config.missing == "mean" and not like.means:
        raise InputError(f"{path}: the model has no means for missing values: write --missing drop")
    known = {*like.names, *like.left_out, label, index}
    more = [name for name in table.column_names if name not in known]
    taken = (f"columns that the model does not know were left out: {listed(more)}",) if more else ()
    return replace(like, label=label, index=index if index in table_names else None), taken


def _complete(
    table: "pyarrow.Table", columns: Columns, config: ReadConfig, path: Path, as_written: AsWritten | None
) -> tuple[np.ndarray, list[str]]:  # fmt: skip
    """Which rows are kept, and sentences on those that are not.

    Raises:
        InputError: values are missing and nothing is said about them.
    """
    empty = _empty(table)
    kept, said = ~empty, [f"{empty.sum()} empty rows were left out"] if empty.any() else []
    first, count = None, 0
    used = (*columns.names, *(name for name in (columns.label, config.subject_column) if name is not None))
    filled = columns.means or config.missing == "mean"
    for name in used:
        nothing = _nothing(table[name])
        if nothing is None or (filled and name in columns.names and name not in (columns.categories or {})):
            continue
        nothing &= ~empty
        if not nothing.any():
            continue
        kept &= ~nothing
        count += int(nothing.sum())
        row = int(nothing.argmax())
        first = (row, name) if first is None or row < first[0] else first
    if first is not None and config.missing != "drop":
        row, name = first
        instead = "drop" if name not in columns.names or filled else "drop or --missing mean"
        more = f" (and {count - 1} other{'s' if count > 2 else ''})" if count > 1 else ""
        cell = table[name][row].as_py()
        what = f"{cell:g}" if isinstance(cell, float) and math.isinf(cell) else "no value"
        written = "" if as_written is None or name in columns.names else as_written(name)[row].as_py().strip()
        is_word = f" ({written!r} counts as missing: write another word if it is a class)" if written else ""
        of_series = "fill the cell, such as by the value before it"
        cure = f"write --missing {instead}; values must be finite" if config.column is None else of_series
        raise InputError(f"{path} has {what} in row {row} (from 0) of column {name!r}{more}{is_word}: {cure}")
    if not kept.any():
        raise InputError(f"{path} has missing values in every row: --drop-columns names columns to leave out")
    if dropped := int((~kept & ~empty).sum()):
        said.append(f"{dropped} of {len(kept)} rows were dropped: they have missing values")
    return kept, said


def _empty(table: "pyarrow.Table") -> np.ndarray:
    """Which rows hold nothing in any of several columns, as spreadsheets write them below a table."""
    empty = np.full(len(table), table.num_columns > 1)
    for name in table.column_names:
        if not empty.any():
            break
        nothing = _nothing(table[name])
        empty &= False if nothing is None else nothing
    return empty


def _nothing(column: "pyarrow.ChunkedArray") -> np.ndarray | None:
    """Where a column has no finite value; None if it has all."""
    numbers = None if is_text(column.type) else to_numbers(column)
    if numbers is None:
        return np.array(column.is_null()) if column.null_count else None
    nothing = ~np.isfinite(numbers)
    return nothing if nothing.any() else None


def _features(
    table: "pyarrow.Table", columns: Columns, config: ReadConfig, path: Path
) -> tuple[np.ndarray, Columns, tuple[str, ...]]:
    categories, means = dict(columns.categories or {}), dict(columns.means or {})
    x = np.empty((len(table), len(columns.features)), np.float32)
    place, filled, coarse, said = 0, 0, False, []
    for name in columns.names:
        if name in categories:
            part = _one_hot(table[name], name, categories[name], path)
            x[:, place : place + part.shape[1]] = part
            place += part.shape[1]
            continue
        numbers = to_numbers(table[name])
        assert numbers is not None
        nothing = ~np.isfinite(numbers)
        if config.missing == "mean" and name not in means:
            means[name] = float(np.nanmean(np.where(nothing, np.nan, numbers)))
        if name in means and nothing.any():
            numbers = np.where(nothing, means[name], numbers)
            filled += int(nothing.sum())
        elif value := _value_for_nothing(numbers):
            said.append(f"column {name!r} holds {value:g} and no other value so large: empty the cell if it is missing")
        largest = numbers[np.abs(numbers).argmax()]
        if abs(largest) > np.finfo(np.float32).max:
            raise InputError(
                f"{path}: column {name!r} holds {largest:g}, beyond the range of float32 (about 3.4e38): mend the cell "
                "or rescale the column"
            )
        if not coarse and _is_coarse(numbers):
            x, coarse = x.astype(np.float64), True
        x[:, place] = numbers
        place += 1
    if filled:
        said.append(f"{filled} missing values became the means of their columns")
    return x, replace(columns, categories=categories, means=means), tuple(said)


def _value_for_nothing(numbers: np.ndarray) -> float:
    """-999 and the like, at one end of a column and far from all others; 0 if there is none."""
    for end in (float(numbers.min()), float(numbers.max())):
        if abs(end) in _FOR_NOTHING and np.abs(numbers[numbers != end]).max(initial=0) < abs(end) / 2:
            return end
    return 0.0


def _is_coarse(numbers: np.ndarray) -> bool:
    """Whether float32 would lose the differences, as of time stamps."""
    numbers = numbers[:: max(1, len(numbers) // _ROWS)]
    with np.errstate(over="ignore", invalid="ignore"):
        lost = np.abs(numbers - numbers.astype(np.float32)).max()
        return bool(np.isfinite(lost) and lost > _COARSEST * numbers.std())


def _one_hot(column: "pyarrow.ChunkedArray", name: str, values: tuple[str, ...], path: Path) -> np.ndarray:
    found = np.array([str(value).strip() for value in column.to_pylist()])
    unknown = sorted(set(found.tolist()) - set(values))
    if unknown:
        raise InputError(f"{path}: column {name!r} holds {listed(unknown)}, which the model was not trained on")
    return np.stack([found == value for value in values], axis=1).astype(np.float32)


def _with_spelled_labels(table: "pyarrow.Table", name: str, spelled: "pyarrow.ChunkedArray") -> "pyarrow.Table":
    """The table with labels as they are spelled, where these are codes or words that were read as numbers: 01, TRUE."""
    if is_text(table[name].type) or not any(_CODE.fullmatch(text.strip()) for text in spelled.unique().to_pylist()):
        return table
    return table.set_column(table.column_names.index(name), name, spelled)


def _labels(table: "pyarrow.Table", name: str, path: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    column = table[name]
    if is_text(column.type):
        return check_labels(
            np.array([str(value).strip() for value in column.to_pylist()]), len(column), f"{name} of {path}"
        )
    numbers = to_numbers(column)
    if numbers is None:
        raise InputError(f"{path}: column {name!r} holds {column.type}, which are no classes")
    if (numbers == np.round(numbers)).all() and np.abs(numbers).max(initial=0) <= LARGEST_WHOLE:
        return check_labels(numbers, len(column), f"{name} of {path}")
    return check_labels(np.array([str(value) for value in column.to_pylist()]), len(column), f"{name} of {path}")
