"""What a run leaves on disk: a new folder, and its files of JSON and CSV."""

import codecs
import csv
import itertools
import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from vaeclust_jax.errors import InputError
from vaeclust_jax.folder.typed_json import as_json
from vaeclust_jax.whole_file import whole_file, write_whole

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for a formula at the beginning of a text; a quote before it makes it text."""


def check_writable(parent: Path) -> None:
    """Check that runs can be saved under a folder, by making it if needed and trying; call before training.

    Args:
        parent: the folder that is to hold the run folders.

    Raises:
        InputError: it is a file, lies under a file, or cannot be written to.
    """
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=parent):
            pass
    except OSError as error:
        raise _not_writable(parent, error) from error


def new_run_folder(parent: Path, experiment: str) -> Path:
    """Make the folder of a run, `parent/<experiment>-<YYYYmmdd-HHMMSS>`, in local time.

    When it exists, "-2", "-3" and so on is added: no run writes over another, even if they start together.

    Args:
        parent: made if it does not exist.
        experiment: a name that can be part of a folder name.

    Raises:
        InputError: the folder cannot be made, or `experiment` is empty or a path.
    """
    if not experiment or experiment in (".", "..") or Path(experiment).name != experiment:
        raise InputError(f"experiment must be a plain name without slashes; got {experiment!r}.")
    stem = f"{experiment}-{datetime.now():%Y%m%d-%H%M%S}"
    try:
        parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _not_writable(parent, error) from error
    for number in itertools.count(1):
        folder = parent / (stem if number == 1 else f"{stem}-{number}")
        try:
            folder.mkdir()  # fails when it exists, so of two runs only one gets the name
        except FileExistsError:
            continue
        except OSError as error:
            raise _not_writable(parent, error) from error
        return folder
    raise AssertionError("the count of folder names has no end")


def write_json(path: Path, content: object) -> None:
    """Write an object as JSON, keys in their own order.

    Args:
        path: the file; replaced if it exists.
        content: as `as_json` takes it.
    """
    write_whole(path, json.dumps(as_json(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_history(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write the history of a training as CSV, one line per seed, stage and epoch.

    Args:
        path: the file; replaced if it exists.
        rows: dicts with `seed`, `stage`, `epoch` and the values of that epoch. The columns are those of all
            rows in the order they were first seen; a value that a row lacks is an empty cell. Floats get
            nine digits, from which a float32 is read back exactly.
    """
    columns = list(dict.fromkeys(key for row in rows for key in row))
    _write_csv(path, columns, ([row.get(column) for column in columns] for row in rows))


def write_assignments(path: Path, table: Mapping[str, Sequence[Any] | np.ndarray]) -> None:
    """Write columns of equal length, such as sample, cluster and confidence, as CSV.

    Args:
        path: the file; replaced if it exists.
        table: the columns by name, in the order of the file.

    Raises:
        InputError: the columns differ in length.
    """
    write_assignment_parts(path, [table])


def write_assignment_parts(path: Path, tables: Iterable[Mapping[str, Sequence[Any] | np.ndarray]]) -> None:
    """`write_assignments` of at least one table, each below the one before, and written before the next is asked for.

    A path that ends in .parquet becomes such a file.
    """
    tables = map(_of_one_length, tables)
    if path.suffix.lower() == ".parquet":
        _write_parquet(path, tables)
        return
    first = next(tables)
    parts = itertools.chain([first], tables)
    _write_csv(path, list(first), (row for part in parts for row in zip(*part.values(), strict=True)))


def _of_one_length(table: Mapping[str, Sequence[Any] | np.ndarray]) -> Mapping[str, Sequence[Any] | np.ndarray]:
    lengths = {name: len(column) for name, column in table.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(f"table must have columns of one length; got {lengths}.")
    return table


def _write_parquet(path: Path, tables: Iterable[Mapping[str, Sequence[Any] | np.ndarray]]) -> None:
    import pyarrow
    from pyarrow import parquet

    with whole_file(path) as file, ExitStack() as stack:
        writer = None
        for table in tables:
            part = pyarrow.table({name: pyarrow.array(column) for name, column in table.items()})
            if writer is None:
                writer = stack.enter_context(parquet.ParquetWriter(file, part.schema))
            writer.write_table(part)


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    with whole_file(path) as file:
        writer = csv.writer(codecs.getwriter("utf-8")(file, "surrogateescape"), lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_cell(value) for value in row] for row in rows)


def as_text(value: object) -> object:
    """A cell of CSV that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _cell(value: object) -> object:
    return f"{value:.9g}" if isinstance(value, (float, np.floating)) else as_text(value)


def _not_writable(parent: Path, error: OSError) -> InputError:
    occupied = isinstance(error, (FileExistsError, NotADirectoryError))
    reason = "a file is in the way" if occupied else (error.strerror or "unknown reason").lower()
    return InputError(f"the output folder must be one that can be written to; got {str(parent)!r} ({reason}).")
